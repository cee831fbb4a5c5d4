package io.rapport.monitoring.alert;

import java.util.Arrays;

/**
 * How far a value lies from the median, in units of the median absolute deviation (Iglewicz and
 * Hoaglin, How to Detect and Handle Outliers, 1993). If more than half of the values are the same,
 * that deviation is 0, and the mean one takes its place.
 */
final class RobustZScore {
  /** The 0.75 quantile of the standard normal distribution. */
  private static final double OF_MEDIAN = 0.6745;

  /** The mean absolute deviation of the standard normal distribution. */
  private static final double OF_MEAN = 0.797885;

  private final double median;
  private final double perUnit;

  RobustZScore(double[] values) {
    this.median = median(values);
    double[] deviations = Arrays.stream(values).map(it -> Math.abs(it - median)).toArray();
    double ofMedian = median(deviations);
    double ofMean = Arrays.stream(deviations).average().orElse(0);
    this.perUnit = ofMedian > 0 ? OF_MEDIAN / ofMedian : OF_MEAN / ofMean;
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : sorted[middle - 1] / 2 + sorted[middle] / 2;
  }

  /** The distance; infinite of another value if all values are the same. */
  double of(double value) {
    return value == median ? 0 : Math.abs(value - median) * perUnit;
  }

  /** The same from 0 to -1, the more anomalous the less; -0.5 at the threshold. */
  double score(double value, double threshold) {
    double z = of(value);
    return Double.isInfinite(z) ? -1 : -z / (z + threshold);
  }
}
