package io.rapport.caching;

import io.grpc.Status.Code;
import io.rapport.caching.EntryStore.Present;
import io.rapport.caching.LeaseStore.Held;
import io.rapport.caching.Puts.Item;
import io.rapport.caching.v1.PutCondition.ConditionCase;
import io.rapport.platform.Etags;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Transaction;
import io.rapport.platform.v1.ErrorReason;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What must hold for values to be put. */
final class PutConditions {
  private final EntryStore entries;
  private final LeaseStore leases;
  private final Leasing leasing;

  PutConditions(EntryStore entries, LeaseStore leases, Leasing leasing) {
    this.entries = entries;
    this.leases = leases;
    this.leasing = leasing;
  }

  /**
   * What there is under the keys of values; nobody else changes it before the transaction has
   * ended.
   *
   * @param leases those that hold, of those by which values are put
   */
  record Locked(Map<UUID, Held> leases, Map<UUID, Present> entries) {
    @Nullable Present entry(Item item) {
      return entries.get(item.key().id());
    }

    /** The commit that a value's computation has read. */
    long readPosition(Item item, long head) {
      Held lease = leases.get(item.key().id());
      return lease == null ? head : lease.readPosition();
    }
  }

  Locked lock(Transaction tx, Collection<Item> items) {
    Map<UUID, UUID> asked = new HashMap<>();
    items.stream()
        .filter(item -> item.has(ConditionCase.LEASE_ID))
        .forEach(
            item -> asked.put(item.key().id(), UUID.fromString(item.condition().getLeaseId())));
    Map<UUID, Held> held = leases.lock(tx.dsl(), tx.tenant(), asked);
    List<UUID> ids = items.stream().map(item -> item.key().id()).toList();
    return new Locked(held, entries.lock(tx.dsl(), tx.tenant(), ids));
  }

  /** Refuses a value whose condition doesn't hold. */
  void require(UUID tenant, Item item, Locked locked) {
    Present present = locked.entry(item);
    switch (item.condition().getConditionCase()) {
      case CONDITION_NOT_SET -> {}
      case LEASE_ID -> {
        if (!locked.leases().containsKey(item.key().id())) {
          throw leasing.lost(tenant, item.key()).with("field", item.field());
        }
      }
      case IF_ETAG ->
          requireSame(present, it -> Etags.of(it.revision()).equals(item.condition().getIfEtag()));
      case IF_CONTENT_HASH ->
          requireSame(present, it -> it.contentHash().equals(item.condition().getIfContentHash()));
      case IF_ABSENT -> {
        if (present != null && present.isUsable()) {
          throw exists();
        }
      }
    }
  }

  /**
   * Refuses values that must be the first of their keys.
   *
   * @param overtaken the entries that another caller put at the same time
   */
  static void requireFirst(List<Item> items, Set<UUID> overtaken) {
    if (items.stream()
        .anyMatch(it -> it.has(ConditionCase.IF_ABSENT) && overtaken.contains(it.key().id()))) {
      throw exists();
    }
  }

  private static void requireSame(@Nullable Present present, Predicate<Present> condition) {
    if (present == null || !condition.test(present)) {
      ServiceException other =
          ServiceException.of(
              Code.ABORTED,
              ErrorReason.ETAG_MISMATCH,
              "the entry is another than the condition says");
      throw present == null ? other : other.with("etag", Etags.of(present.revision()));
    }
  }

  private static ServiceException exists() {
    return ServiceException.of(
        Code.ALREADY_EXISTS, ErrorReason.RESOURCE_EXISTS, "the key has a usable entry");
  }

  /** Ends the leases by which values are put. */
  void endLeases(Transaction tx, Locked locked) {
    leases.end(tx.dsl(), tx.tenant(), locked.leases().keySet());
  }
}
