package io.rapport.platform;

import io.rapport.platform.v1.ErrorReason;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Lets a tenant's calls do one at a time what the database would make them do one at a time: who
 * waits here holds no connection, which others need.
 */
public final class Turns {
  private static final Duration PATIENCE = Duration.ofSeconds(2);
  private static final Duration SOON = Duration.ofMillis(250);

  private final ConcurrentMap<UUID, Semaphore> turns = new ConcurrentHashMap<>();

  /** Does the work when it is this call's turn; throws OVERLOADED if that takes too long. */
  public <T> T take(UUID tenant, Supplier<T> work) {
    Semaphore turn = turns.computeIfAbsent(tenant, id -> new Semaphore(1, true));
    if (!isReached(turn)) {
      throw ServiceException.unavailable(
          ErrorReason.OVERLOADED, "too many calls wait to do the same; nothing was done", SOON);
    }
    try {
      return work.get();
    } finally {
      turn.release();
    }
  }

  private static boolean isReached(Semaphore turn) {
    try {
      return turn.tryAcquire(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
