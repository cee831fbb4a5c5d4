package io.rapport.caching;

import io.rapport.caching.v1.CacheKey;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jooq.DSLContext;

/** How long entries live that don't say so. */
final class Lifetimes {
  private static final Duration SPENDING = Duration.ofHours(24);
  private static final Duration GOAL = Duration.ofDays(7);
  private static final Duration RECOMMENDATION = Duration.ofHours(1);
  private static final Duration ANALYSIS = Duration.ofHours(24);

  private final LifetimeStore store;

  /** A lifetime, and when in it an entry becomes stale. */
  record Lifetime(long micros, long refreshMicros) {}

  Lifetimes(LifetimeStore store) {
    this.store = store;
  }

  /** What the tenant says of entries like this, or what holds by itself. */
  Lifetime of(DSLContext dsl, UUID tenant, EntryKey key) {
    return store
        .find(dsl, tenant, key.cache(), key.type())
        .orElseGet(() -> until(TimeUnit.SECONDS.toMicros(builtIn(key.key()).toSeconds())));
  }

  /** A lifetime that doesn't say when the entry is stale. */
  static Lifetime until(long micros) {
    return new Lifetime(micros, micros / 2);
  }

  private static Duration builtIn(CacheKey key) {
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
