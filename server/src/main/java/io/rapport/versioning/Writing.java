package io.rapport.versioning;

import io.rapport.platform.Caller;
import io.rapport.platform.Change;
import io.rapport.platform.Transaction;
import java.util.UUID;
import java.util.function.Consumer;
import org.jooq.DSLContext;

/**
 * A write under way, of a caller or of the service itself.
 *
 * @param by whose it is
 * @param position the number that the commit is going to have; no other comes before it
 */
public record Writing(
    DSLContext dsl, UUID tenant, String by, long position, Consumer<Change> changes) {
  /** What the service calls itself. */
  static final String SERVICE = "rapport";

  /** The write of a caller; the tenant's head is locked from now on. */
  public static Writing of(Transaction tx) {
    long position = new HeadStore().lock(tx.dsl(), tx.tenant()) + 1;
    return new Writing(tx.dsl(), tx.tenant(), Caller.current().subject(), position, tx::changed);
  }

  /** A write of the service; the tenant's head is locked from now on. */
  public static Writing ofService(DSLContext tx, UUID tenant, Consumer<Change> changes) {
    return new Writing(tx, tenant, SERVICE, new HeadStore().lock(tx, tenant) + 1, changes);
  }

  /** Says what changed, so that it is logged and others can do what follows from it. */
  public void changed(String kind, Change.Op op, UUID entity, long revision) {
    changes.accept(new Change(kind, op, entity, null, revision));
  }
}
