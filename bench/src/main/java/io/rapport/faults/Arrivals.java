package io.rapport.faults;

import io.grpc.Status;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/** Calls that several callers make at once, and how they ended. */
final class Arrivals {
  private static final long DEADLINE = 5000;
  private static final int MOST_OPEN = 20_000;
  private static final long PACE_NANOS = 500_000;

  private final Histogram accepted = new ConcurrentHistogram(3);
  private final Histogram refused = new ConcurrentHistogram(3);
  private final LongAdder inTime = new LongAdder();
  private final LongAdder saturated = new LongAdder();
  private final LongAdder others = new LongAdder();
  private final AtomicInteger open = new AtomicInteger();
  private final long nanos;
  private final long end;
  private long unsent;

  private Arrivals(long millis) {
    this.nanos = TimeUnit.MILLISECONDS.toNanos(millis);
    this.end = System.nanoTime() + nanos;
  }

  /** Keeps so many calls under way: each end starts the next. */
  static Arrivals closed(List<? extends AsyncCalls<?, ?>> callers, int underWay, long millis)
      throws InterruptedException {
    Arrivals arrivals = new Arrivals(millis);
    CountDownLatch running = new CountDownLatch(underWay);
    for (int i = 0; i < underWay; i++) {
      arrivals.again(callers.get(i % callers.size()), running);
    }
    running.await();
    return arrivals;
  }

  private void again(AsyncCalls<?, ?> caller, CountDownLatch running) {
    start(
        caller,
        () -> {
          if (System.nanoTime() < end) {
            again(caller, running);
          } else {
            running.countDown();
          }
        });
  }

  /** Makes calls on schedule, whether or not earlier ones have ended. */
  static Arrivals open(List<? extends AsyncCalls<?, ?>> callers, double perSecond, long millis) {
    Arrivals arrivals = new Arrivals(millis);
    long start = System.nanoTime();
    long sent = 0;
    for (long passed = 0; passed < arrivals.nanos; passed = System.nanoTime() - start) {
      long due = (long) (passed * perSecond / 1e9);
      while (sent < due && arrivals.open.get() < MOST_OPEN) {
        arrivals.start(callers.get((int) (sent % callers.size())), () -> {});
        sent++;
      }
      LockSupport.parkNanos(PACE_NANOS);
    }
    arrivals.unsent = (long) (perSecond * millis / 1000) - sent;
    return arrivals;
  }

  private void start(AsyncCalls<?, ?> caller, Runnable then) {
    long start = System.nanoTime();
    open.incrementAndGet();
    caller.start(
        DEADLINE,
        (status, reason) -> {
          open.decrementAndGet();
          ended(status, reason, (System.nanoTime() - start) / 1000);
          then.run();
        });
  }

  private void ended(Status status, String reason, long micros) {
    if (status.isOk()) {
      accepted.recordValue(micros);
      if (System.nanoTime() < end) {
        inTime.increment();
      }
    } else if (reason.equals("OVERLOADED")) {
      refused.recordValue(micros);
    } else if (reason.equals("DB_SATURATED")) {
      saturated.increment();
    } else {
      others.increment();
    }
  }

  /** Waits until all have ended. */
  void awaitEnds() throws Exception {
    Threads.await(2 * DEADLINE, () -> open.get() == 0);
  }

  double answersPerSecond() {
    return inTime.sum() * 1e9 / nanos;
  }

  double acceptedMillis(double percentile) {
    return accepted.getValueAtPercentile(percentile) / 1000.0;
  }

  double refusedMillis(double percentile) {
    return refused.getValueAtPercentile(percentile) / 1000.0;
  }

  long refused() {
    return refused.getTotalCount();
  }

  /** Those that were let in, and then waited for a connection in vain. */
  long saturated() {
    return saturated.sum();
  }

  /** Those that ended neither with an answer nor with a refusal. */
  long others() {
    return others.sum();
  }

  /** Those that were due and could not be made. */
  long unsent() {
    return Math.max(0, unsent);
  }

  @Override
  public String toString() {
    return "%.0f answers/s in %.1f ms, p99 %.1f; %d refused in %.1f ms, p99 %.1f; without a connection: %d, others: %d, unsent: %d"
        .formatted(
            answersPerSecond(),
            acceptedMillis(50),
            acceptedMillis(99),
            refused(),
            refusedMillis(50),
            refusedMillis(99),
            saturated(),
            others(),
            unsent());
  }
}
