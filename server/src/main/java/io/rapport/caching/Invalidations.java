package io.rapport.caching;

import io.rapport.caching.v1.InvalidateEntriesRequest;
import io.rapport.platform.Caller;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.Ids;
import io.rapport.platform.Transaction;
import java.util.List;
import java.util.UUID;
import org.jooq.DSLContext;

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

  /** Returns how many entries there were of what was named by key, user or content. */
  int invalidate(Transaction tx, InvalidateEntriesRequest request) {
    DSLContext dsl = tx.dsl();
    UUID tenant = tx.tenant();
    String reason = request.getReason();
    int count =
        switch (request.getWhatCase()) {
          case KEYS -> {
            List<UUID> ids =
                request.getKeys().getKeysList().stream()
                    .map(it -> EntryKey.of(it).id())
                    .distinct()
                    .toList();
            leases.revoke(dsl, tenant, ids);
            markKeys(tx, number(tx), ids, reason);
            yield entries.count(dsl, tenant, ids);
          }
          case USER_ID -> {
            UUID user = UUID.fromString(request.getUserId());
            leases.revokeOfUser(dsl, tenant, user);
            mark(tx, MarkName.ofOwner(user), reason);
            yield entries.countOfUser(dsl, tenant, user);
          }
          case CONTENT_HASH -> {
            long number = number(tx); // before the entries are looked for, so that none is missed
            List<UUID> ids = entries.ofContent(dsl, tenant, request.getContentHash());
            markKeys(tx, number, ids, reason);
            yield ids.size();
          }
          case DEPENDENCY -> {
            mark(tx, MarkName.of(request.getDependency()), reason);
            yield 0;
          }
          case WHAT_NOT_SET -> throw new IllegalStateException("the rules need something");
        };
    tx.changed(new Change(KIND, Op.CREATED, Ids.next(), null, 1));
    return count;
  }

  /** The number that this commit is going to have; no other comes before it. */
  private long number(Transaction tx) {
    return marks.lockHead(tx.dsl(), tx.tenant()) + 1;
  }

  private void markKeys(Transaction tx, long number, List<UUID> ids, String reason) {
    marks.markKeys(tx.dsl(), tx.tenant(), ids, number, reason, Caller.current().subject());
  }

  private void mark(Transaction tx, String name, String reason) {
    marks.mark(tx.dsl(), tx.tenant(), name, number(tx), reason, Caller.current().subject());
  }
}
