package io.rapport.versioning.dataset;

import io.rapport.versioning.v1.QualityTrend.Direction;

/** Which way figures go. */
record Trend(double slope, Direction direction) {
  private static final double NOTABLE = 0.02;
  private static final double TINY = 1e-12;

  /**
   * By the line with the least squares of distances through figures at 0, 1, 2 …: its slope is
   * sum((i - mean(i)) * (q - mean(q))) / sum((i - mean(i))^2).
   */
  static Trend of(double... figures) {
    int n = figures.length;
    if (n < 2) {
      return new Trend(0, Direction.DIRECTION_UNSPECIFIED);
    }
    double middle = (n - 1) / 2.0;
    double above = 0;
    double below = 0;
    for (int i = 0; i < n; i++) {
      above += (i - middle) * figures[i];
      below += (i - middle) * (i - middle);
    }
    double slope = above / below;
    double change = slope * (n - 1);
    return new Trend(slope, direction(change));
  }

  private static Direction direction(double change) {
    if (Math.abs(change) < NOTABLE - TINY) {
      return Direction.STABLE;
    }
    return change > 0 ? Direction.IMPROVING : Direction.DEGRADING;
  }
}
