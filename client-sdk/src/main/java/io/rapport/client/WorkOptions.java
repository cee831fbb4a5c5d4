package io.rapport.client;

import java.time.Duration;

/**
 * How a {@link TrainingWorker} works. Start with {@link #defaults()}.
 *
 * @param worker what the service's operators see it as, 1 to 200 characters
 * @param leaseTime how long after its last sign of life a worker counts as lost, 1 s to 1 h; 60 s
 *     unless set. A sign is sent three times in it.
 * @param closeTime how long {@link TrainingWorker#close()} waits for a trainer; 10 s unless set
 */
public record WorkOptions(String worker, Duration leaseTime, Duration closeTime) {
  private static final WorkOptions DEFAULTS =
      new WorkOptions("rapport-java", Duration.ofSeconds(60), Duration.ofSeconds(10));

  /** Checks the ranges; throws IllegalArgumentException. */
  public WorkOptions {
    if (worker.isEmpty() || worker.length() > 200) {
      throw new IllegalArgumentException("worker must have 1 to 200 characters");
    }
    if (leaseTime.compareTo(Duration.ofSeconds(1)) < 0
        || leaseTime.compareTo(Duration.ofHours(1)) > 0) {
      throw new IllegalArgumentException("leaseTime must be 1 s to 1 h: " + leaseTime);
    }
    if (closeTime.isNegative()) {
      throw new IllegalArgumentException("closeTime must not be negative: " + closeTime);
    }
  }

  /** The defaults named above. */
  public static WorkOptions defaults() {
    return DEFAULTS;
  }

  /** The same under another name. */
  public WorkOptions withWorker(String name) {
    return new WorkOptions(name, leaseTime, closeTime);
  }

  /** The same, counting as lost after another time. */
  public WorkOptions withLeaseTime(Duration time) {
    return new WorkOptions(worker, time, closeTime);
  }

  /** The same, waiting another time for a trainer when it is closed. */
  public WorkOptions withCloseTime(Duration time) {
    return new WorkOptions(worker, leaseTime, time);
  }
}
