package io.rapport.bench;

import java.util.Arrays;
import java.util.Random;

/** Numbers below a bound, of which the i-th comes up in proportion to 1 / i^s. */
final class Zipf {
  private final double[] upTo;

  Zipf(int bound, double s) {
    upTo = new double[bound];
    double sum = 0;
    for (int i = 0; i < bound; i++) {
      sum += Math.pow(i + 1.0, -s);
      upTo[i] = sum;
    }
  }

  int next(Random random) {
    int found = Arrays.binarySearch(upTo, random.nextDouble() * upTo[upTo.length - 1]);
    return found < 0 ? -found - 1 : found;
  }
}
