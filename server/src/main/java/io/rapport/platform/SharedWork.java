package io.rapport.platform;

import java.util.Collection;
import java.util.List;
import java.util.UUID;

/**
 * Work of which one transaction can do several calls' share.
 *
 * @param <C> what a call wants
 * @param <R> what comes of it
 */
public interface SharedWork<C, R> {
  /** What it writes: no two calls that write the same are in a transaction. */
  Collection<UUID> keys(C call);

  /** Roughly how much it is. */
  long bytes(C call);

  /**
   * Does what calls ask for.
   *
   * @return what came of each call, in their order
   * @throws RefusedCalls if some can't be done: all is undone, and done again without these
   */
  List<R> on(Transaction tx, List<C> calls);

  /** Hears of calls whose work is committed now, and was not before. */
  void committed(UUID tenant, List<C> calls);
}
