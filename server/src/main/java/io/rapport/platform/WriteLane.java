package io.rapport.platform;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.BiConsumer;

/** A tenant's writes that wait for a transaction. */
final class WriteLane<C, R> {
  private static final int TRANSACTIONS = 2;
  private static final int MAX_WRITES = 100;
  private static final long MAX_BYTES = 4L * 1024 * 1024;

  private final SharedWork<C, R> shared;
  private final BiConsumer<WriteLane<C, R>, List<SharedWrite<C, R, ?>>> start;
  private final Deque<SharedWrite<C, R, ?>> waiting = new ArrayDeque<>();
  private final Set<UUID> written = new HashSet<>();
  private int running;

  /**
   * @param start has writes committed together; {@link #ended} must follow
   */
  WriteLane(
      SharedWork<C, R> shared, BiConsumer<WriteLane<C, R>, List<SharedWrite<C, R, ?>>> start) {
    this.shared = shared;
    this.start = start;
  }

  synchronized void add(SharedWrite<C, R, ?> write) {
    waiting.add(write);
    begin();
  }

  synchronized void ended(List<SharedWrite<C, R, ?>> writes) {
    running--;
    writes.forEach(write -> written.removeAll(keys(write)));
    begin();
  }

  private void begin() {
    while (running < TRANSACTIONS) {
      List<SharedWrite<C, R, ?>> next = take();
      if (next.isEmpty()) {
        return;
      }
      running++;
      start.accept(this, next);
    }
  }

  /** Those that write nothing that is being written, or is waited for by one that came before. */
  private List<SharedWrite<C, R, ?>> take() {
    List<SharedWrite<C, R, ?>> taken = new ArrayList<>();
    Set<UUID> before = new HashSet<>(written);
    long bytes = 0;
    Iterator<SharedWrite<C, R, ?>> each = waiting.iterator();
    while (each.hasNext() && taken.size() < MAX_WRITES && bytes < MAX_BYTES) {
      SharedWrite<C, R, ?> write = each.next();
      Set<UUID> keys = keys(write);
      if (write.context().isCancelled()) {
        write.fail(Failures.deadlinePassed());
        each.remove();
      } else if (keys.stream().noneMatch(before::contains)) {
        written.addAll(keys);
        taken.add(write);
        bytes += shared.bytes(write.call());
        each.remove();
      }
      before.addAll(keys);
    }
    return taken;
  }

  private Set<UUID> keys(SharedWrite<C, R, ?> write) {
    Set<UUID> keys = new HashSet<>(shared.keys(write.call()));
    RequestKey request = write.key();
    if (request != null) {
      keys.add(request.id());
    }
    return keys;
  }
}
