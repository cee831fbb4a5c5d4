package io.rapport.caching;

import com.google.protobuf.InvalidProtocolBufferException;
import io.rapport.caching.v1.CacheKey;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;

/** What somebody wants to be computed, in PostgreSQL. */
final class WarmupStore {
  /** Adds the keys that aren't there; returns how many that were. */
  int add(DSLContext tx, UUID tenant, Collection<EntryKey> keys) {
    List<EntryKey> sorted = keys.stream().sorted(EntryKey.ORDER).toList();
    return tx.execute(
        """
        INSERT INTO caching.warmups (tenant_id, entry_id, key)
        SELECT {0}, i.* FROM unnest({1}::uuid[], {2}::bytea[]) i
        ON CONFLICT DO NOTHING
        """,
        DSL.val(tenant),
        DSL.val(sorted.stream().map(EntryKey::id).toArray(UUID[]::new)),
        DSL.val(sorted.stream().map(key -> key.key().toByteArray()).toArray(byte[][]::new)));
  }

  /** Says that values were put. */
  void remove(DSLContext tx, UUID tenant, Collection<UUID> entries) {
    tx.execute(
        "DELETE FROM caching.warmups WHERE tenant_id = {0} AND entry_id = ANY ({1})",
        DSL.val(tenant), DSL.val(entries.toArray(UUID[]::new)));
  }

  /** Those that nobody computes, the oldest first. */
  List<EntryKey> waiting(DSLContext dsl, UUID tenant, int limit) {
    return dsl.fetch(
            """
            SELECT w.key FROM caching.warmups w
             WHERE w.tenant_id = {0} AND NOT EXISTS (
               SELECT FROM caching.leases l
                WHERE l.tenant_id = w.tenant_id AND l.entry_id = w.entry_id
                  AND l.expires_at > clock_timestamp())
             ORDER BY w.requested_at, w.entry_id LIMIT {1}
            """,
            DSL.val(tenant), DSL.val(limit))
        .map(row -> key(row.get(0, byte[].class)));
  }

  private static EntryKey key(byte[] bytes) {
    try {
      return EntryKey.of(CacheKey.parseFrom(bytes));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a key can't be read", e);
    }
  }
}
