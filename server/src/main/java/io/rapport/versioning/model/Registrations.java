package io.rapport.versioning.model;

import io.grpc.Status.Code;
import io.rapport.platform.Change.Op;
import io.rapport.platform.ServiceException;
import io.rapport.platform.resource.StructJson;
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
            StructJson.write(trained.metrics(), "performance_metrics"),
            StructJson.write(trained.metadata(), "model_metadata"),
            write.by()));
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
            StructJson.write(request.getPerformanceMetrics(), "performance_metrics"),
            StructJson.write(request.getModelMetadata(), "model_metadata"),
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
    return training;
  }

  private SemanticVersion version(Writing write, String modelType, String asked) {
    if (!asked.isEmpty()) {
      return SemanticVersion.of(asked, "version");
    }
    return versions
        .highestReleased(write.dsl(), write.tenant(), modelType)
        .flatMap(SemanticVersion::parse)
        .map(SemanticVersion::nextPatch)
        .orElse(SemanticVersion.FIRST);
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
