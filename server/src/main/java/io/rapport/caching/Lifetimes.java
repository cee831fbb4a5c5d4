package io.rapport.caching;

import io.rapport.caching.v1.CacheKey;
import io.rapport.platform.TenantDb;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jooq.DSLContext;

/** How long entries live that don't say so. */
final class Lifetimes {
  private static final Duration SPENDING = Duration.ofHours(24);
  private static final Duration GOAL = Duration.ofDays(7);
  private static final Duration RECOMMENDATION = Duration.ofHours(1);
  private static final Duration ANALYSIS = Duration.ofHours(24);

  private final TenantDb db;
  private final LifetimeStore store;

  /** A lifetime, and when in it an entry becomes stale. */
  record Lifetime(long micros, long refreshMicros) {}

  Lifetimes(TenantDb db, LifetimeStore store) {
    this.db = db;
    this.store = store;
  }

  /** What the tenant says of entries like this, or what holds by itself. */
  Lifetime of(UUID tenant, EntryKey key) {
    return db.read(tenant, (DSLContext dsl) -> find(dsl, tenant, key))
        .orElseGet(() -> until(TimeUnit.SECONDS.toMicros(builtIn(key.key()).toSeconds())));
  }

  private Optional<Lifetime> find(DSLContext dsl, UUID tenant, EntryKey key) {
    return store.find(dsl, tenant, key.cache(), key.type());
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
