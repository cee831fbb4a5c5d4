package io.rapport.caching;

import io.rapport.platform.Ids;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/**
 * What entries depend on, in PostgreSQL. The tenant's head is locked before marks are written, and
 * after entries are.
 */
final class MarkStore {
  /** A mark as it stands. */
  record Mark(
      UUID id,
      String name,
      long position,
      @Nullable Instant changedAt,
      @Nullable String reason,
      @Nullable String by) {}

  /** The ids of those marks that are there. */
  Map<String, UUID> find(DSLContext tx, UUID tenant, Collection<String> names) {
    Map<String, UUID> found = new HashMap<>();
    tx.fetch(
            "SELECT name, id FROM caching.marks WHERE tenant_id = {0} AND name = ANY ({1})",
            DSL.val(tenant), DSL.val(names.toArray(String[]::new)))
        .forEach(row -> found.put(row.get(0, String.class), row.get(1, UUID.class)));
    return found;
  }

  /** The number of the tenant's last commit. */
  long head(DSLContext tx, UUID tenant) {
    return position(
        tx.fetch(
            "SELECT position FROM platform.tenant_heads WHERE tenant_id = {0}", DSL.val(tenant)));
  }

  /** The same; no commit comes before this transaction has ended. */
  long lockHead(DSLContext tx, UUID tenant) {
    return position(
        tx.fetch(
            "SELECT position FROM platform.tenant_heads WHERE tenant_id = {0} FOR UPDATE",
            DSL.val(tenant)));
  }

  private static long position(List<Record> rows) {
    return rows.isEmpty() ? 0 : rows.getFirst().get(0, Long.class);
  }

  /**
   * Makes the marks that are missing. Commits up to the head may not have found them, so they stand
   * as if the last of these had changed what they are for: what was computed from less is invalid.
   */
  Map<String, UUID> make(DSLContext tx, UUID tenant, Collection<String> names) {
    long head = lockHead(tx, tenant);
    Map<String, UUID> all = new HashMap<>(find(tx, tenant, names));
    Set<String> missing = new HashSet<>(names);
    missing.removeAll(all.keySet());
    missing.forEach(name -> all.put(name, Ids.next()));
    tx.execute(
        """
        INSERT INTO caching.marks (tenant_id, id, name, position)
        SELECT {0}, i.*, {3} FROM unnest({1}::uuid[], {2}::text[]) i
        """,
        DSL.val(tenant),
        DSL.val(missing.stream().map(all::get).toArray(UUID[]::new)),
        DSL.val(missing.toArray(String[]::new)),
        DSL.val(head));
    return all;
  }

  /** Invalidates keys, whether or not there are entries: their marks have the entries' ids. */
  void markKeys(
      DSLContext tx, UUID tenant, Collection<UUID> entries, long number, String reason, String by) {
    tx.execute(
        """
        INSERT INTO caching.marks (tenant_id, id, name, position, changed_at, reason,
          invalidated_by)
        SELECT {0}, id, 'KEY ' || id, {2}, now(), {3}, {4} FROM unnest({1}::uuid[]) AS i (id)
        ON CONFLICT (tenant_id, id) DO UPDATE SET position = excluded.position,
          changed_at = excluded.changed_at, reason = excluded.reason,
          invalidated_by = excluded.invalidated_by
        """,
        DSL.val(tenant),
        DSL.val(entries.toArray(UUID[]::new)),
        DSL.val(number),
        DSL.val(reason),
        DSL.val(by));
  }

  /** Marks what somebody says has changed; the head must be locked. */
  void mark(DSLContext tx, UUID tenant, String name, long number, String reason, String by) {
    tx.execute(
        """
        UPDATE caching.marks
           SET position = {2}, changed_at = now(), reason = {3}, invalidated_by = {4}
         WHERE tenant_id = {0} AND name = {1}
        """,
        DSL.val(tenant), DSL.val(name), DSL.val(number), DSL.val(reason), DSL.val(by));
  }

  List<Mark> get(DSLContext dsl, UUID tenant, Collection<UUID> ids) {
    return dsl.fetch(
            """
            SELECT id, name, position, changed_at, reason, invalidated_by FROM caching.marks
             WHERE tenant_id = {0} AND id = ANY ({1}) ORDER BY name
            """,
            DSL.val(tenant), DSL.val(ids.toArray(UUID[]::new)))
        .map(row ->
            new Mark(
                row.get(0, UUID.class),
                row.get(1, String.class),
                row.get(2, Long.class),
                row.get(3, Instant.class),
                row.get(4, String.class),
                row.get(5, String.class)));
  }
}
