package io.rapport.faults;

import java.util.Random;

/**
 * One run of the tests.
 *
 * @param seed from which everything random follows
 * @param quick minutes rather than hours
 */
record Run(long seed, boolean quick) {
  /** A source of chance of its own for each purpose, the same in each run with this seed. */
  Random random(String purpose) {
    return new Random(seed ^ ((long) purpose.hashCode() << 20));
  }

  int pick(int whenQuick, int otherwise) {
    return quick ? whenQuick : otherwise;
  }
}
