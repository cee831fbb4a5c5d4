package io.rapport.client;

import static java.lang.System.Logger.Level.INFO;
import static java.lang.System.Logger.Level.WARNING;

import io.grpc.Status.Code;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.versioning.v1.ClaimTrainingResponse;
import io.rapport.versioning.v1.CompleteTrainingRequest;
import io.rapport.versioning.v1.FailTrainingRequest;
import io.rapport.versioning.v1.ReportProgressRequest;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** One attempt at a training: keeps its lease while the trainer works, and ends it. */
final class TrainingAttempt {
  private static final System.Logger LOG = System.getLogger(RapportClient.class.getName());
  private static final int SIGNS_IN_A_LEASE = 3;
  private static final long MOST_TICK_MILLIS = 500;
  private static final int MAX_FAILURE = 2000;

  /** What the service says of a result that it can't take. */
  private static final Set<Code> REFUSALS =
      EnumSet.of(Code.INVALID_ARGUMENT, Code.ALREADY_EXISTS, Code.NOT_FOUND);

  private final TrainingCalls calls;
  private final TrainingJob job;
  private final String eventId;
  private final String leaseId;
  private final long leaseNanos;
  private volatile long lastSign = System.nanoTime();
  private volatile boolean calledOff;
  private TrainingJob.Told sent = new TrainingJob.Told(0, "");

  TrainingAttempt(TrainingCalls calls, ClaimTrainingResponse claimed, Duration leaseTime) {
    this.calls = calls;
    this.job = new TrainingJob(claimed.getTrainingEvent());
    this.eventId = claimed.getTrainingEvent().getId();
    this.leaseId = claimed.getLeaseId();
    this.leaseNanos = leaseTime.toNanos();
  }

  void cancel() {
    job.cancel();
  }

  void run(Trainer trainer) {
    ScheduledExecutorService clock =
        Executors.newSingleThreadScheduledExecutor(DaemonThreads.named("rapport-trainer-signs"));
    long tick =
        Math.min(
            MOST_TICK_MILLIS, TimeUnit.NANOSECONDS.toMillis(leaseNanos / SIGNS_IN_A_LEASE / 2));
    try {
      ScheduledFuture<?> unused =
          clock.scheduleWithFixedDelay(this::giveSign, tick, tick, TimeUnit.MILLISECONDS);
      end(outcome(trainer));
    } finally {
      clock.shutdownNow();
    }
  }

  /** Ends the attempt at the service. */
  private interface Ending {
    void send();
  }

  private Ending outcome(Trainer trainer) {
    try {
      TrainingResult result = trainer.train(job);
      CompleteTrainingRequest request =
          result
              .request()
              .setTrainingEventId(eventId)
              .setLeaseId(leaseId)
              .setRequestId(UUID.randomUUID().toString())
              .build();
      return () -> complete(request);
    } catch (TrainingFailedException failure) {
      return failing(String.valueOf(failure.getMessage()), failure.isRetryable());
    } catch (Throwable failure) { // the worker goes on, whatever a trainer does
      return failing(failure.toString(), true);
    }
  }

  private Ending failing(String reason, boolean retryable) {
    String kept = reason.length() > MAX_FAILURE ? reason.substring(0, MAX_FAILURE) : reason;
    FailTrainingRequest request =
        FailTrainingRequest.newBuilder()
            .setTrainingEventId(eventId)
            .setLeaseId(leaseId)
            .setFailure(kept.isEmpty() ? "failed" : kept)
            .setRetryable(retryable)
            .setRequestId(UUID.randomUUID().toString())
            .build();
    return () -> untilKnown(() -> calls.fail(request));
  }

  /** A result that the service can't take is a failure of the trainer's. */
  private void complete(CompleteTrainingRequest request) {
    try {
      untilKnown(() -> calls.complete(request));
    } catch (RapportException refusal) {
      if (!REFUSALS.contains(refusal.code())) {
        throw refusal;
      }
      failing("the result was refused: " + refusal.getMessage(), false).send();
    }
  }

  private void end(Ending ending) {
    if (calledOff) {
      return;
    }
    boolean interrupted = Thread.interrupted(); // which would break the call off
    try {
      ending.send();
    } catch (RapportException failure) {
      boolean lost = isLost(failure);
      LOG.log(lost ? INFO : WARNING, "training " + eventId + " can't be ended", failure);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static boolean isLost(RapportException failure) {
    return failure.reason() == ErrorReason.TRAINING_LEASE_LOST
        || failure.reason() == ErrorReason.TRAINING_STATE;
  }

  /** Repeats a call, under the same request id, as long as the lease can live. */
  private <A> A untilKnown(Supplier<A> call) {
    long begun = System.nanoTime();
    for (int failures = 1; ; failures++) {
      try {
        return call.get();
      } catch (RapportException failure) {
        long since = Math.max(begun, lastSign);
        if (!isPassing(failure) || System.nanoTime() - since > leaseNanos) {
          throw failure;
        }
        sleep(Backoff.STREAMS.next(failures, failure), failure);
      }
    }
  }

  private static boolean isPassing(RapportException failure) {
    return switch (failure.code()) {
      case UNAVAILABLE, UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, CANCELLED -> true;
      case ABORTED -> failure.reason() != ErrorReason.TRAINING_LEASE_LOST;
      default -> false;
    };
  }

  private static void sleep(Duration time, RapportException failure) {
    try {
      TimeUnit.NANOSECONDS.sleep(time.toNanos());
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
      throw failure;
    }
  }

  private void giveSign() {
    TrainingJob.Told told = job.told();
    boolean due = System.nanoTime() - lastSign >= leaseNanos / SIGNS_IN_A_LEASE;
    if (calledOff || (!due && told.equals(sent))) {
      return;
    }
    try {
      long at = System.nanoTime();
      boolean cancelled =
          calls
              .report(
                  ReportProgressRequest.newBuilder()
                      .setTrainingEventId(eventId)
                      .setLeaseId(leaseId)
                      .setProgress(told.progress())
                      .setMessage(told.message())
                      .build())
              .getCancelled();
      lastSign = at;
      sent = told;
      if (cancelled) {
        calledOff = true;
        job.cancel();
      }
    } catch (RapportException failure) {
      if (isLost(failure)) {
        job.cancel();
      }
    }
  }
}
