package io.rapport.monitoring.alert;

import java.util.Arrays;
import java.util.function.DoublePredicate;

/**
 * How far a value lies from the median, in units of the median absolute deviation (Iglewicz and
 * Hoaglin, How to Detect and Handle Outliers, 1993). Each side of the median has a deviation of its
 * own, so that the long tail of skewed values is not taken for outliers (Rosenmai, Using the Median
 * Absolute Deviation to Find Outliers, 2013). If more than half of a side's values are the median,
 * that deviation is 0, and the side's mean one takes its place.
 */
final class RobustZScore {
  /** The 0.75 quantile of the standard normal distribution. */
  private static final double OF_MEDIAN = 0.6745;

  /** The mean absolute deviation of the standard normal distribution. */
  private static final double OF_MEAN = 0.797885;

  private final double median;
  private final double perUnitBelow;
  private final double perUnitAbove;

  RobustZScore(double[] values) {
    this.median = median(values);
    this.perUnitBelow = perUnit(values, it -> it <= median);
    this.perUnitAbove = perUnit(values, it -> it >= median);
  }

  private double perUnit(double[] values, DoublePredicate side) {
    double[] deviations =
        Arrays.stream(values).filter(side).map(it -> Math.abs(it - median)).toArray();
    double ofMedian = median(deviations);
    double ofMean = Arrays.stream(deviations).average().orElse(0);
    return ofMedian > 0 ? OF_MEDIAN / ofMedian : OF_MEAN / ofMean;
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : sorted[middle - 1] / 2 + sorted[middle] / 2;
  }

  /** The distance; infinite of another value if all values on its side are the same. */
  double of(double value) {
    if (value == median) {
      return 0;
    }
    return Math.abs(value - median) * (value < median ? perUnitBelow : perUnitAbove);
  }

  /** The same from 0 to -1, the more anomalous the less; -0.5 at the threshold. */
  double score(double value, double threshold) {
    double z = of(value);
    return Double.isInfinite(z) ? -1 : -z / (z + threshold);
  }
}
