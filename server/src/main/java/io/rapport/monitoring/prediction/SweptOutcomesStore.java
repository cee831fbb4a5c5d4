package io.rapport.monitoring.prediction;

import io.rapport.platform.TenantDb;
import java.util.UUID;
import org.jooq.impl.DSL;

/** Outcomes of all tenants whose predictions haven't come, in PostgreSQL. */
final class SweptOutcomesStore {
  private static final int CHUNK = 500;
  private static final UUID NOBODY = new UUID(0, 0);

  private static final String REMOVE =
      """
      DELETE FROM monitoring.pending_outcomes p USING (
        SELECT tenant_id, prediction_id FROM monitoring.pending_outcomes
         WHERE created_at < now() - interval '30 days' ORDER BY created_at LIMIT {0}) AS old
       WHERE p.tenant_id = old.tenant_id AND p.prediction_id = old.prediction_id
         AND p.created_at < now() - interval '30 days'
      """;

  private final TenantDb system;

  SweptOutcomesStore(TenantDb system) {
    this.system = system;
  }

  /** Removes some; false if there are no more. */
  boolean remove() {
    return system.write(NOBODY, tx -> tx.execute(REMOVE, DSL.val(CHUNK)) == CHUNK);
  }
}
