package io.rapport.caching;

import io.rapport.caching.v1.Dependency;
import io.rapport.caching.v1.InvalidateEntriesRequest;
import io.rapport.platform.Caller;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.Ids;
import io.rapport.platform.Transaction;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/**
 * Invalidates entries because somebody says so. Each call is a commit with a number, also if there
 * is nothing to invalidate: what is being computed meanwhile is put as what was read before.
 */
final class Invalidations {
  private static final String KIND = "caching.invalidation";

  private final EntryStore entries;
  private final MarkStore marks;
  private final LeaseStore leases;

  Invalidations(EntryStore entries, MarkStore marks, LeaseStore leases) {
    this.entries = entries;
    this.marks = marks;
    this.leases = leases;
  }

  /** Returns how many entries were invalidated one by one. */
  int invalidate(Transaction tx, InvalidateEntriesRequest request) {
    DSLContext dsl = tx.dsl();
    UUID tenant = tx.tenant();
    int count =
        switch (request.getWhatCase()) {
          case KEYS -> {
            List<UUID> ids =
                request.getKeys().getKeysList().stream().map(it -> EntryKey.of(it).id()).toList();
            leases.revoke(dsl, tenant, ids);
            yield invalidate(tx, entries.lock(dsl, tenant, ids), null, request.getReason());
          }
          case USER_ID -> {
            UUID user = UUID.fromString(request.getUserId());
            leases.revokeOfUser(dsl, tenant, user);
            yield invalidate(tx, entries.lockOfUser(dsl, tenant, user), user, request.getReason());
          }
          case CONTENT_HASH -> {
            Map<UUID, Long> found = entries.lockOfContent(dsl, tenant, request.getContentHash());
            leases.revoke(dsl, tenant, found.keySet());
            yield invalidate(tx, found, null, request.getReason());
          }
          case DEPENDENCY -> {
            mark(tx, request.getDependency(), request.getReason());
            yield 0;
          }
          case WHAT_NOT_SET -> throw new IllegalStateException("the rules need something");
        };
    tx.changed(new Change(KIND, Op.CREATED, Ids.next(), null, 1));
    return count;
  }

  private int invalidate(
      Transaction tx, Map<UUID, Long> locked, @Nullable UUID user, String reason) {
    if (!locked.isEmpty()) {
      long number = marks.lockHead(tx.dsl(), tx.tenant()) + 1;
      String by = Caller.current().subject();
      entries.invalidate(tx.dsl(), tx.tenant(), locked.keySet(), number, reason, by);
      locked.forEach((id, revision) -> {
        tx.changed(new Change(EntryStore.KIND, Op.UPDATED, id, user, revision + 1));
        tx.changed(new Change(EntryStore.VALUE_KIND, Op.UPDATED, id, user, revision + 1));
      });
    }
    return locked.size();
  }

  private void mark(Transaction tx, Dependency dependency, String reason) {
    long number = marks.lockHead(tx.dsl(), tx.tenant()) + 1;
    String by = Caller.current().subject();
    marks.mark(tx.dsl(), tx.tenant(), MarkName.of(dependency), number, reason, by);
  }
}
