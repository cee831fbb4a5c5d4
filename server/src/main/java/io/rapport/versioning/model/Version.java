package io.rapport.versioning.model;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What decisions need to know of a version.
 *
 * @param trainingStatus that of its training; null if it has none
 * @param approved whether its training is approved, and was completed with this model
 */
record Version(
    UUID id,
    String modelType,
    String version,
    @Nullable String artefactDigest,
    @Nullable UUID training,
    @Nullable String trainingStatus,
    boolean approved,
    @Nullable Double dataQuality,
    long dataSize,
    @Nullable Double score,
    @Nullable Double baseline,
    boolean isActive,
    long revision) {}
