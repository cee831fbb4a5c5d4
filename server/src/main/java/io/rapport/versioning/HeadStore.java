package io.rapport.versioning;

import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;

/** The number of a tenant's last commit, in PostgreSQL. */
public final class HeadStore {
  /** No commit comes before this transaction has ended. 0 if there was none yet. */
  public long lock(DSLContext tx, UUID tenant) {
    return tx
        .fetch(
            "SELECT position FROM platform.tenant_heads WHERE tenant_id = {0} FOR UPDATE",
            DSL.val(tenant))
        .stream()
        .findFirst()
        .map(row -> row.get(0, Long.class))
        .orElse(0L);
  }
}
