package io.rapport.faults;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What clients did to the active version of a model type and were told, and whether that can have
 * happened one after the other, each between its call and its answer: the search of Wing and Gong
 * with the memory of Lowe ("Testing for linearizability", 2017).
 */
final class ActiveVersions {
  /** What was called. */
  enum Kind {
    PROMOTE,
    PROMOTE_IF,
    ROLL_BACK,
    READ
  }

  /**
   * A call that was answered.
   *
   * @param version the version to promote; -1 otherwise
   * @param expected the version that must be active; -1: any
   * @param before what it says that it replaced; -1: nothing is said
   * @param after the version that is active by its answer; -1: it was refused
   */
  record Call(Kind kind, int version, int expected, int before, int after, long start, long end) {}

  /** What is active, and below it what rollbacks lead to. */
  private record Stack(int top, @Nullable Stack below) {}

  private final Queue<Call> calls = new ConcurrentLinkedQueue<>();
  private final LongSupplier clock;

  /**
   * @param clock in nanoseconds
   */
  ActiveVersions(LongSupplier clock) {
    this.clock = clock;
  }

  void add(Kind kind, int version, int expected, int before, int after, long start) {
    calls.add(new Call(kind, version, expected, before, after, start, clock.getAsLong()));
  }

  int size() {
    return calls.size();
  }

  /**
   * Whether there is such an order.
   *
   * @param first what is active in the beginning, with nothing to roll back to
   */
  boolean isLinearizable(int first) {
    List<Call> all = new ArrayList<>(calls);
    return new Search(all).from(new BitSet(all.size()), new Stack(first, null));
  }

  /** One search. */
  private record Search(List<Call> all, Set<Place> seen) {
    private record Place(BitSet done, Stack stack) {}

    Search(List<Call> all) {
      this(all, new HashSet<>());
    }

    boolean from(BitSet done, Stack stack) {
      if (done.cardinality() == all.size()) {
        return true;
      }
      if (!seen.add(new Place((BitSet) done.clone(), stack))) {
        return false;
      }
      long firstEnd = firstEnd(done);
      for (int i = done.nextClearBit(0); i < all.size(); i = done.nextClearBit(i + 1)) {
        Stack next = all.get(i).start() <= firstEnd ? after(all.get(i), stack) : null;
        if (next != null) {
          done.set(i);
          if (from(done, next)) {
            return true;
          }
          done.clear(i);
        }
      }
      return false;
    }

    /** No call that begins after it can come before it. */
    private long firstEnd(BitSet done) {
      long first = Long.MAX_VALUE;
      for (int i = done.nextClearBit(0); i < all.size(); i = done.nextClearBit(i + 1)) {
        first = Math.min(first, all.get(i).end());
      }
      return first;
    }
  }

  /** What a call makes of what is there; null if it can't have been answered so. */
  private static @Nullable Stack after(Call call, Stack stack) {
    return switch (call.kind()) {
      case READ -> call.after() == stack.top() ? stack : null;
      case PROMOTE, PROMOTE_IF -> promoted(call, stack);
      case ROLL_BACK -> rolledBack(call, stack);
    };
  }

  private static @Nullable Stack promoted(Call call, Stack stack) {
    boolean expected = call.expected() < 0 || call.expected() == stack.top();
    if (call.after() < 0) {
      return expected ? null : stack;
    }
    if (!expected || call.after() != call.version()) {
      return null;
    }
    if (call.version() == stack.top()) {
      return call.before() < 0 ? stack : null;
    }
    return call.before() == stack.top() ? new Stack(call.version(), stack) : null;
  }

  private static @Nullable Stack rolledBack(Call call, Stack stack) {
    Stack below = stack.below();
    if (call.after() < 0 || below == null) {
      return call.after() < 0 && below == null ? stack : null;
    }
    boolean so = call.before() == stack.top() && call.after() == below.top();
    return so ? Objects.requireNonNull(below) : null;
  }
}
