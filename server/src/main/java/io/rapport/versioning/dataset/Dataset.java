package io.rapport.versioning.dataset;

import io.rapport.versioning.v1.TrainingDataset;
import java.util.UUID;

/** A dataset as it is stored. */
record Dataset(UUID id, TrainingDataset proto, long revision, long sourcesRevision) {
  String type() {
    return proto.getDatasetType();
  }

  /** Whether the same events, with the same features, are looked at in the same way. */
  boolean looksLike(Dataset other) {
    return sourcesRevision == other.sourcesRevision
        && proto.getFeaturesList().equals(other.proto.getFeaturesList())
        && proto.getSampleSize() == other.proto.getSampleSize()
        && proto.getWeights().equals(other.proto.getWeights());
  }
}
