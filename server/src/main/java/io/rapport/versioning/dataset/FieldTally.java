package io.rapport.versioning.dataset;

import java.util.Arrays;

/**
 * What was counted of the cells of one feature.
 *
 * @param arrays to {@code strings}: populated cells of each type
 * @param valid cells that are valid
 */
record FieldTally(
    long arrays, long booleans, long numbers, long objects, long strings, long valid) {
  long populated() {
    return arrays + booleans + numbers + objects + strings;
  }

  long missing(long records) {
    return records - populated();
  }

  /** Populated cells of another type than most are. */
  long mismatches() {
    return populated() - Arrays.stream(byType()).max().orElseThrow();
  }

  /** In the order of the types' names. */
  long[] byType() {
    return new long[] {arrays, booleans, numbers, objects, strings};
  }
}
