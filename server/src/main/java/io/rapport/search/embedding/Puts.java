package io.rapport.search.embedding;

import com.google.protobuf.ByteString;
import com.google.rpc.BadRequest.FieldViolation;
import com.google.rpc.Status;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Uuids;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.search.v1.EmbeddingModel.State;
import io.rapport.search.v1.EmbeddingResult;
import io.rapport.search.v1.EmbeddingResult.Result;
import io.rapport.search.v1.NewEmbedding;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/**
 * Writes vectors of texts that are still what they were. The texts are held while that is done, and
 * those that somebody writes just then are taken for changed, so nobody waits for the other.
 */
final class Puts {
  private static final int HASH_BYTES = 32;

  /** Whose texts of which kind. */
  record Texts(UUID owner, String kind) {}

  private final ModelStore models = new ModelStore();
  private final VectorStore vectors = new VectorStore();

  /** The model by which vectors are written; it stays in use until the transaction ends. */
  ModelStore.Model model(DSLContext tx, Texts texts, String name) {
    ModelStore.Model model =
        models
            .hold(tx, texts.owner(), texts.kind(), name)
            .orElseThrow(() -> ServiceException.notFound("embedding_model").with("model", name));
    if (model.state() == State.RETIRED) {
      throw ServiceException.failedPrecondition(
              ErrorReason.EMBEDDING_MODEL_STATE, "the model is retired")
          .with("state", model.state().name());
    }
    return model;
  }

  /** Writes all, or throws with what is wrong with each. */
  List<EmbeddingResult> putAll(
      DSLContext tx, Texts texts, String modelName, List<NewEmbedding> embeddings) {
    ModelStore.Model model = model(tx, texts, modelName);
    List<FieldViolation> faults = new ArrayList<>();
    List<@Nullable FieldViolation> found = faults(embeddings, model.dimensions());
    for (int i = 0; i < found.size(); i++) {
      FieldViolation fault = found.get(i);
      if (fault != null) {
        faults.add(fault.toBuilder().setField("embeddings[" + i + "]." + fault.getField()).build());
      }
    }
    if (!faults.isEmpty()) {
      throw ServiceException.invalid(ErrorReason.INVALID_FIELD, faults);
    }
    return put(tx, texts, model.name(), made(embeddings));
  }

  /** Writes those with which nothing is wrong. */
  List<EmbeddingResult> putSound(
      DSLContext tx, Texts texts, String modelName, List<NewEmbedding> embeddings) {
    ModelStore.Model model = model(tx, texts, modelName);
    List<@Nullable FieldViolation> faults = faults(embeddings, model.dimensions());
    List<NewEmbedding> sound = new ArrayList<>();
    for (int i = 0; i < embeddings.size(); i++) {
      if (faults.get(i) == null) {
        sound.add(embeddings.get(i));
      }
    }
    List<EmbeddingResult> written = put(tx, texts, model.name(), made(sound));
    List<EmbeddingResult> results = new ArrayList<>();
    int next = 0;
    for (FieldViolation fault : faults) {
      results.add(fault == null ? written.get(next++) : refused(fault));
    }
    return results;
  }

  private static EmbeddingResult refused(FieldViolation fault) {
    Status error = ServiceException.invalid(ErrorReason.INVALID_FIELD, List.of(fault)).toStatus();
    return EmbeddingResult.newBuilder().setResult(Result.REFUSED).setError(error).build();
  }

  /** What is wrong with each; null if nothing is. */
  private static List<@Nullable FieldViolation> faults(
      List<NewEmbedding> embeddings, int dimensions) {
    List<@Nullable FieldViolation> faults = new ArrayList<>();
    Set<UUID> ids = new HashSet<>();
    for (NewEmbedding embedding : embeddings) {
      faults.add(fault(embedding, dimensions, ids));
    }
    return faults;
  }

  private static @Nullable FieldViolation fault(
      NewEmbedding embedding, int dimensions, Set<UUID> ids) {
    UUID id = Uuids.parse(embedding.getId());
    if (id == null) {
      return ServiceException.violation("id", ErrorReason.INVALID_FIELD, "must be a UUID");
    }
    if (!ids.add(id)) {
      return ServiceException.violation("id", ErrorReason.INVALID_FIELD, "is there twice");
    }
    if (embedding.getContentHash().size() != HASH_BYTES) {
      return ServiceException.violation(
          "content_hash", ErrorReason.INVALID_FIELD, "must have 32 bytes");
    }
    return Vectors.fault(embedding, dimensions);
  }

  private static List<VectorStore.Made> made(List<NewEmbedding> embeddings) {
    return embeddings.stream()
        .map(it ->
            new VectorStore.Made(
                UUID.fromString(it.getId()), it.getContentHash(), Vectors.read(it)))
        .toList();
  }

  /** Writes vectors with which nothing is wrong, each if its text is what it was made from. */
  List<EmbeddingResult> put(DSLContext tx, Texts texts, String model, List<VectorStore.Made> made) {
    if (made.isEmpty()) {
      return List.of();
    }
    List<UUID> ids = made.stream().map(VectorStore.Made::id).toList();
    Map<UUID, ByteString> held = vectors.hold(tx, texts.owner(), texts.kind(), ids);
    List<VectorStore.Made> current =
        made.stream().filter(it -> it.hash().equals(held.get(it.id()))).toList();
    Set<UUID> written =
        current.isEmpty() ? Set.of() : vectors.put(tx, texts.owner(), texts.kind(), model, current);
    Set<UUID> present =
        held.size() == ids.size()
            ? held.keySet()
            : vectors.present(tx, texts.owner(), texts.kind(), ids);
    return made.stream()
        .map(it -> {
          boolean same = it.hash().equals(held.get(it.id()));
          Result of = same ? Result.UNCHANGED : Result.STALE;
          Result result =
              written.contains(it.id())
                  ? Result.WRITTEN
                  : present.contains(it.id()) ? of : Result.NOT_FOUND;
          return EmbeddingResult.newBuilder().setResult(result).build();
        })
        .toList();
  }
}
