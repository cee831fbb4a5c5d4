package io.rapport.caching;

import io.rapport.platform.TenantDb;
import java.time.Duration;
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

  private static final UUID NOBODY = new UUID(0, 0);

  private final TenantDb system;

  SweptStore(TenantDb system) {
    this.system = system;
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
