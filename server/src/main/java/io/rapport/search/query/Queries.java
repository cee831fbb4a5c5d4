package io.rapport.search.query;

import io.rapport.platform.Caller;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.search.Embedder;
import io.rapport.search.EmbedderException;
import io.rapport.search.Embedders;
import io.rapport.search.v1.ExamplesQuery;
import io.rapport.search.v1.HybridQuery;
import io.rapport.search.v1.SearchExample;
import io.rapport.search.v1.SearchRequest;
import io.rapport.search.v1.Shortfall.Cause;
import io.rapport.search.v1.StoredQuery;
import io.rapport.search.v1.TextQuery;
import io.rapport.search.v1.VectorQuery;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Reads what a caller wants to find, and makes vectors of it. */
final class Queries {
  private static final double USUAL_WEIGHT = 1;

  private final TenantDb db;
  private final Sources sources;
  private final Embedders embedders;
  private final NearestStore vectors = new NearestStore();
  private final WordsStore words = new WordsStore();

  Queries(TenantDb db, Sources sources, Embedders embedders) {
    this.db = db;
    this.sources = sources;
    this.embedders = embedders;
  }

  /** The models by which kinds are searched. */
  Map<String, String> activeModels(UUID tenant, List<Source> places) {
    List<String> names = places.stream().map(source -> source.kind().name()).toList();
    return db.autoCommit(tenant, connection -> embedders.active(connection, tenant, names));
  }

  /** The model by which a kind is searched; null if it has none. */
  @Nullable String activeModel(UUID tenant, Kind kind) {
    return db.autoCommit(
            tenant, connection -> embedders.active(connection, tenant, List.of(kind.name())))
        .get(kind.name());
  }

  Query read(Caller caller, SearchRequest request, List<Source> places) {
    return switch (request.getQueryCase()) {
      case VECTOR -> ofVector(caller, request.getVector(), places, "vector");
      case TEXT -> ofText(caller, request.getText(), places);
      case STORED -> ofStored(caller, request.getStored(), places);
      case EXAMPLES -> ofExamples(caller, request.getExamples(), places);
      case WORDS -> Query.ofWords(checked(caller, request.getWords().getWords(), "words.words"));
      case HYBRID -> ofBoth(caller, request.getHybrid(), places);
      case QUERY_NOT_SET ->
          throw ServiceException.invalid("query", ErrorReason.INVALID_FIELD, "must be set");
    };
  }

  private Query ofVector(Caller caller, VectorQuery asked, List<Source> places, String path) {
    Embedding vector = Embedding.read(asked.getValuesList(), path + ".values");
    Query query = Query.ofMeaning();
    query.direct(places, activeModels(caller.tenant().id(), places), asked.getModel(), vector);
    return query;
  }

  private Query ofText(Caller caller, TextQuery asked, List<Source> places) {
    if (asked.getText().isBlank()) {
      throw ServiceException.invalid(
          "text.text", ErrorReason.INVALID_FIELD, "must be more than blanks");
    }
    Map<String, String> active = activeModels(caller.tenant().id(), places);
    Map<String, Embedding> byModel = new HashMap<>();
    Set<String> unknown = new HashSet<>();
    for (String model : new HashSet<>(active.values())) {
      Optional<Embedder> embedder = embedders.find(model);
      embedder.ifPresentOrElse(
          it -> byModel.put(model, embedded(it, asked.getText())), () -> unknown.add(model));
    }
    if (byModel.isEmpty() && !unknown.isEmpty()) {
      throw notEmbedded("this server can't embed texts by the models of these kinds")
          .with("models", String.join(",", new TreeSet<>(unknown)));
    }
    Query query = Query.ofMeaning();
    for (Source source : places) {
      Kind kind = source.kind();
      String model = active.get(kind.name());
      Embedding vector = model == null ? null : byModel.get(model);
      if (model != null && vector != null) {
        query.directions().put(kind, new NearestStore.Direction(model, vector));
      } else {
        query.leftOut().put(kind, model == null ? Cause.NO_MODEL : Cause.NO_EMBEDDER);
      }
    }
    return query;
  }

  private static Embedding embedded(Embedder embedder, String text) {
    try {
      return Embedding.unit(embedder.embed(List.of(text)).getFirst(), "text.text");
    } catch (EmbedderException e) {
      throw e.toServiceException();
    }
  }

