package io.rapport.client;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Computes in the background, a few values at a time. */
final class Refreshes implements AutoCloseable {
  private static final int THREADS = 4;
  private static final int WAITING = 64;
  private static final long CLOSE_SECONDS = 1;

  private final ThreadPoolExecutor threads;

  Refreshes() {
    threads =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            10,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(WAITING),
            DaemonThreads.named("rapport-refresh"));
    threads.allowCoreThreadTimeOut(true);
  }

  /** Has it done soon; false if there is too much to do already. */
  boolean start(Runnable refresh) {
    try {
      threads.execute(refresh);
      return true;
    } catch (RejectedExecutionException full) {
      return false;
    }
  }

  /** Interrupts what is under way, and leaves it a moment to give up its leases. */
  @Override
  public void close() {
    threads.shutdownNow();
    try {
      threads.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
    }
  }
}
