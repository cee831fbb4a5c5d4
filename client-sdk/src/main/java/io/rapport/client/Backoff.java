package io.rapport.client;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * How long to wait before a retry: a random part of a time that doubles with every try, on top of
 * what the service asked for.
 */
record Backoff(Duration first, Duration most) {
  static final Backoff CALLS = new Backoff(Duration.ofMillis(50), Duration.ofSeconds(1));
  static final Backoff STREAMS = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(5));

  /**
   * The wait before the next try.
   *
   * @param failures how many tries have failed, from 1
   */
  Duration next(int failures, RapportException failure) {
    long doubled = first.toNanos() << Math.min(failures - 1, 20);
    long bound = Math.min(doubled, most.toNanos());
    long jitter = ThreadLocalRandom.current().nextLong(bound + 1);
    return failure.retryDelay().orElse(Duration.ZERO).plusNanos(jitter);
  }
}
