package io.rapport.versioning.training;

import io.rapport.platform.Change.Op;
import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.versioning.Writing;
import io.rapport.versioning.training.TrainingStore.New;
import io.rapport.versioning.v1.TrainingEvent.Cause;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/** Asks for trainings, in the transactions of those who want them. */
public final class Trainings {
  /** The priority of what the service itself asks for. */
  static final int SERVICE_PRIORITY = 2;

  private final TrainingStore store = new TrainingStore();

  /** A training that is going to be done, and whether it was made just now. */
  public record Requested(UUID id, boolean created) {}

  /** Asks for a training because a dataset is ready. */
  Requested ready(Writing write, UUID dataset, String modelType) {
    return request(
        write,
        new New(modelType, dataset, null, Cause.THRESHOLD, SERVICE_PRIORITY, write.by(), ""));
  }

  /** Asks for a training because a version was rolled back, if the type has a dataset. */
  public Optional<Requested> rolledBack(Writing write, String modelType, String reason) {
    return tooBad(write, modelType, Cause.ROLLBACK, reason);
  }

  /**
   * Asks for a training because a version does badly and there is none to return to, if the type
   * has a dataset.
   */
  public Optional<Requested> degraded(Writing write, String modelType, String reason) {
    return tooBad(write, modelType, Cause.PERFORMANCE, reason);
  }

  private Optional<Requested> tooBad(Writing write, String modelType, Cause cause, String reason) {
    return store
        .dataset(write.dsl(), write.tenant(), modelType)
        .map(dataset ->
            request(
                write,
                new New(modelType, dataset, null, cause, SERVICE_PRIORITY, write.by(), reason)));
  }

  /** Asks for a training because somebody wants it. */
  Requested manual(
      Writing write, String modelType, @Nullable UUID manifest, int priority, String reason) {
    UUID dataset =
        store.dataset(write.dsl(), write.tenant(), modelType).orElseThrow(Trainings::noDataset);
    if (manifest != null && !store.isManifestOf(write.dsl(), write.tenant(), manifest, dataset)) {
      throw ServiceException.notFound("manifest", manifest.toString());
    }
    Requested requested =
        request(
            write,
            new New(modelType, dataset, manifest, Cause.MANUAL, priority, write.by(), reason));
    if (!requested.created()) {
      requireSameData(write, requested.id(), manifest);
      store
          .raisePriority(write.dsl(), write.tenant(), requested.id(), priority)
          .ifPresent(it -> write.changed(TrainingStore.KIND, Op.UPDATED, it.id(), it.revision()));
    }
    return requested;
  }

  /** Who wants a training with certain data must not be told of one with other data. */
  private void requireSameData(Writing write, UUID open, @Nullable UUID manifest) {
    TrainingStore.Locked training = store.lock(write.dsl(), write.tenant(), open).orElseThrow();
    if (manifest != null && !manifest.equals(training.manifest())) {
      throw ServiceException.failedPrecondition(
              ErrorReason.TRAINING_OPEN, "a training with other data is open")
          .with("training_event_id", open.toString())
          .with("status", training.status().name());
    }
  }

  private static ServiceException noDataset() {
    return ServiceException.failedPrecondition(
        ErrorReason.TRAINING_DATASET_MISSING, "there is no dataset of this model type");
  }

  private Requested request(Writing write, New training) {
    Optional<UUID> open = store.open(write.dsl(), write.tenant(), training.modelType());
    if (open.isPresent()) {
      return new Requested(open.get(), false);
    }
    UUID id = store.insert(write.dsl(), write.tenant(), training).orElse(null);
    if (id == null) { // another transaction was first; it has ended by now
      return store
          .open(write.dsl(), write.tenant(), training.modelType())
          .map(other -> new Requested(other, false))
          .orElseGet(() -> request(write, training));
    }
    write.changed(TrainingStore.KIND, Op.CREATED, id, 1);
    return new Requested(id, true);
  }

  /** Says that the version of a training is active. */
  public void deployed(Writing write, UUID training) {
    store
        .deploy(write.dsl(), write.tenant(), training)
        .ifPresent(it -> write.changed(TrainingStore.KIND, Op.UPDATED, it.id(), it.revision()));
  }

  /** What waits for workers, in the order in which they get it. */
  public List<UUID> queue(DSLContext dsl, UUID tenant, int limit) {
    return store.queue(dsl, tenant, limit);
  }
}
