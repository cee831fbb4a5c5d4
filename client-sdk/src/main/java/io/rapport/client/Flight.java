package io.rapport.client;

import io.rapport.caching.v1.ReadOptions;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One thread's way to a value; others of the client that ask for the same key wait for its end. */
final class Flight<E> {
  /** What a BOUNDED read may miss of others. */
  private static final Duration BOUND = Duration.ofMillis(100);

  /** How long a call may take that doesn't wait for anybody. */
  private static final Duration CALL = Duration.ofSeconds(1);

  private final Thread leader = Thread.currentThread();
  private final CountDownLatch ended = new CountDownLatch(1);
  private final ComputeOptions options;
  private volatile boolean computing;
  private Moment read;
  private @Nullable E entry;
  private @Nullable Throwable failure;

  Flight(ComputeOptions options, Moment begun) {
    this.options = options;
    this.read = begun;
  }

  boolean isLedByCaller() {
    return leader.equals(Thread.currentThread());
  }

  /** The value is going to be one of this moment, or later. */
  void reads(Moment moment) {
    read = moment;
  }

  /** From now on it takes as long as the loader does. */
  void computes() {
    computing = true;
  }

  void landed(E found) {
    entry = found;
  }

  /** It failed in a way in which it would have failed for others as well. */
  void failed(Throwable why) {
    failure = why;
  }

  void end() {
    ended.countDown();
  }

  /** Waits for the end; false if the time is over before. */
  boolean await(Duration most) {
    try {
      return ended.await(most.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException stop) {
      throw CancelledException.interrupted(stop);
    }
  }

  /** Waits for the end a moment longer if nothing is computed; false if it isn't here then. */
  boolean isSoonKnown() {
    return !computing && await(CALL);
  }

  /**
   * What came of it, for a caller who began then; empty if it tells that caller nothing. It must
   * have ended.
   */
  Optional<E> resultFor(ComputeOptions asked, Moment begun) {
    if (!asked.asksAs(options)) {
      return Optional.empty();
    }
    if (failure != null) {
      throw raised(failure);
    }
    boolean strong = asked.read().getConsistency() == ReadOptions.Consistency.STRONG;
    return read.serves(begun, strong ? Duration.ZERO : BOUND)
        ? Optional.ofNullable(entry)
        : Optional.empty();
  }

  /** Throws an Error, and gives an exception to be thrown. */
  static RuntimeException raised(Throwable unchecked) {
    if (unchecked instanceof Error error) {
      throw error;
    }
    return (RuntimeException) unchecked;
  }
}
