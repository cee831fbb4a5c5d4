package io.rapport.search.embedding;

import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Transaction;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.search.Embedders;
import io.rapport.search.embedding.Kinds.Place;
import io.rapport.search.embedding.ModelStore.Model;
import io.rapport.search.embedding.Puts.Texts;
import io.rapport.search.v1.EmbeddingCoverage;
import io.rapport.search.v1.EmbeddingModel;
import io.rapport.search.v1.EmbeddingModel.State;
import io.rapport.search.v1.RetireEmbeddingModelRequest;
import io.rapport.search.v1.StartEmbeddingModelRequest;
import io.rapport.search.v1.SwitchEmbeddingModelRequest;
import io.rapport.search.v1.SwitchEmbeddingModelResponse;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jooq.DSLContext;

/** Takes models into use and out of it. */
final class Switching {
  /** How many texts are marked in the commit that starts a model. */
  private static final int AT_ONCE = 10_000;

  private final Kinds kinds;
  private final Embedders embedders;
  private final ModelStore models = new ModelStore();
  private final KeptModelStore kept = new KeptModelStore();
  private final CoverageStore coverage = new CoverageStore();

  /**
   * A write under way.
   *
   * @param changes is told what changed
   */
  record Writing(DSLContext dsl, Consumer<Change> changes) {
    static Writing of(Transaction tx) {
      return new Writing(tx.dsl(), tx::changed);
    }
  }

  Switching(Kinds kinds, Embedders embedders) {
    this.kinds = kinds;
    this.embedders = embedders;
  }

  EmbeddingModel start(StartEmbeddingModelRequest request) {
    Place place = kinds.toWrite(request.getKind());
    requireOwnDimensions(request);
    return place
        .work()
        .write(
            request,
            EmbeddingModel.parser(),
            tx ->
                start(Writing.of(tx), place.texts(), request.getModel(), request.getDimensions())
                    .toProto());
  }

  /** What the server embeds by itself and what callers embed must not be mixed in one model. */
  private void requireOwnDimensions(StartEmbeddingModelRequest request) {
    embedders
        .find(request.getModel())
        .filter(it -> it.dimensions() != request.getDimensions())
        .ifPresent(it -> {
          throw ServiceException.invalid(
              "dimensions",
              ErrorReason.INVALID_FIELD,
              "must be " + it.dimensions() + ", as the server has a model of this name");
        });
  }

  /** Takes a model into use, if it isn't. */
  Model start(Writing tx, Texts texts, String name, int dimensions) {
    List<Model> all = models.lock(tx.dsl(), texts.owner(), texts.kind());
    Optional<Model> same = named(all, name);
    if (same.isPresent()) {
      requireDimensions(same.get(), dimensions);
      if (same.get().state() != State.RETIRED) {
        return same.get();
      }
    }
    State state = in(all, State.ACTIVE).isPresent() ? State.COMING : State.ACTIVE;
    if (state == State.COMING) {
      in(all, State.COMING)
          .ifPresent(coming -> {
            throw wrongState("another model is coming: " + coming.name(), State.COMING);
          });
    }
    Model started = models.start(tx.dsl(), texts.owner(), texts.kind(), name, dimensions, state);
    Optional<KeptModelStore.Part> part =
        kept.tryFill(tx.dsl(), texts.owner(), texts.kind(), name, AT_ONCE);
    if (part.isPresent() && part.get().seen() < AT_ONCE) { // what is left the keeper marks
      kept.filled(tx.dsl(), texts.owner(), texts.kind(), name);
    }
    tx.changes().accept(started.change(same.isPresent() ? Op.UPDATED : Op.CREATED));
    return started;
  }

  private static void requireDimensions(Model model, int dimensions) {
    if (model.dimensions() != dimensions) {
      throw wrongState(
          "the model has vectors of " + model.dimensions() + " numbers", model.state());
    }
  }

  SwitchEmbeddingModelResponse switchOver(SwitchEmbeddingModelRequest request) {
    Place place = kinds.toWrite(request.getKind());
    return place
        .work()
        .write(
            request,
            SwitchEmbeddingModelResponse.parser(),
            tx -> switchOver(Writing.of(tx), place.texts(), request));
  }

