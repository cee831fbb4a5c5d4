package io.rapport.server;

import java.time.Instant;
import java.util.HashSet;
import java.util.Set;
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

  /** Waits until transactions have begun to wait for a lock so many times, one after the other. */
  public void awaitTries(int count) throws InterruptedException {
    Set<Instant> begun = new HashSet<>();
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (begun.size() < count) {
      if (System.nanoTime() > end) {
        throw new AssertionError("only " + begun.size() + " transactions have waited for a lock");
      }
      sql.execute("SELECT pg_stat_clear_snapshot()"); // kept for a transaction otherwise
      begun.addAll(
          sql.fetch(
                  "SELECT xact_start FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                      + " AND usename = 'rapport_server'")
              .getValues(0, Instant.class));
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
