package io.rapport.client;

import java.time.Duration;

/**
 * A point in the life of a client.
 *
 * @param nanos by {@link System#nanoTime}
 * @param position how far the client had written and read
 */
record Moment(long nanos, String position) {
  static Moment now(Freshness freshness) {
    return new Moment(System.nanoTime(), freshness.position());
  }

  /** Whether what was read at this moment is good for who began at the other one. */
  boolean serves(Moment begun, Duration slack) {
    return begun.nanos - nanos <= slack.toNanos() && begun.position.compareTo(position) <= 0;
  }
}
