package io.rapport.platform.watch;

import io.rapport.platform.TenantDb;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/**
 * Deletes what is too old to be kept, as the system role, in transactions that are small and don't
 * wait for their commit to reach the disk: what a crash undoes is done again.
 */
final class SweepStore {
  /** Of two servers, one sweeps. */
  private static final String TURN =
      """
      SELECT pg_try_advisory_xact_lock(hashtextextended('platform.sweep', 0)),
        set_config('synchronous_commit', 'off', true)
      """;

  private static final String TENANTS =
      """
      SELECT h.tenant_id FROM platform.tenant_heads h
       WHERE h.tenant_id > {0} AND h.position > h.trimmed_to
         AND EXISTS (
           SELECT FROM platform.change_log c
            WHERE c.tenant_id = h.tenant_id AND c.position = h.trimmed_to + 1
              AND c.changed_at < now() - {1} * interval '1 second')
       ORDER BY h.tenant_id LIMIT 100
      """;

  /** Up to where whole commits are too old, and how much may be deleted at once. */
  private static final String OLD =
      """
      SELECT LEAST(h.position, h.trimmed_to + {2}, (
          SELECT min(c.position) - 1 FROM platform.change_log c
           WHERE c.tenant_id = {0} AND c.position > h.trimmed_to
             AND c.position <= h.trimmed_to + {2}
             AND c.changed_at >= now() - {1} * interval '1 second'))
        FROM platform.tenant_heads h WHERE h.tenant_id = {0} AND h.position > h.trimmed_to
      """;

  private static final String DELETE =
      "DELETE FROM platform.change_log WHERE tenant_id = {0} AND position <= {1}";

  /** Last, because writers wait for the tenant's head. */
  private static final String TRIM =
      """
      UPDATE platform.tenant_heads SET trimmed_to = {1} WHERE tenant_id = {0} AND trimmed_to < {1}
      """;

  private static final String REQUESTS =
      """
      DELETE FROM platform.requests r
       USING (
         SELECT tenant_id, subject, request_id FROM platform.requests
          WHERE created_at < now() - {0} * interval '1 second'
          ORDER BY created_at LIMIT {1}) old
       WHERE r.tenant_id = old.tenant_id AND r.subject = old.subject
         AND r.request_id = old.request_id
      """;

  private static final UUID NOBODY = new UUID(0, 0);

  private final TenantDb system;

  /**
   * @param system the database as the system role sees it
   */
  SweepStore(TenantDb system) {
    this.system = system;
  }

  /** Tenants with entries that are older, by id, after one. */
  List<UUID> tenants(@Nullable UUID after, Duration age) {
    UUID from = after == null ? NOBODY : after;
    return system.read(
        NOBODY,
        dsl -> dsl.fetch(TENANTS, DSL.val(from), DSL.val(age.toSeconds())).into(UUID.class));
  }

  /** Deletes old entries of a tenant, of so many commits at most; false if there were none left. */
  boolean trim(UUID tenant, Duration age, int commits) {
    return system.write(
        NOBODY,
        tx -> {
          Long upTo = isOurTurn(tx) ? old(tx, tenant, age, commits) : null;
          if (upTo == null || tx.execute(DELETE, DSL.val(tenant), DSL.val(upTo)) == 0) {
            return false;
          }
          tx.execute(TRIM, DSL.val(tenant), DSL.val(upTo));
          return true;
        });
  }

  private static @Nullable Long old(DSLContext tx, UUID tenant, Duration age, int commits) {
    return tx.fetchOptional(OLD, DSL.val(tenant), DSL.val(age.toSeconds()), DSL.val((long) commits))
        .map(row -> row.get(0, Long.class))
        .orElse(null);
  }

  /** Deletes some old answers; false if there were none left. */
  boolean forgetRequests(Duration age, int most) {
    return system.write(
        NOBODY,
        tx ->
            isOurTurn(tx) && tx.execute(REQUESTS, DSL.val(age.toSeconds()), DSL.val(most)) == most);
  }

  private static boolean isOurTurn(DSLContext tx) {
    return tx.fetchSingle(TURN).get(0, Boolean.class);
  }
}
