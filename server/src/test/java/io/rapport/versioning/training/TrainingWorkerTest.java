package io.rapport.versioning.training;

import static org.assertj.core.api.Assertions.assertThat;

import io.rapport.client.LearningClient;
import io.rapport.client.RapportClient;
import io.rapport.client.TrainingFailedException;
import io.rapport.client.TrainingJob;
import io.rapport.client.TrainingResult;
import io.rapport.client.TrainingWorker;
import io.rapport.client.Watch;
import io.rapport.client.WatchOptions;
import io.rapport.client.WorkOptions;
import io.rapport.platform.v1.Change;
import io.rapport.platform.v1.ChangeFilter;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.RapportServer;
import io.rapport.server.Tokens;
import io.rapport.versioning.v1.ListModelVersionsRequest;
import io.rapport.versioning.v1.TrainingEvent;
import io.rapport.versioning.v1.TrainingEvent.Status;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The SDK's workers. */
@Timeout(60)
class TrainingWorkerTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final WorkOptions BRIEF =
      WorkOptions.defaults().withWorker("tester").withLeaseTime(Duration.ofSeconds(1));

  private LearningClient learning;

  @BeforeEach
  void connect() {
    learning = rapport.client().learning();
  }

  /** Waits until the training is as it should be. */
  private TrainingEvent awaited(String id, Predicate<TrainingEvent> condition) {
    ChangeFilter filter = ChangeFilter.newBuilder().addKinds("versioning.training_event").build();
    try (Watch<Change> watch = rapport.client().changes().watch(filter, WatchOptions.fromNow())) {
      while (true) {
        TrainingEvent event = learning.training(id).orElseThrow();
        if (condition.test(event)) {
          return event;
        }
        watch.next();
      }
    }
  }

  private TrainingEvent ended(String id) {
    return awaited(id, TrainingEvent::hasEndedAt);
  }

  private String triggered() {
    return learning.trigger("goal", "").getTrainingEvent().getId();
  }

  @Test
  void trainsWhatIsAskedFor() {
    try (TrainingWorker worker =
        learning.work(
            List.of("goal"),
            job -> {
              assertThat(job.datasetId()).isNotEmpty();
              return TrainingResult.of("models/" + job.modelType())
                  .withScore(0.75)
                  .withDataSize(42)
                  .withMetrics(Map.of("f1", 0.5));
            },
            BRIEF)) {
      TrainingEvent event = ended(triggered());

      assertThat(event.getStatus()).isEqualTo(Status.COMPLETED);
      assertThat(event.getWorker()).isEqualTo("tester");
      assertThat(event.getTrainingDataSize()).isEqualTo(42);
      assertThat(ended(triggered()).getStatus()).isEqualTo(Status.COMPLETED);
      assertThat(worker.isRunning()).isTrue();
    }
    assertThat(learning.models().list(ListModelVersionsRequest.getDefaultInstance())).hasSize(2);
  }

  @Test
  void keepsItsLeaseWhileItTrains() {
    CountDownLatch enough = new CountDownLatch(1);
    try (TrainingWorker worker =
        learning.work(
            List.of("goal"),
            job -> {
              job.progress(0.5, "half");
              enough.await();
              return TrainingResult.of("m");
            },
            BRIEF)) {
      String id = triggered();
      TrainingEvent half = awaited(id, it -> it.getProgress() == 0.5);
      assertThat(half.getProgressMessage()).isEqualTo("half");
      var first = half.getLeaseExpiresAt();
      TrainingEvent later = learning.training(id).orElseThrow();
      while (later.getLeaseExpiresAt().getSeconds() < first.getSeconds() + 2) {
        later = learning.training(id).orElseThrow(); // two leases later
      }
      assertThat(later.getAttempts()).isEqualTo(1);
      enough.countDown();
      assertThat(ended(id).getStatus()).isEqualTo(Status.COMPLETED);
      assertThat(worker.isRunning()).isTrue();
    }
  }

  @Test
  void tellsWhatItFroze() {
    try (TrainingWorker worker =
        learning.work(
            "goal",
            job ->
                TrainingResult.of("m")
                    .withManifest(rapport.client().datasets().freeze(job.datasetId()).getId()))) {
      TrainingEvent event = ended(triggered());

      assertThat(event.getStatus()).isEqualTo(Status.COMPLETED);
      assertThat(rapport.client().datasets().manifests(event.getTrainingDatasetId()))
          .singleElement()
          .satisfies(it -> assertThat(it.getId()).isEqualTo(event.getManifestId()));
      assertThat(worker.isRunning()).isTrue();
    }
  }

  @Test
  void failsWhatNamesAnotherManifest() {
    try (TrainingWorker worker =
        learning.work("goal", job -> TrainingResult.of("m").withManifest(Given.id()))) {
      TrainingEvent event = ended(triggered());

      assertThat(event.getStatus()).isEqualTo(Status.FAILED);
      assertThat(event.getFailure()).contains("manifest");
      assertThat(worker.isRunning()).isTrue();
    }
  }

  @Test
  void failsWhatThrows() {
    try (TrainingWorker worker =
        learning.work(
            "goal",
            job -> {
              if (job.event().getAttempts() == 1) {
                throw new IllegalStateException("first");
              }
              throw new TrainingFailedException("second", false);
            })) {
      TrainingEvent event = ended(triggered());

      assertThat(event.getStatus()).isEqualTo(Status.FAILED);
      assertThat(event.getAttempts()).isEqualTo(2);
      assertThat(event.getFailure()).isEqualTo("second");
      assertThat(worker.isRunning()).isTrue();
    }
  }

  @Test
  void failsWhatBreaksAnAssertion() {
    try (TrainingWorker worker =
        learning.work(
            "goal",
            job -> {
              if (job.event().getAttempts() == 1) {
                throw new AssertionError("must not be");
              }
              return TrainingResult.of("m");
            })) {
      TrainingEvent event = ended(triggered());

      assertThat(event.getStatus()).isEqualTo(Status.COMPLETED);
      assertThat(event.getAttempts()).isEqualTo(2);
      assertThat(worker.isRunning()).isTrue();
    }
  }

  @Test
  void failsWhatTheServiceRefuses() {
    try (TrainingWorker worker =
        learning.work("goal", job -> TrainingResult.of("m").withVersion("first"))) {
      TrainingEvent event = ended(triggered());

      assertThat(event.getStatus()).isEqualTo(Status.FAILED);
      assertThat(event.getFailure()).contains("version");
      assertThat(worker.isRunning()).isTrue();
    }
  }

  @Test
  void tellsTheTrainerThatItWasCalledOff() {
    CountDownLatch told = new CountDownLatch(1);
    try (TrainingWorker worker =
        learning.work(List.of("goal"), job -> untilCancelled(job, told), BRIEF)) {
      String id = triggered();
      awaited(id, it -> it.getStatus() == Status.IN_PROGRESS);
      learning.cancel(id, "");

      assertThat(ended(id).getStatus()).isEqualTo(Status.CANCELLED);
      told.await();
      assertThat(worker.isRunning()).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static TrainingResult untilCancelled(TrainingJob job, CountDownLatch told) {
    while (!job.isCancelled()) {
      Thread.onSpinWait();
    }
    told.countDown();
    throw new IllegalStateException("stopped");
  }

  @Test
  void givesBackWhatItWasDoingWhenItIsClosed() {
    TrainingWorker worker =
        learning.work(List.of("goal"), job -> untilCancelled(job, new CountDownLatch(1)), BRIEF);
    String id = triggered();
    awaited(id, it -> it.getStatus() == Status.IN_PROGRESS);

    worker.close();

    assertThat(worker.isRunning()).isFalse();
    assertThat(learning.training(id).orElseThrow().getStatus()).isEqualTo(Status.PENDING);
  }

  @Test
  void outlivesItsServer() {
    RapportServer first = rapport.serve(Map.of());
    int port = first.port();
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch stopped = new CountDownLatch(1);
    try (RapportClient client =
            RapportClient.builder("127.0.0.1:" + port)
                .token(rapport.tokens().of(rapport.tenant(), Tokens.ALL_RIGHTS))
                .build();
        TrainingWorker worker =
            client
                .learning()
                .work(
                    List.of("goal"),
                    job -> {
                      begun.countDown();
                      stopped.await();
                      return TrainingResult.of("m");
                    },
                    BRIEF.withLeaseTime(Duration.ofSeconds(60)))) {
      String id = triggered();
      begun.await();
      first.close();
      stopped.countDown();
      try (RapportServer second = rapport.serve(Map.of("RAPPORT_PORT", String.valueOf(port)))) {
        assertThat(ended(id).getStatus()).isEqualTo(Status.COMPLETED);
        assertThat(second.port()).isEqualTo(port);
        assertThat(worker.isRunning()).isTrue();
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
