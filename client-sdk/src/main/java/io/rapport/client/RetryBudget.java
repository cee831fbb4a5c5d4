package io.rapport.client;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Keeps retries to a tenth of what succeeds, so that they don't hold down a service that is down. A
 * retry costs ten points, a call that succeeds earns one; there are never more than a hundred.
 */
final class RetryBudget {
  private static final int FULL = 100;
  private static final int RETRY = 10;

  private final AtomicInteger points = new AtomicInteger(FULL);

  void earn() {
    if (points.get() < FULL) {
      points.getAndUpdate(p -> Math.min(FULL, p + 1));
    }
  }

  boolean spend() {
    return points.getAndUpdate(p -> p >= RETRY ? p - RETRY : p) >= RETRY;
  }
}
