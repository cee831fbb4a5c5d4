package io.rapport.caching;

import io.rapport.platform.TenantDb;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.jooq.impl.DSL;

/** What is too old to be kept of all tenants, in PostgreSQL. */
final class SweptStore {
  private static final int CHUNK = 500;

  /** Of two servers, one sweeps. */
  private static final String TURN =
      """
      SELECT pg_try_advisory_xact_lock(hashtextextended('caching.sweep', 0)),
        set_config('synchronous_commit', 'off', true)
      """;

  /** An entry that is put anew at the same time stays. */
  private static final String REMOVE =
      """
      WITH old AS (
        SELECT tenant_id, id FROM caching.entries
         WHERE expires_at < now() - {0} * interval '1 second' ORDER BY expires_at LIMIT {1}
      ), used AS (
        DELETE FROM caching.entry_usage u USING old
         WHERE u.tenant_id = old.tenant_id AND u.entry_id = old.id
      ), leases AS (
        DELETE FROM caching.leases WHERE expires_at < now() - interval '1 hour'
      )
      DELETE FROM caching.entries e USING old
       WHERE e.tenant_id = old.tenant_id AND e.id = old.id
         AND e.expires_at < now() - {0} * interval '1 second'
      """;

  private static final String FULL =
      """
      SELECT tenant_id, sum(pg_column_size(value))::bigint - {0} FROM caching.entries
       GROUP BY tenant_id HAVING sum(pg_column_size(value)) > {0}
      """;

  private static final String EVICT =
      """
      WITH oldest AS (
        SELECT e.id, pg_column_size(e.value) AS size,
          GREATEST(u.last_accessed, e.updated_at) AS used_at
          FROM caching.entries e
          LEFT JOIN caching.entry_usage u ON u.tenant_id = e.tenant_id AND u.entry_id = e.id
         WHERE e.tenant_id = {0}
         ORDER BY used_at, e.id LIMIT {2}
      ), summed AS (
        SELECT id, size, sum(size) OVER (ORDER BY used_at, id) - size AS before FROM oldest
      ), used AS (
        DELETE FROM caching.entry_usage u USING summed s
         WHERE u.tenant_id = {0} AND u.entry_id = s.id AND s.before < {1}
      ), evicted AS (
        DELETE FROM caching.entries e USING summed s
         WHERE e.tenant_id = {0} AND e.id = s.id AND s.before < {1} RETURNING s.size
      )
      SELECT COALESCE(sum(size), 0)::bigint FROM evicted
      """;

  private static final UUID NOBODY = new UUID(0, 0);

  private final TenantDb system;

  SweptStore(TenantDb system) {
    this.system = system;
  }

  /** The tenants that keep more bytes of values than this, and how many more. */
  Map<UUID, Long> full(long bytes) {
    return system.read(
        NOBODY,
        dsl -> {
          Map<UUID, Long> full = new HashMap<>();
          dsl.fetch(FULL, DSL.val(bytes))
              .forEach(row -> full.put(row.get(0, UUID.class), row.get(1, Long.class)));
          return full;
        });
  }

  /** Removes what a tenant hasn't used for longest; returns how many bytes of values it was. */
  long evict(UUID tenant, long bytes) {
    return system.write(
        NOBODY,
        tx ->
            tx.fetchSingle(TURN).get(0, Boolean.class)
                ? tx.fetchSingle(EVICT, DSL.val(tenant), DSL.val(bytes), DSL.val(CHUNK))
                    .get(0, Long.class)
                : 0L);
  }

  /** Removes some; false if there are no more. */
  boolean remove(Duration age) {
    return system.write(
        NOBODY,
        tx ->
            tx.fetchSingle(TURN).get(0, Boolean.class)
                && tx.execute(REMOVE, DSL.val(age.toSeconds()), DSL.val(CHUNK)) == CHUNK);
  }
}
