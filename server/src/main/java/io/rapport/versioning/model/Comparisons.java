package io.rapport.versioning.model;

import com.google.protobuf.Value;
import io.rapport.versioning.v1.CompareModelVersionsResponse;
import io.rapport.versioning.v1.CompareModelVersionsResponse.Comparison;
import io.rapport.versioning.v1.ModelVersion;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Lays the figures of versions side by side. */
final class Comparisons {
  private Comparisons() {}

  static CompareModelVersionsResponse of(List<ModelVersion> versions) {
    Map<String, Map<ModelVersion, Double>> metrics = new TreeMap<>();
    for (ModelVersion version : versions) {
      figures(version)
          .forEach((name, value) ->
              metrics.computeIfAbsent(name, it -> new LinkedHashMap<>()).put(version, value));
    }
    CompareModelVersionsResponse.Builder answer = CompareModelVersionsResponse.newBuilder();
    versions.forEach(version -> answer.addModelVersions(version.toBuilder().clearModelMetadata()));
    metrics.forEach(
        (name, values) -> answer.addComparisons(comparison(name, values, versions.getFirst())));
    return answer.build();
  }

  private static Map<String, Double> figures(ModelVersion version) {
    Map<String, Double> figures = new TreeMap<>();
    if (version.hasValidationScore()) {
      figures.put("validation_score", version.getValidationScore());
    }
    if (version.hasPerformanceBaseline()) {
      figures.put("performance_baseline", version.getPerformanceBaseline());
    }
    if (version.hasPerformanceCurrent()) {
      figures.put("performance_current", version.getPerformanceCurrent());
    }
    if (version.hasDataQualityScore()) {
      figures.put("data_quality_score", version.getDataQualityScore());
    }
    figures.put("training_data_size", (double) version.getTrainingDataSize());
    version
        .getPerformanceMetrics()
        .getFieldsMap()
        .forEach((name, value) -> {
          if (value.getKindCase() == Value.KindCase.NUMBER_VALUE) {
            figures.put("metrics." + name, value.getNumberValue());
          }
        });
    return figures;
  }

  private static Comparison comparison(
      String metric, Map<ModelVersion, Double> values, ModelVersion first) {
    Comparison.Builder comparison = Comparison.newBuilder().setMetric(metric);
    Double base = values.get(first);
    values.forEach((version, value) -> {
      var figure = comparison.addValuesBuilder().setModelVersionId(version.getId()).setValue(value);
      if (base != null) {
        figure.setDifference(value - base);
      }
    });
    return comparison.build();
  }
}