  /** All texts are counted before anything is locked, since whoever puts vectors waits for that. */
  private SwitchEmbeddingModelResponse switchOver(
      Writing tx, Texts texts, SwitchEmbeddingModelRequest request) {
    double share = request.hasMinShare() ? request.getMinShare() : 1;
    Model found =
        models
            .find(tx.dsl(), texts.owner(), texts.kind(), request.getModel())
            .orElseThrow(() -> unknown(request.getModel()));
    if (found.state() == State.COMING) {
      requireShare(tx, texts, found, share);
    }
    List<Model> all = models.lock(tx.dsl(), texts.owner(), texts.kind());
    Model model = require(all, request.getModel());
    if (model.state() == State.ACTIVE) {
      return SwitchEmbeddingModelResponse.newBuilder().setModel(model.toProto()).build();
    }
    if (model.state() == State.RETIRED) {
      throw wrongState("the model is retired", model.state());
    }
    if (model.revision() != found.revision()) { // it went and came since it was counted
      requireShare(tx, texts, model, share);
    }
    State before = request.getKeepPrevious() ? State.COMING : State.RETIRED;
    SwitchEmbeddingModelResponse.Builder response = SwitchEmbeddingModelResponse.newBuilder();
    Optional<Model> previous = in(all, State.ACTIVE);
    // One is active and one is coming at any moment: the index holds it, so a step lies between.
    previous.ifPresent(it -> models.become(tx.dsl(), texts.owner(), it, State.RETIRED));
    Model active = change(tx, texts, model, State.ACTIVE);
    previous.ifPresent(it -> response.setPrevious(change(tx, texts, it, before).toProto()));
    return response.setModel(active.toProto()).build();
  }

  private void requireShare(Writing tx, Texts texts, Model model, double share) {
    if (share == 0) {
      return;
    }
    EmbeddingCoverage.Builder covered = coverage.count(tx.dsl(), texts.owner(), model);
    if (!model.filled() || covered.getShare() < share) {
      throw wrongState(
              "%d of %d texts have a vector of the model, which is less than was asked for%s"
                  .formatted(
                      covered.getEmbedded(),
                      covered.getDocuments(),
                      model.filled() ? "" : ", and texts are being looked for still"),
              model.state())
          .with("share", String.valueOf(covered.getShare()));
    }
  }

  EmbeddingModel retire(RetireEmbeddingModelRequest request) {
    Place place = kinds.toWrite(request.getKind());
    return place
        .work()
        .write(
            request,
            EmbeddingModel.parser(),
            tx -> {
              Model model =
                  require(models.lock(tx.dsl(), place.owner(), place.name()), request.getModel());
              if (model.state() == State.RETIRED) {
                return model.toProto();
              }
              if (model.state() == State.ACTIVE && !request.getActiveToo()) {
                throw wrongState("searches go by the model", model.state());
              }
              return change(Writing.of(tx), place.texts(), model, State.RETIRED).toProto();
            });
  }

  private Model change(Writing tx, Texts texts, Model model, State state) {
    Model changed = models.become(tx.dsl(), texts.owner(), model, state);
    tx.changes().accept(changed.change(Op.UPDATED));
    return changed;
  }

  private static Model require(List<Model> all, String name) {
    return named(all, name).orElseThrow(() -> unknown(name));
  }

  private static ServiceException unknown(String name) {
    return ServiceException.notFound("embedding_model").with("model", name);
  }

  private static Optional<Model> named(List<Model> all, String name) {
    return all.stream().filter(it -> it.name().equals(name)).findFirst();
  }

  private static Optional<Model> in(List<Model> all, State state) {
    return all.stream().filter(it -> it.state() == state).findFirst();
  }

  private static ServiceException wrongState(String message, State state) {
    return ServiceException.failedPrecondition(ErrorReason.EMBEDDING_MODEL_STATE, message)
        .with("state", state.name());
  }
}
