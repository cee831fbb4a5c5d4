package io.rapport.platform.watch;

import io.rapport.platform.TenantDb;
import java.sql.Connection;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.Result;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** Reads the log of changes in PostgreSQL. */
final class ChangeLogStore {
  private static final String BOUNDS =
      "SELECT position, trimmed_to FROM platform.tenant_heads WHERE tenant_id = {0}";

  private static final String HEADS =
      "SELECT tenant_id, position FROM platform.tenant_heads WHERE tenant_id = ANY ({0}::uuid[])";

  /** By one statement, and so by one snapshot: what is kept and what is there can't differ. */
  private static final String READ =
      """
      SELECT h.position, h.trimmed_to, c.*
        FROM platform.tenant_heads h
        LEFT JOIN LATERAL (
          SELECT l.position AS at, l.ordinal, l.kind, l.op, l.entity_id, l.user_id, l.revision,
            l.row_count, l.batch, l.changed_at
            FROM platform.change_log l
           WHERE l.tenant_id = {0} AND (l.position, l.ordinal) > ({1}, {2})
           ORDER BY l.position, l.ordinal LIMIT {3}) c ON true
       WHERE h.tenant_id = {0}
       ORDER BY c.at, c.ordinal
      """;

  /**
   * Of which commits the log tells.
   *
   * @param head the last one
   * @param trimmed the last one that is no longer kept
   */
  record Bounds(long head, long trimmed) {}

  /** An entry of the log; for events, of all that a commit recorded. */
  record Entry(
      long position,
      int ordinal,
      String kind,
      String op,
      @Nullable UUID entity,
      @Nullable UUID user,
      long revision,
      int rows,
      long batch,
      Instant changedAt) {}

  /** Entries of the log, and its bounds at the same moment. */
  record Part(Bounds bounds, List<Entry> entries) {}

  Bounds bounds(DSLContext dsl, UUID tenant) {
    return dsl.fetchOptional(BOUNDS, DSL.val(tenant))
        .map(row -> new Bounds(row.get(0, Long.class), row.get(1, Long.class)))
        .orElse(new Bounds(0, 0));
  }

  /** The last commits of tenants for which the connection is bound; none of one without any. */
  Map<UUID, Long> heads(Connection connection, Collection<UUID> tenants) {
    Map<UUID, Long> heads = new HashMap<>();
    TenantDb.dsl(connection)
        .fetch(HEADS, DSL.val(tenants.toArray(UUID[]::new)))
        .forEach(row -> heads.put(row.get(0, UUID.class), row.get(1, Long.class)));
    return heads;
  }

  /** The first entries of which something lies after a place. */
  Part read(DSLContext dsl, UUID tenant, Place after, int limit) {
    int ordinal = after.event() == null ? after.ordinal() : after.ordinal() - 1;
    Result<Record> rows =
        dsl.fetch(
            READ, DSL.val(tenant), DSL.val(after.position()), DSL.val(ordinal), DSL.val(limit));
    if (rows.isEmpty()) {
      return new Part(new Bounds(0, 0), List.of());
    }
    Record first = rows.getFirst();
    Bounds bounds = new Bounds(first.get(0, Long.class), first.get(1, Long.class));
    return new Part(
        bounds,
        rows.stream().filter(row -> row.get(2) != null).map(ChangeLogStore::entry).toList());
  }

  private static Entry entry(Record row) {
    return new Entry(
        row.get(2, Long.class),
        row.get(3, Integer.class),
        row.get(4, String.class).intern(),
        row.get(5, String.class).intern(),
        row.get(6, UUID.class),
        row.get(7, UUID.class),
        orZero(row.get(8, Long.class)),
        row.get(9, Integer.class),
        orZero(row.get(10, Long.class)),
        row.get(11, Instant.class));
  }

  private static long orZero(@Nullable Long number) {
    return number == null ? 0 : number;
  }
}
