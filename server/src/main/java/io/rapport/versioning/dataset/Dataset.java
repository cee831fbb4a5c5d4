package io.rapport.versioning.dataset;

import io.rapport.versioning.v1.TrainingDataset;
import java.util.UUID;

/** A dataset as it is stored. */
record Dataset(UUID id, TrainingDataset proto, long revision, long sourcesRevision) {
  String type() {
    return proto.getDatasetType();
  }
}
