package io.rapport.versioning.model;

import io.grpc.Status.Code;
import io.rapport.platform.Change.Op;
import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.versioning.Writing;
import io.rapport.versioning.training.TrainedModels;
import io.rapport.versioning.v1.RegisterModelVersionRequest;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Makes versions: of what was trained, or of what callers bring. */
final class Registrations implements TrainedModels {
  private final VersionStore versions = new VersionStore();
  private final SplitStore splits = new SplitStore();

  @Override
  public UUID register(Writing write, Trained trained) {
    return insert(
        write,
        new VersionStore.New(
            trained.modelType(),
            version(write, trained.modelType(), trained.version()),
            trained.modelPath(),
            trained.artefactDigest(),
            trained.event(),
            trained.dataset(),
            trained.manifest(),
            null,
            trained.dataSize(),
            trained.validationScore(),
            trained.performanceBaseline() == null
                ? trained.validationScore()
                : trained.performanceBaseline(),
            Descriptions.metrics(trained.metrics()),
            Descriptions.metadata(trained.metadata()),
            write.by()));
  }

  @Override
  public void disapproved(Writing write, UUID event) {
    splits
        .withdraw(write.dsl(), write.tenant(), event)
        .forEach(it -> write.changed(SplitStore.KIND, Op.UPDATED, it.id(), it.revision()));
  }

  @Override
  public Optional<String> activePath(Writing write, String modelType) {
    return versions.activePath(write.dsl(), write.tenant(), modelType);
  }

  UUID register(Writing write, RegisterModelVersionRequest request) {
    VersionStore.Training training = training(write, request);
    Double score = request.hasValidationScore() ? (Double) request.getValidationScore() : null;
    return insert(
        write,
        new VersionStore.New(
            request.getModelType(),
            version(write, request.getModelType(), request.getVersion()),
            request.getModelPath(),
            request.getArtefactDigest(),
            training == null ? null : UUID.fromString(request.getTrainingEventId()),
            training == null ? null : training.dataset(),
            training == null ? null : training.manifest(),
            request.hasDataQualityScore() ? request.getDataQualityScore() : null,
            request.getTrainingDataSize(),
            score,
            request.hasPerformanceBaseline() ? (Double) request.getPerformanceBaseline() : score,
            Descriptions.metrics(request.getPerformanceMetrics()),
            Descriptions.metadata(request.getModelMetadata()),
            write.by()));
  }

  private VersionStore.@Nullable Training training(
      Writing write, RegisterModelVersionRequest request) {
    String id = request.getTrainingEventId();
    if (id.isEmpty()) {
      return null;
    }
    VersionStore.Training training =
        versions
            .training(write.dsl(), write.tenant(), UUID.fromString(id))
            .orElseThrow(() -> ServiceException.notFound("training_event", id));
    if (!training.modelType().equals(request.getModelType())) {
      throw ServiceException.invalid(
          "training_event_id", ErrorReason.INVALID_FIELD, "is a training of another model type");
    }
    requireModelOf(training, request.getArtefactDigest());
    return training;
  }

  /** What is approved is the model that the training was completed with, so it must be this one. */
  private static void requireModelOf(VersionStore.Training training, String digest) {
    if (!Gates.TRAINED.contains(training.status())) {
      throw ServiceException.failedPrecondition(
              ErrorReason.TRAINING_STATE,
              "a training that is %s has no model yet".formatted(training.status()))
          .with("from", training.status())
          .with("to", "REGISTERED");
    }
    if (!digest.equals(training.digest())) {
      throw ServiceException.invalid(
          "artefact_digest",
          ErrorReason.INVALID_FIELD,
          training.digest() == null
              ? "can't be compared: the training was completed without one"
              : "is not that of the model that the training was completed with");
    }
  }

  private SemanticVersion version(Writing write, String modelType, String asked) {
    if (!asked.isEmpty()) {
      return SemanticVersion.of(asked, "version");
    }
    SemanticVersion next =
        versions
            .highestReleased(write.dsl(), write.tenant(), modelType)
            .flatMap(SemanticVersion::parse)
            .map(SemanticVersion::nextPatch)
            .orElse(SemanticVersion.FIRST);
    if (next.toString().length() > SemanticVersion.MAX_LENGTH) {
      throw ServiceException.invalid(
          "version",
          ErrorReason.INVALID_FIELD,
          "is required: the next has more than 64 characters");
    }
    return next;
  }

  private UUID insert(Writing write, VersionStore.New version) {
    UUID id =
        versions
            .insert(write.dsl(), write.tenant(), version)
            .orElseThrow(() ->
                ServiceException.of(
                        Code.ALREADY_EXISTS,
                        ErrorReason.VERSION_EXISTS,
                        "the model type has this version")
                    .with("version", version.version().toString()));
    write.changed(VersionStore.KIND, Op.CREATED, id, 1);
    return id;
  }
}
