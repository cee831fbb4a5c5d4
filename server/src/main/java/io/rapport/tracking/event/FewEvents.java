package io.rapport.tracking.event;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The lanes in which few events wait, and who may write them. A statement costs as much as some
 * {@link #WORTH} events: so while one is being written another is begun only for as many, or when
 * the first of those that wait has waited for long.
 */
final class FewEvents {
  private static final int WORTH = 16;
  private static final long LONG_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

  private final Deque<Waiting> lanes = new ArrayDeque<>();
  private int events;
  private int writing;

  private record Waiting(EventLane lane, long since) {}

  /** Adds a lane, in which this many wait. */
  synchronized void add(EventLane lane, int waiting) {
    lanes.add(new Waiting(lane, System.nanoTime()));
    events += waiting;
    notify();
  }

  /** Says that more wait in a lane that is here. */
  synchronized void more(int arrived) {
    events += arrived;
    if (events >= WORTH) {
      notify();
    }
  }

  /** Says that a lane that was here had this many when its events were taken. */
  synchronized void less(int taken) {
    events -= taken;
  }

  /** Waits for the lane that is next to be written; {@link #done} must follow. */
  synchronized EventLane take() throws InterruptedException {
    for (long nanos = nanosToWait(); nanos > 0; nanos = nanosToWait()) {
      TimeUnit.NANOSECONDS.timedWait(this, nanos);
    }
    writing++;
    return lanes.remove().lane();
  }

  /** The next lane, to be written with the one that was taken; null if there is none. */
  synchronized @Nullable EventLane poll() {
    Waiting next = lanes.poll();
    return next == null ? null : next.lane();
  }

  /** Says that what was taken is written. */
  synchronized void done() {
    writing--;
    notify();
  }

  private long nanosToWait() {
    Waiting first = lanes.peek();
    if (first == null) {
      return Long.MAX_VALUE;
    }
    if (writing == 0 || events >= WORTH) {
      return 0;
    }
    return LONG_NANOS - (System.nanoTime() - first.since());
  }
}
