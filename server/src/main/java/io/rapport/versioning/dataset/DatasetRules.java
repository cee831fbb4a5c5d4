package io.rapport.versioning.dataset;

import static io.rapport.platform.ServiceException.violation;

import com.google.protobuf.Value;
import com.google.rpc.BadRequest.FieldViolation;
import io.grpc.Status.Code;
import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.versioning.v1.DatasetSource;
import io.rapport.versioning.v1.QualityWeights;
import io.rapport.versioning.v1.SourceCondition;
import io.rapport.versioning.v1.TrainingDataset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What a dataset must be like beyond the rules of the contract, and what it has by default. */
final class DatasetRules {
  static final double QUALITY_BOUND = 0.7;
  static final long SAMPLE_SIZE = 1000;
  static final QualityWeights WEIGHTS =
      QualityWeights.newBuilder().setCompleteness(0.4).setConsistency(0.3).setValidity(0.3).build();

  private static final String FIELD = "training_dataset.";
  private static final double CLOSE = 1e-9;
  private static final double EXACT = 1L << 53;

  private final List<FieldViolation> violations = new ArrayList<>();

  private DatasetRules() {}

  /** The dataset with its defaults; throws with all that is wrong. */
  static TrainingDataset whole(TrainingDataset dataset) {
    TrainingDataset.Builder whole = dataset.toBuilder();
    if (!dataset.hasQualityBound()) {
      whole.setQualityBound(QUALITY_BOUND);
    }
    if (!dataset.hasWeights()) {
      whole.setWeights(WEIGHTS);
    }
    if (!dataset.hasSampleSize()) {
      whole.setSampleSize(SAMPLE_SIZE);
    }
    new DatasetRules().check(whole.build());
    List<DatasetSource> sources = new ArrayList<>(dataset.getSourcesList());
    sources.sort(Comparator.comparing(DatasetSource::getEventType));
    return whole.clearSources().addAllSources(sources).build();
  }

  /** What was done with a dataset doesn't fit what it is by now. */
  static ServiceException changedMeanwhile(Dataset dataset) {
    return ServiceException.of(
            Code.ABORTED, ErrorReason.TX_CONFLICT, "the dataset was changed meanwhile; repeat")
        .with("id", dataset.id().toString());
  }

  private void check(TrainingDataset dataset) {
    require(!dataset.getDatasetType().isEmpty(), "dataset_type", "is required");
    require(dataset.getThreshold() > 0, "threshold", "must be 1 or more");
    QualityWeights weights = dataset.getWeights();
    double sum = weights.getCompleteness() + weights.getConsistency() + weights.getValidity();
    require(Math.abs(sum - 1) <= CLOSE, "weights", "must add up to 1");
    Set<String> types = new HashSet<>();
    for (int i = 0; i < dataset.getSourcesCount(); i++) {
      DatasetSource source = dataset.getSources(i);
      String path = "sources[" + i + "]";
      require(
          types.add(source.getEventType()),
          path + ".event_type",
          "has a source already; give one source all conditions");
      for (int j = 0; j < source.getConditionsCount(); j++) {
        check(source.getConditions(j), path + ".conditions[" + j + "]");
      }
    }
    if (!violations.isEmpty()) {
      throw ServiceException.invalid(ErrorReason.INVALID_FIELD, violations);
    }
  }

  private void check(SourceCondition condition, String path) {
    for (int i = 0; i < condition.getValuesCount(); i++) {
      Value value = condition.getValues(i);
      boolean comparable =
          switch (value.getKindCase()) {
            case STRING_VALUE, BOOL_VALUE -> true;
            case NUMBER_VALUE -> Math.abs(value.getNumberValue()) < EXACT;
            case NULL_VALUE, STRUCT_VALUE, LIST_VALUE, KIND_NOT_SET -> false;
          };
      require(
          comparable,
          path + ".values[" + i + "]",
          "must be a text, a boolean, or a number between -2^53 and 2^53");
    }
  }

  private void require(boolean holds, String path, String description) {
    if (!holds) {
      violations.add(violation(FIELD + path, ErrorReason.INVALID_FIELD, description));
    }
  }
}
