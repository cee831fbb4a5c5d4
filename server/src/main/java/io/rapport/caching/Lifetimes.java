package io.rapport.caching;

import io.rapport.caching.v1.CacheKey;
import java.time.Duration;

/** How long entries live that don't say so. */
final class Lifetimes {
  private static final Duration SPENDING = Duration.ofHours(24);
  private static final Duration GOAL = Duration.ofDays(7);
  private static final Duration RECOMMENDATION = Duration.ofHours(1);
  private static final Duration ANALYSIS = Duration.ofHours(24);

  private Lifetimes() {}

  static Duration of(CacheKey key) {
    if (!key.hasPrediction()) {
      return ANALYSIS;
    }
    return switch (key.getPrediction().getType()) {
      case SPENDING -> SPENDING;
      case GOAL -> GOAL;
      case RECOMMENDATION, TYPE_UNSPECIFIED, UNRECOGNIZED -> RECOMMENDATION;
    };
  }
}
