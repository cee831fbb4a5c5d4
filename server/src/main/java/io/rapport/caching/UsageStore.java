package io.rapport.caching;

import io.rapport.platform.Uuids;
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
  record Used(UUID entry, long hits, long accesses, double savedMillis, Instant last) {
    static Used none(UUID entry) {
      return new Used(entry, 0, 0, 0, Instant.EPOCH);
    }

    Used read(boolean hit, double saved, Instant time) {
      return new Used(entry, hits + (hit ? 1 : 0), accesses + 1, savedMillis + saved, time);
    }
  }

  /** How the entries of a type were used. */
  record Total(
      String cache,
      String type,
      long hits,
      long staleHits,
      long misses,
      long puts,
      long leasesTaken,
      long leasesLost,
      double generationMillis,
      double savedMillis) {
    static Total none(String cache, String type) {
      return new Total(cache, type, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    Total read(boolean hit, boolean stale, double saved) {
      return new Total(
          cache,
          type,
          hits + (hit ? 1 : 0),
          staleHits + (hit && stale ? 1 : 0),
          misses + (hit ? 0 : 1),
          puts,
          leasesTaken,
          leasesLost,
          generationMillis,
          savedMillis + saved);
    }

    Total put(double millis) {
      return with(puts + 1, leasesTaken, leasesLost, generationMillis + millis);
    }

    Total leaseTaken() {
      return with(puts, leasesTaken + 1, leasesLost, generationMillis);
    }

    Total leaseLost() {
      return with(puts, leasesTaken, leasesLost + 1, generationMillis);
    }

    private Total with(long newPuts, long taken, long lost, double millis) {
      return new Total(
          cache, type, hits, staleHits, misses, newPuts, taken, lost, millis, savedMillis);
    }
  }

  private static final String ADD_TOTAL =
      """
      INSERT INTO caching.type_usage AS u (tenant_id, cache, entry_type, hits, stale_hits, misses,
        puts, leases_taken, leases_lost, generation_ms, saved_ms)
      VALUES ({0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}, {9}, {10})
      ON CONFLICT (tenant_id, cache, entry_type) DO UPDATE SET hits = u.hits + excluded.hits,
        stale_hits = u.stale_hits + excluded.stale_hits, misses = u.misses + excluded.misses,
        puts = u.puts + excluded.puts, leases_taken = u.leases_taken + excluded.leases_taken,
        leases_lost = u.leases_lost + excluded.leases_lost,
        generation_ms = u.generation_ms + excluded.generation_ms,
        saved_ms = u.saved_ms + excluded.saved_ms
      """;

  /** Adds to what was counted of types before, in the order of their names. */
  int addTotals(DSLContext tx, UUID tenant, List<Total> totals) {
    totals.stream()
        .sorted(Comparator.comparing(Total::cache).thenComparing(Total::type))
        .forEach(it ->
            tx.execute(
                ADD_TOTAL,
                DSL.val(tenant),
                DSL.val(it.cache()),
                DSL.val(it.type()),
                DSL.val(it.hits()),
                DSL.val(it.staleHits()),
                DSL.val(it.misses()),
                DSL.val(it.puts()),
                DSL.val(it.leasesTaken()),
                DSL.val(it.leasesLost()),
                DSL.val(it.generationMillis()),
                DSL.val(it.savedMillis())));
    return totals.size();
  }

  /** How the entries of each type were used. */
  List<Total> totals(DSLContext dsl, UUID tenant) {
    return dsl.fetch(
            """
            SELECT cache, entry_type, hits, stale_hits, misses, puts, leases_taken, leases_lost,
              generation_ms, saved_ms
              FROM caching.type_usage WHERE tenant_id = {0} ORDER BY cache, entry_type
            """,
            DSL.val(tenant))
        .map(row ->
            new Total(
                row.get(0, String.class),
                row.get(1, String.class),
                row.get(2, Long.class),
                row.get(3, Long.class),
                row.get(4, Long.class),
                row.get(5, Long.class),
                row.get(6, Long.class),
                row.get(7, Long.class),
                row.get(8, Double.class),
                row.get(9, Double.class)));
  }

  /** Adds to what was counted of entries before. */
  int addUsed(DSLContext dsl, UUID tenant, List<Used> used) {
    List<Used> sorted =
        used.stream().sorted(Comparator.comparing(Used::entry, Uuids.ORDER)).toList();
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
