package io.rapport.client;

import io.grpc.Deadline;
import io.rapport.platform.v1.ErrorReason;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

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
    UnknownOutcomeException open = null;
    for (int tries = 1; ; tries++) {
      try {
        A answer = call.get();
        budget.earn();
        return answer;
      } catch (RapportException failure) {
        RapportException known = known(open, failure);
        open = known instanceof UnknownOutcomeException unknown ? unknown : open;
        if (!repeatable || tries == TRIES || !passing(failure)) {
          throw known;
        }
        await(Backoff.CALLS.next(tries, failure), deadline, known);
      }
    }
  }

  /**
   * What is known of a call after this failure. If an earlier try may have done it, it still may
   * have, unless the service has now judged the request itself.
   */
  private static RapportException known(
      @Nullable UnknownOutcomeException open, RapportException failure) {
    return switch (failure.code()) {
      case INVALID_ARGUMENT, OUT_OF_RANGE, NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION ->
          failure;
      default -> {
        if (open == null || failure instanceof UnknownOutcomeException) {
          yield failure;
        }
        open.addSuppressed(failure);
        yield open;
      }
    };
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
