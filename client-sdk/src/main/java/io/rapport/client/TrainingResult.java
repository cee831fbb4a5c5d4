package io.rapport.client;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.rapport.versioning.v1.CompleteTrainingRequest;
import java.util.Map;

/** What a {@link Trainer} made. Start with {@link #of}. */
public final class TrainingResult {
  private final CompleteTrainingRequest request;

  private TrainingResult(CompleteTrainingRequest request) {
    this.request = request;
  }

  /**
   * A model.
   *
   * @param modelPath where it is, 1 to 500 characters
   */
  public static TrainingResult of(String modelPath) {
    return new TrainingResult(CompleteTrainingRequest.newBuilder().setModelPath(modelPath).build());
  }

  /** The same with the SHA-256 of the model's file: 64 hexadecimal digits in lower case. */
  public TrainingResult withDigest(String sha256) {
    return new TrainingResult(request.toBuilder().setArtefactDigest(sha256).build());
  }

  /** The same with the score by which versions are compared; greater is better. */
  public TrainingResult withScore(double validationScore) {
    return new TrainingResult(request.toBuilder().setValidationScore(validationScore).build());
  }

  /** The same with the performance to be expected; unless set, it is the score. */
  public TrainingResult withBaseline(double performance) {
    return new TrainingResult(request.toBuilder().setPerformanceBaseline(performance).build());
  }

  /** The same with how many rows it was trained with. */
  public TrainingResult withDataSize(long rows) {
    return new TrainingResult(request.toBuilder().setTrainingDataSize(rows).build());
  }

  /**
   * The same with the frozen dataset that it was trained with. Not needed if the job named one.
   *
   * @param manifestId UUID of a manifest of the job's dataset
   */
  public TrainingResult withManifest(String manifestId) {
    return new TrainingResult(request.toBuilder().setManifestId(manifestId).build());
  }

  /** The same with what was measured. */
  public TrainingResult withMetrics(Map<String, Double> metrics) {
    Struct.Builder struct = Struct.newBuilder();
    metrics.forEach(
        (name, value) -> struct.putFields(name, Value.newBuilder().setNumberValue(value).build()));
    return new TrainingResult(request.toBuilder().setPerformanceMetrics(struct).build());
  }

  /** The same with what else is to be known of the version. */
  public TrainingResult withMetadata(Struct metadata) {
    return new TrainingResult(request.toBuilder().setModelMetadata(metadata).build());
  }

  /** The same with a version of the trainer's choice, by semver.org 2.0.0. */
  public TrainingResult withVersion(String version) {
    return new TrainingResult(request.toBuilder().setVersion(version).build());
  }

  CompleteTrainingRequest.Builder request() {
    return request.toBuilder();
  }
}
