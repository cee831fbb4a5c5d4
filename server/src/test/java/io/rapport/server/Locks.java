package io.rapport.server;

import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jooq.DSLContext;

/** Shows a test, while it holds a lock, that others have come to wait. */
public record Locks(DSLContext sql) {
  /** Waits until so many locks are waited for, or all of the calls are done. */
  public void awaitWaiting(int count, Future<?>... calls) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (waiting() < count && !allDone(calls)) {
      if (System.nanoTime() > end) {
        throw new AssertionError("nobody waits for a lock");
      }
      TimeUnit.MILLISECONDS.sleep(5);
    }
  }

  private static boolean allDone(Future<?>... calls) {
    for (Future<?> call : calls) {
      if (!call.isDone()) {
        return false;
      }
    }
    return calls.length > 0;
  }

  private int waiting() {
    return sql.fetchSingle("SELECT count(*) FROM pg_locks WHERE NOT granted").get(0, Integer.class);
  }
}
