package io.rapport.caching;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** What has changed lately, as servers ask for it. */
final class NearStore {
  private static final int MOST = 20_000;

  /**
   * What changed after a commit.
   *
   * @param marks the marks, and the commits that changed them last
   * @param entries the entries that were put or invalidated
   */
  record Changes(Map<UUID, Long> marks, List<UUID> entries) {}

  /** The numbers of the tenants' last commits. */
  Map<UUID, Long> heads(DSLContext system, Collection<UUID> tenants) {
    Map<UUID, Long> heads = new HashMap<>();
    system
        .fetch(
            "SELECT tenant_id, position FROM platform.tenant_heads WHERE tenant_id = ANY ({0})",
            DSL.val(tenants.toArray(UUID[]::new)))
        .forEach(row -> heads.put(row.get(0, UUID.class), row.get(1, Long.class)));
    return heads;
  }

  /** What changed after a commit; null if it is too much, or no longer kept. */
  @Nullable Changes changes(DSLContext system, UUID tenant, long after) {
    Changes changes = new Changes(new HashMap<>(), new ArrayList<>());
    boolean kept = false;
    int rows = 0;
    for (var row :
        system.fetch(
            """
            SELECT 'KEPT' AS what, tenant_id AS id, 0::bigint AS position
              FROM platform.tenant_heads WHERE tenant_id = {0} AND trimmed_to <= {1}
            UNION ALL
            (SELECT 'MARK', id, position FROM caching.marks
              WHERE tenant_id = {0} AND position > {1} LIMIT {2})
            UNION ALL
            (SELECT 'ENTRY', entity_id, position FROM platform.change_log
              WHERE tenant_id = {0} AND position > {1} AND kind = 'caching.entry' LIMIT {2})
            """,
            DSL.val(tenant), DSL.val(after), DSL.val(MOST))) {
      rows++;
      switch (row.get(0, String.class)) {
        case "MARK" -> changes.marks().put(row.get(1, UUID.class), row.get(2, Long.class));
        case "ENTRY" -> changes.entries().add(row.get(1, UUID.class));
        default -> kept = true;
      }
    }
    return kept && rows < MOST ? changes : null;
  }
}
