package io.rapport.client;

import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Has the channel connect again soon after it was refused. Left to itself it waits longer each
 * time, up to two minutes, so that a service which is back would long not be found.
 */
final class Reconnect {
  private static final Duration PERIOD = Duration.ofSeconds(1);

  private final Runnable resetBackoff;
  private final AtomicLong last = new AtomicLong(System.nanoTime());

  /**
   * @param resetBackoff makes the channel connect at once
   */
  Reconnect(Runnable resetBackoff) {
    this.resetBackoff = resetBackoff;
  }

  /** At most once in a while, however many calls fail. */
  void after(StatusRuntimeException failure) {
    long now = System.nanoTime();
    long before = last.get();
    if (failure.getStatus().getCode() == Code.UNAVAILABLE
        && now - before > PERIOD.toNanos()
        && last.compareAndSet(before, now)) {
      resetBackoff.run();
    }
  }
}
