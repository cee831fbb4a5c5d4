package io.rapport.client;

import io.grpc.Deadline;
import io.rapport.platform.v1.ErrorReason;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Repeats calls that may be repeated, up to three tries and never past the deadline. */
final class Retrier {
  private static final int TRIES = 3;

  /** Lets a thread wait. */
  interface Pause {
    void sleep(Duration time) throws InterruptedException;
  }

  private final RetryBudget budget = new RetryBudget();
  private final Pause pause;

  Retrier(Pause pause) {
    this.pause = pause;
  }

  <A> A run(boolean repeatable, Deadline deadline, Supplier<A> call) {
    for (int tries = 1; ; tries++) {
      try {
        A answer = call.get();
        budget.earn();
        return answer;
      } catch (RapportException failure) {
        if (!repeatable || tries == TRIES || !passing(failure)) {
          throw failure;
        }
        await(Backoff.CALLS.next(tries, failure), deadline, failure);
      }
    }
  }

  /** Whether the same call may succeed a moment later. */
  private static boolean passing(RapportException failure) {
    return switch (failure.code()) {
      case UNAVAILABLE -> true;
      case UNKNOWN -> failure.reason() == ErrorReason.COMMIT_OUTCOME_UNKNOWN;
      default -> false;
    };
  }

  private void await(Duration time, Deadline deadline, RapportException failure) {
    if (deadline.timeRemaining(TimeUnit.NANOSECONDS) <= time.toNanos() || !budget.spend()) {
      throw failure;
    }
    try {
      pause.sleep(time);
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
      throw failure;
    }
  }
}
