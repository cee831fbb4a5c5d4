package io.rapport.caching;

import io.rapport.platform.Reply;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** An answer that somebody waits for. */
final class Pending<T> implements Reply<T> {
  private final CountDownLatch given = new CountDownLatch(1);
  private volatile @Nullable T answer;
  private volatile @Nullable Throwable failure;

  @Override
  public void send(T response) {
    answer = response;
    given.countDown();
  }

  @Override
  public void fail(Throwable thrown) {
    failure = thrown;
    given.countDown();
  }

  /** The answer, or what was thrown instead. */
  T await() {
    try {
      given.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for an answer", e);
    }
    Throwable thrown = failure;
    if (thrown instanceof Error error) {
      throw error;
    }
    if (thrown != null) {
      throw thrown instanceof RuntimeException e ? e : new IllegalStateException(thrown);
    }
    T response = answer;
    if (response == null) {
      throw new IllegalStateException("an answer is missing");
    }
    return response;
  }

  /** Whether it is there before the time is over. */
  boolean isGivenWithin(long nanos) {
    try {
      return given.await(Math.max(nanos, 0), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
