package io.rapport.faults;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntConsumer;

/** Work of several threads, and waiting for what others do. */
final class Threads {
  private Threads() {}

  /** Starts work that goes on beside; its failure comes out when it is joined. */
  static CompletableFuture<Void> start(Callable<?> work) {
    return CompletableFuture.runAsync(
        () -> {
          try {
            work.call();
          } catch (Exception e) {
            throw new CompletionException(e);
          }
        },
        task -> Thread.ofPlatform().daemon().start(task));
  }

  /** Runs the same work in so many threads at once, each with its number. */
  static void each(int count, IntConsumer work) {
    List<CompletableFuture<Void>> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int number = i;
      all.add(
          start(() -> {
            work.accept(number);
            return number;
          }));
    }
    all.forEach(CompletableFuture::join);
  }

  /** Waits until something is so; returns after how many milliseconds, or -1 if it never was. */
  static long await(long millis, Callable<Boolean> condition) throws Exception {
    long start = System.nanoTime();
    while (!condition.call()) {
      if (millisSince(start) > millis) {
        return -1;
      }
      TimeUnit.MILLISECONDS.sleep(2);
    }
    return millisSince(start);
  }

  /** Waits until all who take part are there. */
  static void meet(CyclicBarrier barrier) {
    try {
      barrier.await(30, TimeUnit.SECONDS);
    } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
      throw new IllegalStateException("not all have come", e);
    }
  }

  static long millisSince(long start) {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
  }

  static void sleep(long millis) {
    try {
      TimeUnit.MILLISECONDS.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
