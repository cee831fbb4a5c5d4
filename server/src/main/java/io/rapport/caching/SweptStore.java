package io.rapport.caching;

import io.rapport.platform.TenantDb;
import java.time.Duration;
import java.util.UUID;
import org.jooq.impl.DSL;

/** What is too old to be kept of all tenants, in PostgreSQL. */
final class SweptStore {
  private static final int CHUNK = 500;

  /** Entries that somebody is about to put anew are left alone, and so are those of others. */
  private static final String REMOVE =
      """
      WITH old AS (
        SELECT tenant_id, id FROM caching.entries
         WHERE expires_at < now() - {0} * interval '1 second'
         ORDER BY expires_at LIMIT {1} FOR UPDATE SKIP LOCKED
      ), used AS (
        DELETE FROM caching.entry_usage u USING old
         WHERE u.tenant_id = old.tenant_id AND u.entry_id = old.id
      ), removed AS (
        DELETE FROM caching.entries e USING old
         WHERE e.tenant_id = old.tenant_id AND e.id = old.id RETURNING 1
      ), leases AS (
        DELETE FROM caching.leases WHERE expires_at < now() - interval '1 hour' RETURNING 1
      )
      SELECT (SELECT count(*) FROM removed) FROM set_config('synchronous_commit', 'off', true)
       WHERE (SELECT count(*) FROM leases) >= 0
      """;

  private static final UUID NOBODY = new UUID(0, 0);

  private final TenantDb system;

  SweptStore(TenantDb system) {
    this.system = system;
  }

  /** Removes some; false if there are no more. */
  boolean remove(Duration age) {
    long removed =
        system.write(
            NOBODY,
            tx ->
                tx.fetchSingle(REMOVE, DSL.val(age.toSeconds()), DSL.val(CHUNK))
                    .get(0, Long.class));
    return removed == CHUNK;
  }
}
