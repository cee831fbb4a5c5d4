package io.rapport.bench;

import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Keeps so many calls under way. An answer starts the next call in the thread that brought it,
 * which is as cheap as a client gets.
 */
final class CallLoad {
  private final List<Supplier<Call>> sources;

  /** A call that can be made. */
  interface Call {
    void start(End end);
  }

  /** Is told how a call has ended. */
  interface End {
    void answered();

    void failed(Throwable failure);
  }

  /**
   * What a load did, how many calls were refused and may come again, and latencies in microseconds.
   */
  record Outcome(long calls, long refused, Histogram latencies) {}

  /**
   * @param sources of calls, each for as many of those under way as the others
   */
  CallLoad(List<Supplier<Call>> sources) {
    this.sources = sources;
  }

  Outcome run(int inFlight, Duration span) throws InterruptedException {
    CountDownLatch open = new CountDownLatch(inFlight);
    Work work = new Work(System.nanoTime() + span.toNanos(), open);
    for (int i = 0; i < inFlight; i++) {
      new Slot(work, sources.get(i % sources.size())).next();
    }
    work.open.await();
    Throwable failure = work.failure.get();
    if (failure != null) {
      throw new IllegalStateException("a call failed", failure);
    }
    return new Outcome(work.calls.sum(), work.refused.sum(), work.latencies);
  }

  private static final class Work {
    private final long end;
    private final CountDownLatch open;
    private final LongAdder calls = new LongAdder();
    private final LongAdder refused = new LongAdder();
    private final Histogram latencies = new ConcurrentHistogram(3);
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    private Work(long end, CountDownLatch open) {
      this.end = end;
      this.open = open;
    }
  }

  /** One of the calls under way, again and again. */
  private static final class Slot implements End {
    private final Work work;
    private final Supplier<Call> source;
    private long started;

    private Slot(Work work, Supplier<Call> source) {
      this.work = work;
      this.source = source;
    }

    private void next() {
      started = System.nanoTime();
      source.get().start(this);
    }

    @Override
    public void answered() {
      work.latencies.recordValue((System.nanoTime() - started) / 1_000);
      work.calls.increment();
      ended();
    }

    @Override
    public void failed(Throwable failure) {
      if (Status.fromThrowable(failure).getCode() == Status.Code.UNAVAILABLE) {
        work.refused.increment();
      } else {
        work.failure.compareAndSet(null, failure);
      }
      ended();
    }

    private void ended() {
      if (System.nanoTime() < work.end && work.failure.get() == null) {
        next();
      } else {
        work.open.countDown();
      }
    }
  }
}
