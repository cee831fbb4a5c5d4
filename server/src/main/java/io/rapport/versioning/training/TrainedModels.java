package io.rapport.versioning.training;

import com.google.protobuf.Struct;
import io.rapport.versioning.Writing;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What trainings need of the versions that they make. */
public interface TrainedModels {
  /**
   * What a training made.
   *
   * @param version empty: the next one
   * @param manifest null if the worker chose its data itself
   */
  record Trained(
      UUID event,
      String modelType,
      UUID dataset,
      @Nullable UUID manifest,
      String version,
      String modelPath,
      String artefactDigest,
      @Nullable Double validationScore,
      @Nullable Double performanceBaseline,
      long dataSize,
      Struct metrics,
      Struct metadata) {}

  /** Makes the version of a training; returns its id. */
  UUID register(Writing write, Trained trained);

  /** The approval of a training is taken back: users get none of its versions as a candidate. */
  void disapproved(Writing write, UUID event);

  /** Where the active version of a type is. */
  Optional<String> activePath(Writing write, String modelType);
}