  private Query ofStored(Caller caller, StoredQuery asked, List<Source> places) {
    Query query = Query.ofMeaning();
    Example example = stored(caller, asked, "stored", query);
    query.direct(
        places, activeModels(caller.tenant().id(), places), example.model(), example.vector());
    return query;
  }

  /** A vector and the model that it is of. */
  private record Example(String model, Embedding vector) {}

  private Example stored(Caller caller, StoredQuery asked, String path, Query query) {
    Kind kind = sources.readable(caller, asked.getKind(), path + ".kind");
    UUID tenant = caller.tenant().id();
    UUID id = UUID.fromString(asked.getId());
    String model = activeModel(tenant, kind);
    NearestStore.Stored found =
        db.autoCommit(
            tenant,
            connection -> vectors.stored(connection, tenant, kind, id, model == null ? "" : model));
    if (!found.isThere()) {
      throw ServiceException.notFound(kind.noun(), asked.getId()).with("field", path + ".id");
    }
    Embedding vector = found.vector();
    if (model == null || vector == null) {
      throw notEmbedded(path + ": the entity has no vector of its kind's active model")
          .with("kind", kind.name())
          .with("id", asked.getId());
    }
    query.exclude(kind, id);
    return new Example(model, vector);
  }

  private Query ofExamples(Caller caller, ExamplesQuery asked, List<Source> places) {
    Query query = Query.ofMeaning();
    List<Example> positive = examples(caller, asked.getPositiveList(), "positive", query);
    List<Example> negative = examples(caller, asked.getNegativeList(), "negative", query);
    String model = positive.getFirst().model();
    requireModel(model, positive, "positive");
    requireModel(model, negative, "negative");
    Embedding vector =
        Embedding.difference(
            positive.stream().map(Example::vector).toList(),
            negative.stream().map(Example::vector).toList(),
            "examples");
    query.direct(places, activeModels(caller.tenant().id(), places), model, vector);
    return query;
  }

  private List<Example> examples(
      Caller caller, List<SearchExample> asked, String field, Query query) {
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < asked.size(); i++) {
      String path = "examples." + field + "[" + i + "].";
      SearchExample example = asked.get(i);
      if (example.hasStored()) {
        examples.add(stored(caller, example.getStored(), path + "stored", query));
      } else {
        VectorQuery vector = example.getVector();
        examples.add(
            new Example(
                vector.getModel(), Embedding.read(vector.getValuesList(), path + "vector.values")));
      }
    }
    return examples;
  }

  private static void requireModel(String model, List<Example> examples, String field) {
    for (int i = 0; i < examples.size(); i++) {
      if (!examples.get(i).model().equals(model)) {
        throw ServiceException.invalid(
            "examples." + field + "[" + i + "]",
            ErrorReason.INVALID_FIELD,
            "must be of the same model as the first one");
      }
    }
  }

  private Query ofBoth(Caller caller, HybridQuery asked, List<Source> places) {
    if (asked.hasMeaningWeight()
        && asked.hasWordsWeight()
        && asked.getMeaningWeight() + asked.getWordsWeight() == 0) {
      throw ServiceException.invalid(
          "hybrid.words_weight", ErrorReason.INVALID_FIELD, "must not be 0 as the other is");
    }
    String text = checked(caller, asked.getWords().getWords(), "hybrid.words.words");
    Query meaning =
        switch (asked.getMeaningCase()) {
          case VECTOR -> ofVector(caller, asked.getVector(), places, "hybrid.vector");
          case TEXT -> ofText(caller, asked.getText(), places);
          case MEANING_NOT_SET ->
              ofText(
                  caller,
                  TextQuery.newBuilder().setText(asked.getWords().getWords()).build(),
                  places);
        };
    return meaning.joined(
        text,
        asked.hasMeaningWeight() ? asked.getMeaningWeight() : USUAL_WEIGHT,
        asked.hasWordsWeight() ? asked.getWordsWeight() : USUAL_WEIGHT);
  }

  /** Words that texts can be looked through for. */
  String checked(Caller caller, String asked, String path) {
    boolean isQuery =
        db.autoCommit(caller.tenant().id(), connection -> words.isQuery(connection, asked));
    if (!isQuery) {
      throw ServiceException.invalid(
          path, ErrorReason.INVALID_FIELD, "has no words that texts can be told apart by");
    }
    return asked;
  }

  private static ServiceException notEmbedded(String message) {
    return ServiceException.failedPrecondition(ErrorReason.QUERY_NOT_EMBEDDED, message);
  }
}
