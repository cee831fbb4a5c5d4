package io.rapport.bench;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Keeps so many calls under way. An answer starts the next call in the thread that brought it,
 * which is as cheap as a client gets.
 */
final class CallLoad {
  private final List<Supplier<Call<?, ?>>> sources;

  /** A call to make, and what is a right answer. */
  record Call<Q, A>(
      Channel channel, MethodDescriptor<Q, A> method, Q request, Predicate<A> isRight) {}

  /** What a load did, how many calls were refused as too many, and latencies in microseconds. */
  record Outcome(long calls, long refused, Histogram latencies) {}

  /**
   * @param sources of calls, each for as many of those under way as the others
   */
  CallLoad(List<Supplier<Call<?, ?>>> sources) {
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
  private record Slot(Work work, Supplier<Call<?, ?>> source) {
    private void next() {
      start(source.get());
    }

    private <Q, A> void start(Call<Q, A> call) {
      ClientCalls.asyncUnaryCall(
          call.channel().newCall(call.method(), CallOptions.DEFAULT),
          call.request(),
          new Waiting<>(this, call.isRight(), System.nanoTime()));
    }

    private void ended() {
      if (System.nanoTime() < work.end && work.failure.get() == null) {
        next();
      } else {
        work.open.countDown();
      }
    }
  }

  /** Waits for the answer of a call. */
  private record Waiting<A>(Slot slot, Predicate<A> isRight, long started)
      implements StreamObserver<A> {
    @Override
    public void onNext(A answer) {
      if (!isRight.test(answer)) {
        IllegalStateException wrong = new IllegalStateException("a wrong answer: " + answer);
        slot.work().failure.compareAndSet(null, wrong);
      }
      slot.work().latencies.recordValue((System.nanoTime() - started) / 1_000);
      slot.work().calls.increment();
    }

    @Override
    public void onError(Throwable failure) {
      if (Status.fromThrowable(failure).getCode() == Status.Code.UNAVAILABLE) {
        slot.work().refused.increment();
      } else {
        slot.work().failure.compareAndSet(null, failure);
      }
      slot.ended();
    }

    @Override
    public void onCompleted() {
      slot.ended();
    }
  }
}
