package io.rapport.client;

import static java.lang.System.Logger.Level.INFO;
import static java.lang.System.Logger.Level.WARNING;

import io.rapport.versioning.v1.ClaimTrainingRequest;
import io.rapport.versioning.v1.ClaimTrainingResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Trains models as long as it isn't closed, one after the other: claims a training, has the trainer
 * do it while telling the service that it is alive, and completes it, or fails it if the trainer
 * throws. A lost connection doesn't stop it.
 */
public final class TrainingWorker implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(RapportClient.class.getName());
  private static final Duration WAIT = Duration.ofSeconds(20);
  private static final Duration MARGIN = Duration.ofSeconds(5);

  private final TrainingCalls calls;
  private final List<String> modelTypes;
  private final Trainer trainer;
  private final WorkOptions options;
  private final Thread thread;
  private volatile boolean closed;
  private volatile @Nullable TrainingAttempt current;

  TrainingWorker(
      TrainingCalls calls, List<String> modelTypes, Trainer trainer, WorkOptions options) {
    this.calls = calls;
    this.modelTypes = modelTypes;
    this.trainer = trainer;
    this.options = options;
    this.thread = DaemonThreads.named("rapport-trainer").newThread(this::work);
  }

  void start() {
    thread.start();
  }

  private void work() {
    int failures = 0;
    while (!closed) {
      try {
        ClaimTrainingResponse claimed = claim();
        failures = 0;
        if (claimed.hasTrainingEvent()) {
          attempt(claimed);
        }
      } catch (RapportException failure) {
        failures++;
        if (!closed) {
          LOG.log(failures == 1 ? WARNING : INFO, "no training can be claimed", failure);
          pause(Backoff.STREAMS.next(failures, failure));
        }
      } catch (RuntimeException | Error failure) { // as when no thread can be started
        LOG.log(WARNING, "a training could not be attempted", failure);
        pause(MARGIN);
      }
    }
  }

  private ClaimTrainingResponse claim() {
    ClaimTrainingRequest request =
        ClaimTrainingRequest.newBuilder()
            .addAllModelTypes(modelTypes)
            .setWorker(options.worker())
            .setLeaseTime(Times.duration(options.leaseTime()))
            .setMaxWait(Times.duration(WAIT))
            .build();
    return calls.claim(request, WAIT.plus(MARGIN));
  }

  private void attempt(ClaimTrainingResponse claimed) {
    TrainingAttempt attempt = new TrainingAttempt(calls, claimed, options.leaseTime());
    current = attempt;
    if (closed) {
      attempt.cancel();
    }
    try {
      attempt.run(trainer);
    } finally {
      current = null;
      boolean unused = Thread.interrupted(); // the trainer's business alone
    }
  }

  private void pause(Duration time) {
    try {
      TimeUnit.NANOSECONDS.sleep(time.toNanos());
    } catch (InterruptedException stop) {
      closed = true;
    }
  }

  /** Whether it still claims trainings. */
  public boolean isRunning() {
    return thread.isAlive() && !closed;
  }

  /**
   * Claims no more. A trainer at work sees that its job is cancelled and has some time to return,
   * then it is interrupted; what it doesn't complete is given back for another attempt.
   */
  @Override
  public void close() {
    closed = true;
    TrainingAttempt running = current;
    if (running == null) {
      thread.interrupt();
    } else {
      running.cancel();
    }
    try {
      thread.join(Math.max(1, options.closeTime().toMillis()));
      if (thread.isAlive()) {
        thread.interrupt();
        thread.join(MARGIN.toMillis());
      }
    } catch (InterruptedException stop) {
      thread.interrupt();
      Thread.currentThread().interrupt();
    }
  }
}
