package io.rapport.versioning.dataset;

import io.rapport.versioning.v1.CategoryCount;
import io.rapport.versioning.v1.CategorySummary;
import io.rapport.versioning.v1.NumberSummary;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Two histograms over the same bins. Both have values. */
record Distributions(List<Long> baseline, List<Long> current) {
  /** Those of numbers; empty if they can't be compared. */
  static Optional<Distributions> of(NumberSummary baseline, NumberSummary current) {
    return baseline.getEdgesList().equals(current.getEdgesList())
        ? of(baseline.getCountsList(), current.getCountsList())
        : Optional.empty();
  }

  /**
   * Those of categories: those that both have among their most frequent are bins, all others
   * together are one.
   */
  static Optional<Distributions> of(CategorySummary baseline, CategorySummary current) {
    Map<String, Long> before = counts(baseline);
    Map<String, Long> now = counts(current);
    List<Long> baselineBins = new ArrayList<>();
    List<Long> currentBins = new ArrayList<>();
    long baselineRest = baseline.getCount();
    long currentRest = current.getCount();
    for (Map.Entry<String, Long> category : before.entrySet()) {
      Long count = now.get(category.getKey());
      // Whether a category that isn't told is there at all, only a complete list tells.
      if (count != null || current.getRestCount() == 0) {
        baselineBins.add(category.getValue());
        currentBins.add(count == null ? 0 : count);
        baselineRest -= category.getValue();
        currentRest -= count == null ? 0 : count;
      }
    }
    for (Map.Entry<String, Long> category : now.entrySet()) {
      if (!before.containsKey(category.getKey()) && baseline.getRestCount() == 0) {
        baselineBins.add(0L);
        currentBins.add(category.getValue());
        currentRest -= category.getValue();
      }
    }
    if (baselineRest + currentRest > 0) {
      baselineBins.add(baselineRest);
      currentBins.add(currentRest);
    }
    return of(baselineBins, currentBins);
  }

  private static Map<String, Long> counts(CategorySummary summary) {
    Map<String, Long> counts = new LinkedHashMap<>();
    for (CategoryCount category : summary.getTopList()) {
      counts.put(category.getValue(), category.getCount());
    }
    return counts;
  }

  private static Optional<Distributions> of(List<Long> baseline, List<Long> current) {
    return sum(baseline) == 0 || sum(current) == 0
        ? Optional.empty()
        : Optional.of(new Distributions(List.copyOf(baseline), List.copyOf(current)));
  }

  long baselineSum() {
    return sum(baseline);
  }

  long currentSum() {
    return sum(current);
  }

  private static long sum(List<Long> counts) {
    return counts.stream().mapToLong(Long::longValue).sum();
  }

  /**
   * The population stability index: the sum of (c - b) * ln(c / b) over all bins, where b and c are
   * shares; an empty bin counts as half a value. See Siddiqi, Credit Risk Scorecards, 2006.
   */
  double populationStabilityIndex() {
    double baselineSum = baselineSum();
    double currentSum = currentSum();
    double index = 0;
    for (int i = 0; i < baseline.size(); i++) {
      if (baseline.get(i) + current.get(i) > 0) {
        double b = Math.max(baseline.get(i), 0.5) / baselineSum;
        double c = Math.max(current.get(i), 0.5) / currentSum;
        index += (c - b) * Math.log(c / b);
      }
    }
    return index;
  }

  /**
   * The statistic of Kolmogorov and Smirnov at the edges of the bins: the greatest difference
   * between the cumulative distributions. Only bins with an order have it.
   */
  double kolmogorovSmirnov() {
    double[] b = shares(baseline);
    double[] c = shares(current);
    double difference = 0;
    double greatest = 0;
    for (int i = 0; i < b.length; i++) {
      difference += c[i] - b[i];
      greatest = Math.max(greatest, Math.abs(difference));
    }
    return Math.min(greatest, 1);
  }

  /**
   * The divergence of Jensen and Shannon to base 2: H((b + c) / 2) - (H(b) + H(c)) / 2. See Lin,
   * Divergence measures based on the Shannon entropy, 1991.
   */
  double jensenShannon() {
    double[] b = shares(baseline);
    double[] c = shares(current);
    double[] middle = new double[b.length];
    for (int i = 0; i < b.length; i++) {
      middle[i] = (b[i] + c[i]) / 2;
    }
    return Math.clamp(entropy(middle) - (entropy(b) + entropy(c)) / 2, 0, 1);
  }

  private static double[] shares(List<Long> counts) {
    double sum = sum(counts);
    return counts.stream().mapToDouble(count -> count / sum).toArray();
  }

  private static double entropy(double[] shares) {
    double entropy = 0;
    for (double share : shares) {
      entropy -= share > 0 ? share * Math.log(share) / Math.log(2) : 0;
    }
    return entropy;
  }
}
