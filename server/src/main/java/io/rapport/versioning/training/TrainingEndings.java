package io.rapport.versioning.training;

import io.rapport.platform.Change.Op;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Transaction;
import io.rapport.platform.resource.Resource;
import io.rapport.platform.resource.StructJson;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.versioning.Writing;
import io.rapport.versioning.training.TrainingStore.Changed;
import io.rapport.versioning.training.TrainingStore.Locked;
import io.rapport.versioning.v1.CancelTrainingRequest;
import io.rapport.versioning.v1.CompleteTrainingRequest;
import io.rapport.versioning.v1.CompleteTrainingResponse;
import io.rapport.versioning.v1.FailTrainingRequest;
import io.rapport.versioning.v1.ModelVersion;
import io.rapport.versioning.v1.TrainingEvent;
import io.rapport.versioning.v1.TrainingEvent.Status;
import java.time.Clock;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Ends trainings, with a version or without. */
final class TrainingEndings {
  private final Resource<TrainingEvent> resource;
  private final Resource<ModelVersion> versions;
  private final TrainedModels models;
  private final TrainedDatasets datasets;
  private final Clock clock;
  private final TrainingStore store = new TrainingStore();
  private final TrainingLocks locks = new TrainingLocks();

  TrainingEndings(
      Resource<TrainingEvent> resource,
      Resource<ModelVersion> versions,
      TrainedModels models,
      TrainedDatasets datasets,
      Clock clock) {
    this.resource = resource;
    this.versions = versions;
    this.models = models;
    this.datasets = datasets;
    this.clock = clock;
  }

  CompleteTrainingResponse complete(Transaction tx, CompleteTrainingRequest request) {
    Writing write = Writing.of(tx);
    Locked training = locks.held(write, request.getTrainingEventId(), request.getLeaseId());
    TrainingSteps.require(training.status(), Status.COMPLETED);
    UUID manifest = manifest(write, training, request.getManifestId());
    String metrics = StructJson.write(request.getPerformanceMetrics(), "performance_metrics");
    changed(
        write,
        store.complete(
            tx.dsl(),
            tx.tenant(),
            training.id(),
            new TrainingStore.Result(
                manifest,
                request.getModelPath(),
                request.getArtefactDigest(),
                models.activePath(write, training.modelType()).orElse(null),
                request.hasValidationScore() ? request.getValidationScore() : null,
                request.getTrainingDataSize(),
                metrics)));
    UUID version = models.register(write, trained(training, manifest, request));
    datasets.trained(
        write.dsl(),
        write.tenant(),
        training.dataset(),
        manifest,
        clock.instant(),
        write.changes());
    return CompleteTrainingResponse.newBuilder()
        .setTrainingEvent(resource.get(tx, training.id()))
        .setModelVersion(versions.get(tx, version))
        .build();
  }

  /** What it was trained with: what it was asked for with, or what the worker froze for it. */
  private @Nullable UUID manifest(Writing write, Locked training, String sent) {
    if (sent.isEmpty()) {
      return training.manifest();
    }
    UUID manifest = UUID.fromString(sent);
    if (training.manifest() != null && !training.manifest().equals(manifest)) {
      throw ServiceException.invalid(
          "manifest_id", ErrorReason.INVALID_FIELD, "is another than the training was asked for");
    }
    if (!store.isManifestOf(write.dsl(), write.tenant(), manifest, training.dataset())) {
      throw ServiceException.notFound("manifest", sent);
    }
    return manifest;
  }

  private static TrainedModels.Trained trained(
      Locked training, @Nullable UUID manifest, CompleteTrainingRequest request) {
    return new TrainedModels.Trained(
        training.id(),
        training.modelType(),
        training.dataset(),
        manifest,
        request.getVersion(),
        request.getModelPath(),
        request.getArtefactDigest(),
        request.hasValidationScore() ? request.getValidationScore() : null,
        request.hasPerformanceBaseline() ? request.getPerformanceBaseline() : null,
        request.getTrainingDataSize(),
        request.getPerformanceMetrics(),
        request.getModelMetadata());
  }

  private static void changed(Writing write, Changed changed) {
    write.changed(TrainingStore.KIND, Op.UPDATED, changed.id(), changed.revision());
  }

  TrainingEvent fail(Transaction tx, FailTrainingRequest request) {
    Writing write = Writing.of(tx);
    Locked training = locks.held(write, request.getTrainingEventId(), request.getLeaseId());
    Status next =
        request.getRetryable() && training.attemptsLeft() ? Status.PENDING : Status.FAILED;
    TrainingSteps.require(training.status(), next);
    changed(write, store.giveUp(tx.dsl(), tx.tenant(), training.id(), next, request.getFailure()));
    if (next == Status.FAILED) {
      datasets.notTrained(write.dsl(), write.tenant(), training.dataset(), write.changes());
    }
    return resource.get(tx, training.id());
  }

  TrainingEvent cancel(Transaction tx, CancelTrainingRequest request) {
    Writing write = Writing.of(tx);
    Locked training = locks.lock(write, request.getTrainingEventId());
    TrainingSteps.require(training.status(), Status.CANCELLED);
    changed(write, store.cancel(tx.dsl(), tx.tenant(), training.id(), request.getReason()));
    datasets.notTrained(write.dsl(), write.tenant(), training.dataset(), write.changes());
    return resource.get(tx, training.id());
  }
}
