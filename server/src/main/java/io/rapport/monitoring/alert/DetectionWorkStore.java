package io.rapport.monitoring.alert;

import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.TenantDb;
import java.util.List;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;

/** What there is to do for the detection, in PostgreSQL. */
final class DetectionWorkStore {
  private static final UUID NOBODY = new UUID(0, 0);

  /** Models that logged since the last run, which is some time ago, or weren't done. */
  private static final String DUE =
      """
      SELECT m.tenant_id, m.model_name FROM monitoring.monitored_models m
        LEFT JOIN monitoring.detection_runs r
          ON r.tenant_id = m.tenant_id AND r.model_name = m.model_name
       WHERE r.tenant_id IS NULL OR r.more
          OR (r.ran_at < now() - interval '60 seconds'
            AND m.logged_at > r.ran_at - interval '3 minutes')
       ORDER BY r.ran_at NULLS FIRST LIMIT 100
      """;

  private static final String TURN =
      """
      SELECT pg_try_advisory_xact_lock(
        hashtextextended('monitoring.detection/' || {0}::text || '/' || {1}, 0))
      """;

  /** How long an alert must have been quiet, by the settings of its model or of all models. */
  private static final String QUIET =
      """
      a.state <> 'RESOLVED' AND a.last_seen_at < now() - make_interval(secs => COALESCE(
        (SELECT s.quiet_seconds FROM monitoring.detection_settings s
          WHERE s.tenant_id = a.tenant_id AND s.model_name = a.model_name AND s.active),
        (SELECT s.quiet_seconds FROM monitoring.detection_settings s
          WHERE s.tenant_id = a.tenant_id AND s.model_name = '*' AND s.active), 86400))
      """;

  private static final String QUIET_TENANTS =
      "SELECT DISTINCT a.tenant_id FROM monitoring.anomaly_alerts a"
          + " WHERE a.last_seen_at < now() - interval '1 minute' AND "
          + QUIET
          + " LIMIT 100";

  private static final String RESOLVE =
      """
      WITH quiet AS (
        SELECT a.id FROM monitoring.anomaly_alerts a
         WHERE a.tenant_id = {0} AND QUIET ORDER BY a.id LIMIT 500 FOR UPDATE SKIP LOCKED
      )
      UPDATE monitoring.anomaly_alerts a
         SET state = 'RESOLVED', resolved_at = now(), resolution = 'quiet', updated_at = now(),
           revision = revision + 1
        FROM quiet WHERE a.tenant_id = {0} AND a.id = quiet.id
      RETURNING a.id, a.revision
      """
          .replace("QUIET", QUIET);

  private final TenantDb system;

  DetectionWorkStore(TenantDb system) {
    this.system = system;
  }

  /** A model whose predictions are to be looked at. */
  record Due(UUID tenant, String model) {}

  List<Due> due() {
    return system.read(
        NOBODY,
        dsl ->
            dsl.fetch(DUE).map(row -> new Due(row.get(0, UUID.class), row.get(1, String.class))));
  }

  /** Whether no other server is at it. */
  boolean takeTurn(DSLContext tx, Due due) {
    return tx.fetchSingle(TURN, DSL.val(due.tenant()), DSL.val(due.model())).get(0, Boolean.class);
  }

  /** Tenants with alerts that have been quiet for long. */
  List<UUID> quietTenants() {
    return system.read(NOBODY, dsl -> dsl.fetch(QUIET_TENANTS).map(row -> row.get(0, UUID.class)));
  }

  /** Resolves those of a tenant; returns what changed. */
  List<Change> resolveQuiet(DSLContext tx, UUID tenant) {
    return tx.fetch(RESOLVE, DSL.val(tenant))
        .map(row ->
            new Change(
                AlertStore.KIND, Op.UPDATED, row.get(0, UUID.class), null, row.get(1, Long.class)));
  }
}
