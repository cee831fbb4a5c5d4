package io.rapport.faults;

import io.rapport.client.Watch;
import io.rapport.client.WatchBatch;
import io.rapport.client.WatchOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Watches by the SDK until it is stopped, and notes all that it is told. */
final class Follower<T> implements Runnable {
  private static final Duration PATIENCE = Duration.ofMillis(200);

  /** Opens a watch; at another server each time, if it likes. */
  interface Opening<T> {
    Watch<T> open(WatchOptions options);
  }

  /** How it reads. */
  record Manner(String name, int batchesAtOnce, long pauseMillis) {
    static Manner steady(String name) {
      return new Manner(name, Integer.MAX_VALUE, 0);
    }

    static Manner slow(String name, long pauseMillis) {
      return new Manner(name, Integer.MAX_VALUE, pauseMillis);
    }

    /** Closes its watch after so many batches, and resumes by the cursor. */
    static Manner resuming(String name, int batches) {
      return new Manner(name, batches, 0);
    }
  }

  private final Manner manner;
  private final Opening<T> opening;
  private final Function<T, String> key;
  private final List<String> told = new ArrayList<>();
  private WatchOptions options;
  private volatile int count;
  private volatile boolean begun;
  private volatile boolean stopped;

  Follower(Manner manner, WatchOptions begin, Opening<T> opening, Function<T, String> key) {
    this.manner = manner;
    this.opening = opening;
    this.key = key;
    this.options = begin;
  }

  @Override
  public void run() {
    while (!stopped) {
      try (Watch<T> watch = opening.open(options)) {
        begun = true;
        follow(watch);
      }
    }
  }

  private void follow(Watch<T> watch) {
    int batches = 0;
    while (!stopped && batches < manner.batchesAtOnce()) {
      WatchBatch<T> batch = watch.poll(PATIENCE).orElse(null);
      if (batch != null) {
        batch.items().forEach(item -> told.add(key.apply(item)));
        count = told.size();
        batches++;
        resume(batch.cursor());
        Threads.sleep(manner.pauseMillis());
      }
    }
  }

  private void resume(String cursor) {
    WatchOptions next = WatchOptions.after(cursor);
    options = options.initialState() ? next.withInitialState() : next;
  }

  /** Whether the service has fixed where it begins. */
  boolean hasBegun() {
    return begun;
  }

  void stop() {
    stopped = true;
  }

  String name() {
    return manner.name();
  }

  int count() {
    return count;
  }

  /** What it was told, once it has ended. */
  List<String> told() {
    return List.copyOf(told);
  }
}
