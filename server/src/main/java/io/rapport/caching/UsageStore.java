package io.rapport.caching;

import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;

/** How entries were used, in PostgreSQL. */
final class UsageStore {
  /** How an entry was used. */
  record Used(UUID entry, long hits, long accesses, double savedMillis, Instant last) {}

  /** Adds to what was counted before. */
  int add(DSLContext dsl, UUID tenant, List<Used> used) {
    List<Used> sorted = used.stream().sorted(Comparator.comparing(Used::entry)).toList();
    return dsl.execute(
        """
        INSERT INTO caching.entry_usage AS u
          (tenant_id, entry_id, hit_count, access_count, saved_ms, last_accessed)
        SELECT {0}, i.* FROM unnest({1}::uuid[], {2}::bigint[], {3}::bigint[],
          {4}::double precision[], {5}::timestamptz[]) i
        ON CONFLICT (tenant_id, entry_id) DO UPDATE SET
          hit_count = u.hit_count + excluded.hit_count,
          access_count = u.access_count + excluded.access_count,
          saved_ms = u.saved_ms + excluded.saved_ms,
          last_accessed = GREATEST(u.last_accessed, excluded.last_accessed)
        """,
        DSL.val(tenant),
        DSL.val(sorted.stream().map(Used::entry).toArray(UUID[]::new)),
        DSL.val(sorted.stream().map(Used::hits).toArray(Long[]::new)),
        DSL.val(sorted.stream().map(Used::accesses).toArray(Long[]::new)),
        DSL.val(sorted.stream().map(Used::savedMillis).toArray(Double[]::new)),
        DSL.val(sorted.stream().map(it -> it.last().toString()).toArray(String[]::new)));
  }

  Optional<Used> find(DSLContext dsl, UUID tenant, UUID entry) {
    return dsl
        .fetch(
            """
            SELECT hit_count, access_count, saved_ms, last_accessed FROM caching.entry_usage
             WHERE tenant_id = {0} AND entry_id = {1}
            """,
            DSL.val(tenant), DSL.val(entry))
        .stream()
        .findFirst()
        .map(row ->
            new Used(
                entry,
                row.get(0, Long.class),
                row.get(1, Long.class),
                row.get(2, Double.class),
                row.get(3, Instant.class)));
  }
}
