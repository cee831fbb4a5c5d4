package io.rapport.versioning.dataset;

import io.rapport.versioning.v1.DataQualityMetrics;
import io.rapport.versioning.v1.DatasetDrift;
import io.rapport.versioning.v1.DatasetDrift.Verdict;
import io.rapport.versioning.v1.FeatureDrift;
import io.rapport.versioning.v1.FieldQuality;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/** How the features of two assessments differ. */
final class Drift {
  private static final double MODERATE = 0.1;
  private static final double SIGNIFICANT = 0.25;

  private Drift() {}

  static DatasetDrift between(DataQualityMetrics baseline, DataQualityMetrics current) {
    SortedMap<String, FieldQuality> before = fields(baseline);
    SortedMap<String, FieldQuality> now = fields(current);
    DatasetDrift.Builder drift =
        DatasetDrift.newBuilder().setBaselineId(baseline.getId()).setCurrentId(current.getId());
    for (Map.Entry<String, FieldQuality> field : before.entrySet()) {
      FieldQuality other = now.get(field.getKey());
      if (other == null) {
        drift.addLostFeatures(field.getKey());
      } else {
        FeatureDrift feature = between(field.getValue(), other);
        drift.addFeatures(feature);
        drift.setVerdictValue(Math.max(drift.getVerdictValue(), feature.getVerdictValue()));
      }
    }
    TreeSet<String> added = new TreeSet<>(now.keySet());
    added.removeAll(before.keySet());
    return drift.addAllNewFeatures(added).build();
  }

  private static SortedMap<String, FieldQuality> fields(DataQualityMetrics metrics) {
    SortedMap<String, FieldQuality> fields = new TreeMap<>();
    metrics.getFieldsList().forEach(field -> fields.put(field.getName(), field));
    return fields;
  }

  private static FeatureDrift between(FieldQuality baseline, FieldQuality current) {
    boolean numeric = baseline.hasNumbers() && current.hasNumbers();
    Optional<Distributions> both =
        numeric
            ? Distributions.of(baseline.getNumbers(), current.getNumbers())
            : Distributions.of(baseline.getCategories(), current.getCategories());
    FeatureDrift.Builder drift =
        FeatureDrift.newBuilder()
            .setName(baseline.getName())
            .setBaselineType(baseline.getValueType())
            .setCurrentType(current.getValueType())
            .setBaselineMissing(missing(baseline))
            .setCurrentMissing(missing(current));
    both.ifPresent(it -> measure(it, numeric, drift));
    if (isOfAnotherType(baseline, current)) {
      drift.setVerdict(Verdict.SIGNIFICANT);
    }
    return drift.build();
  }

  private static boolean isOfAnotherType(FieldQuality baseline, FieldQuality current) {
    return baseline.getPopulatedCount() > 0
        && current.getPopulatedCount() > 0
        && baseline.getValueType() != current.getValueType();
  }

  private static void measure(Distributions both, boolean numeric, FeatureDrift.Builder drift) {
    double index = both.populationStabilityIndex();
    drift
        .setPopulationStabilityIndex(index)
        .setJensenShannon(both.jensenShannon())
        .setVerdict(verdict(index))
        .setBaselineCount(both.baselineSum())
        .setCurrentCount(both.currentSum());
    if (numeric) {
      drift.setKolmogorovSmirnov(both.kolmogorovSmirnov());
    }
  }

  static Verdict verdict(double index) {
    if (index > SIGNIFICANT) {
      return Verdict.SIGNIFICANT;
    }
    return index > MODERATE ? Verdict.MODERATE : Verdict.NONE;
  }

  private static double missing(FieldQuality field) {
    long cells = field.getPopulatedCount() + field.getMissingCount();
    return cells == 0 ? 0 : (double) field.getMissingCount() / cells;
  }
}
