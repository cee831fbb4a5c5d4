package io.rapport.caching;

import io.rapport.caching.v1.Question;

/** What a question's vector must be like. */
final class Questions {
  static final String NO_DIRECTION = "must have a length from 1e-15 to 1e15";

  private static final double SHORTEST = 1e-15;
  private static final double LONGEST = 1e15;

  private Questions() {}

  /** Whether angles to it can be told: PostgreSQL computes with float4. */
  static boolean hasDirection(Question question) {
    double sum = 0;
    for (float value : question.getEmbeddingList()) {
      sum += (double) value * value;
    }
    double length = Math.sqrt(sum);
    return length >= SHORTEST && length <= LONGEST;
  }
}
