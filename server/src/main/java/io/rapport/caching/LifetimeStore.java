package io.rapport.caching;

import static io.rapport.db.generated.caching.Tables.CACHE_LIFETIMES;

import io.rapport.caching.Lifetimes.Lifetime;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/** Tenants' own lifetimes, in PostgreSQL. */
final class LifetimeStore {
  Optional<Lifetime> find(DSLContext dsl, UUID tenant, String cache, String type) {
    return dsl.select(CACHE_LIFETIMES.LIFETIME_SECONDS, CACHE_LIFETIMES.REFRESH_SECONDS)
        .from(CACHE_LIFETIMES)
        .where(
            CACHE_LIFETIMES.TENANT_ID.eq(tenant),
            CACHE_LIFETIMES.CACHE.eq(cache),
            CACHE_LIFETIMES.ENTRY_TYPE.eq(type),
            CACHE_LIFETIMES.ACTIVE.isTrue())
        .fetchOptional(row -> lifetime(row.value1(), row.value2()));
  }

  private static Lifetime lifetime(long seconds, @Nullable Long refreshSeconds) {
    long micros = TimeUnit.SECONDS.toMicros(seconds);
    return refreshSeconds == null
        ? Lifetimes.until(micros)
        : new Lifetime(micros, TimeUnit.SECONDS.toMicros(refreshSeconds));
  }
}
