package io.rapport.client;

import java.time.Duration;

/** How long calls may take, retries included, by kind. */
record Deadlines(Duration read, Duration write, Duration batch) {
  static final Deadlines DEFAULT =
      new Deadlines(Duration.ofSeconds(5), Duration.ofSeconds(10), Duration.ofSeconds(30));
}
