package io.rapport.caching;

import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;

/** Who computes what, in PostgreSQL, by whose clock leases end. */
final class LeaseStore {
  /** Who wants to compute, and for how long. */
  record Wish(EntryKey key, UUID id, String holder, Duration time) {}

  /** A lease that is held. */
  record Held(UUID id, long token, long readPosition, Instant expiresAt, String holder) {}

  /** The lease, unless another caller has it. */
  Optional<Held> take(DSLContext dsl, UUID tenant, Wish wish) {
    return dsl
        .fetch(
            """
            INSERT INTO caching.leases AS l
              (tenant_id, entry_id, id, user_id, holder, read_position, expires_at)
            VALUES ({0}, {1}, {2}, {3}, {4},
              COALESCE((SELECT position FROM platform.tenant_heads WHERE tenant_id = {0}), 0),
              clock_timestamp() + {5} * interval '1 millisecond')
            ON CONFLICT (tenant_id, entry_id) DO UPDATE SET id = excluded.id,
              token = excluded.token, holder = excluded.holder,
              read_position = CASE WHEN l.id = excluded.id
                THEN l.read_position ELSE excluded.read_position END,
              expires_at = excluded.expires_at
             WHERE l.expires_at <= clock_timestamp() OR l.id = excluded.id
            RETURNING id, token, read_position, expires_at, holder
            """,
            DSL.val(tenant),
            DSL.val(wish.key().id()),
            DSL.val(wish.id()),
            DSL.val(wish.key().user()),
            DSL.val(wish.holder()),
            DSL.val(wish.time().toMillis()))
        .stream()
        .findFirst()
        .map(LeaseStore::held);
  }

  private static Held held(Record row) {
    return new Held(
        row.get(0, UUID.class),
        row.get(1, Long.class),
        row.get(2, Long.class),
        row.get(3, Instant.class),
        row.get(4, String.class));
  }

  /** Those of the leases that still hold, by their entries; each is locked. */
  Map<UUID, Held> lock(DSLContext tx, UUID tenant, Map<UUID, UUID> leases) {
    if (leases.isEmpty()) {
      return Map.of();
    }
    Map<UUID, Held> held = new HashMap<>();
    tx.fetch(
            """
            SELECT id, token, read_position, expires_at, holder, entry_id FROM caching.leases
             WHERE tenant_id = {0} AND entry_id = ANY ({1}) AND id = ANY ({2})
               AND expires_at > clock_timestamp()
             ORDER BY entry_id FOR UPDATE
            """,
            DSL.val(tenant),
            DSL.val(leases.keySet().toArray(UUID[]::new)),
            DSL.val(leases.values().toArray(UUID[]::new)))
        .forEach(row -> {
          UUID entry = row.get(5, UUID.class);
          if (row.get(0, UUID.class).equals(leases.get(entry))) {
            held.put(entry, held(row));
          }
        });
    return held;
  }

  /** Ends leases that are locked. */
  void end(DSLContext tx, UUID tenant, Collection<UUID> entries) {
    if (!entries.isEmpty()) {
      tx.execute(
          "DELETE FROM caching.leases WHERE tenant_id = {0} AND entry_id = ANY ({1})",
          DSL.val(tenant), DSL.val(entries.toArray(UUID[]::new)));
    }
  }

  Optional<Held> renew(DSLContext dsl, UUID tenant, UUID entry, UUID lease, Duration time) {
    return dsl
        .fetch(
            """
            UPDATE caching.leases
               SET expires_at = clock_timestamp() + {3} * interval '1 millisecond'
             WHERE tenant_id = {0} AND entry_id = {1} AND id = {2}
               AND expires_at > clock_timestamp()
            RETURNING id, token, read_position, expires_at, holder
            """,
            DSL.val(tenant), DSL.val(entry), DSL.val(lease), DSL.val(time.toMillis()))
        .stream()
        .findFirst()
        .map(LeaseStore::held);
  }

  void release(DSLContext dsl, UUID tenant, UUID entry, UUID lease) {
    dsl.execute(
        "DELETE FROM caching.leases WHERE tenant_id = {0} AND entry_id = {1} AND id = {2}",
        DSL.val(tenant), DSL.val(entry), DSL.val(lease));
  }

  /** Takes away whatever leases there are of entries, in the order of their ids. */
  void revoke(DSLContext tx, UUID tenant, Collection<UUID> entries) {
    tx.execute(
        """
        DELETE FROM caching.leases WHERE tenant_id = {0} AND entry_id IN (
          SELECT entry_id FROM caching.leases
           WHERE tenant_id = {0} AND entry_id = ANY ({1}) ORDER BY entry_id FOR UPDATE)
        """,
        DSL.val(tenant), DSL.val(entries.toArray(UUID[]::new)));
  }

  void revokeOfUser(DSLContext tx, UUID tenant, UUID user) {
    tx.execute(
        """
        DELETE FROM caching.leases WHERE tenant_id = {0} AND entry_id IN (
          SELECT entry_id FROM caching.leases
           WHERE tenant_id = {0} AND user_id = {1} ORDER BY entry_id FOR UPDATE)
        """,
        DSL.val(tenant), DSL.val(user));
  }

  Optional<Held> find(DSLContext dsl, UUID tenant, UUID entry) {
    return dsl
        .fetch(
            """
            SELECT id, token, read_position, expires_at, holder FROM caching.leases
             WHERE tenant_id = {0} AND entry_id = {1} AND expires_at > clock_timestamp()
            """,
            DSL.val(tenant), DSL.val(entry))
        .stream()
        .findFirst()
        .map(LeaseStore::held);
  }

  /** Those of the entries that somebody computes. */
  Set<UUID> computed(DSLContext dsl, UUID tenant, Collection<UUID> entries) {
    return dsl
        .fetch(
            """
            SELECT entry_id FROM caching.leases
             WHERE tenant_id = {0} AND entry_id = ANY ({1}) AND expires_at > clock_timestamp()
            """,
            DSL.val(tenant), DSL.val(entries.toArray(UUID[]::new)))
        .stream()
        .map(row -> row.get(0, UUID.class))
        .collect(Collectors.toUnmodifiableSet());
  }
}
