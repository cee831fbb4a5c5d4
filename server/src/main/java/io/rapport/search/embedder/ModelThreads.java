package io.rapport.search.embedder;

import io.grpc.Context;
import io.grpc.Deadline;
import io.rapport.search.EmbedderException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.PriorityBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The threads that a model is run on. A model runs in native code, which would keep a virtual
 * thread on its carrier: with as many texts as cores, nothing else would be answered. These are the
 * system's threads, one core fewer than there are, so that one is left for all other calls.
 *
 * <p>Callers go before what is done in the background, and otherwise whoever came first.
 */
final class ModelThreads {
  private static final Duration CLOSE = Duration.ofSeconds(5);
  private static final Duration LATER = Duration.ofSeconds(1);

  private final ThreadPoolExecutor threads;
  private final AtomicLong turns = new AtomicLong();

  /** Work in the queue. */
  private static final class Turn<T> extends FutureTask<T> implements Comparable<Turn<?>> {
    private final boolean background;
    private final long number;

    Turn(Callable<T> work, boolean background, long number) {
      super(work);
      this.background = background;
      this.number = number;
    }

    @Override
    public int compareTo(Turn<?> other) {
      return background == other.background
          ? Long.compare(number, other.number)
          : Boolean.compare(background, other.background);
    }
  }

  ModelThreads(int count) {
    this.threads =
        new ThreadPoolExecutor(
            count,
            count,
            1,
            TimeUnit.MINUTES,
            new PriorityBlockingQueue<>(),
            Thread.ofPlatform().daemon().name("local-embedder-", 0).factory());
    threads.allowCoreThreadTimeOut(true);
  }

  /**
   * How many of them there are to be.
   *
   * @param threads how many one run has
   */
  static int count(int cores, int threads) {
    return Math.max(1, (cores - 1) / threads);
  }

  /** Waits until the work is done, or until the deadline of the call. */
  <T> T run(boolean background, Callable<T> work) {
    Turn<T> turn = new Turn<>(work, background, turns.getAndIncrement());
    try {
      threads.execute(turn);
      return get(turn, background ? null : Context.current().getDeadline());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw EmbedderException.unavailable("the call was broken off", LATER);
    } catch (RejectedExecutionException | CancellationException e) {
      throw EmbedderException.unavailable("the server is stopping", LATER);
    } catch (TimeoutException e) {
      throw EmbedderException.unavailable("the local model is busy with other texts", LATER);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof EmbedderException told
          ? told
          : EmbedderException.broken("the local model failed: " + e.getCause());
    } finally {
      turn.cancel(false);
    }
  }

  /** How much waits for its turn. */
  int waiting() {
    return threads.getQueue().size();
  }

  private static <T> T get(Turn<T> turn, @Nullable Deadline end)
      throws InterruptedException, ExecutionException, TimeoutException {
    return end == null
        ? turn.get()
        : turn.get(end.timeRemaining(TimeUnit.NANOSECONDS), TimeUnit.NANOSECONDS);
  }

  /** Waits for what has begun, and breaks off what waits; false if something is being run still. */
  boolean end() {
    for (Runnable waiting : threads.shutdownNow()) {
      if (waiting instanceof Turn<?> turn) {
        turn.cancel(false);
      }
    }
    try {
      return threads.awaitTermination(CLOSE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
