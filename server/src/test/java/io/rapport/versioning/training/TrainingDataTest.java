package io.rapport.versioning.training;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Duration;
import com.google.rpc.Code;
import io.rapport.client.DatasetsClient;
import io.rapport.client.LearningClient;
import io.rapport.client.RapportClient;
import io.rapport.client.Watch;
import io.rapport.client.WatchOptions;
import io.rapport.platform.v1.Change;
import io.rapport.platform.v1.ChangeFilter;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Tokens;
import io.rapport.server.Told;
import io.rapport.tracking.v1.Event;
import io.rapport.versioning.v1.ClaimTrainingRequest;
import io.rapport.versioning.v1.ClaimTrainingResponse;
import io.rapport.versioning.v1.CompleteTrainingRequest;
import io.rapport.versioning.v1.CompleteTrainingResponse;
import io.rapport.versioning.v1.DatasetSource;
import io.rapport.versioning.v1.FailTrainingRequest;
import io.rapport.versioning.v1.ListTrainingEventsRequest;
import io.rapport.versioning.v1.PromotionPolicy;
import io.rapport.versioning.v1.TrainingDataset;
import io.rapport.versioning.v1.TrainingEvent;
import io.rapport.versioning.v1.TrainingEvent.Status;
import io.rapport.versioning.v1.TrainingServiceGrpc;
import io.rapport.versioning.v1.TrainingServiceGrpc.TrainingServiceBlockingStub;
import io.rapport.versioning.v1.TrainingTriggerInfo;
import io.rapport.versioning.v1.TrainingTriggerInfo.Obstacle;
import io.rapport.versioning.v1.TriggerTrainingRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Trainings and the datasets that they are for. */
@Timeout(90)
class TrainingDataTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final java.time.Duration AT_MOST = java.time.Duration.ofSeconds(30);
  private static final String GOOD = "{\"amount\":1,\"kind\":\"saving\"}";
  private static final String POOR = "{\"amount\":null,\"kind\":null}";

  private TrainingServiceBlockingStub stub;
  private LearningClient learning;
  private DatasetsClient datasets;

  @BeforeEach
  void connect() {
    stub = TrainingServiceGrpc.newBlockingStub(rapport.channel());
    learning = rapport.client().learning();
    datasets = rapport.client().datasets();
  }

  private static void record(String json, int count) {
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      events.add(Given.eventWith(json).setEventType("goal_modification").build());
    }
    rapport.client().events().batch(events);
  }

  private List<TrainingEvent> trainings() {
    return learning.trainings(ListTrainingEventsRequest.getDefaultInstance()).toList();
  }

  private static void await(BooleanSupplier condition) {
    ChangeFilter filter = ChangeFilter.newBuilder().addKinds("versioning.training_event").build();
    long end = System.nanoTime() + AT_MOST.toNanos();
    try (Watch<Change> watch = rapport.client().changes().watch(filter, WatchOptions.fromNow())) {
      while (!condition.getAsBoolean()) {
        if (System.nanoTime() > end) {
          throw new AssertionError("it did not happen");
        }
        watch.poll(java.time.Duration.ofMillis(500));
      }
    }
  }

  /** Records what makes the dataset ready; returns the training that is asked for. */
  private TrainingEvent ready() {
    record(GOOD, 60);
    await(() -> !trainings().isEmpty());
    return trainings().getFirst();
  }

  private TrainingTriggerInfo trigger() {
    return learning.status("goal").getTypes(0).getTrigger();
  }

  private ClaimTrainingResponse claimed() {
    return stub.claimTraining(
        ClaimTrainingRequest.newBuilder().addModelTypes("goal").setWorker("w").build());
  }

  private static CompleteTrainingRequest.Builder completing(ClaimTrainingResponse claimed) {
    return CompleteTrainingRequest.newBuilder()
        .setTrainingEventId(claimed.getTrainingEvent().getId())
        .setLeaseId(claimed.getLeaseId())
        .setModelPath("models/goal/1");
  }

  private void requireAnotherAfterMoreData() {
    assertThat(trigger().getIsReadyForTraining()).isFalse();
    assertThat(trigger().getWouldTrigger()).isFalse();
    assertThat(trigger().getObstacle()).isEqualTo(Obstacle.TRAINING_FAILED);
    assertThat(trigger().getNextAssessmentCount()).isEqualTo(65);

    record(GOOD, 4);
    assertThat(trigger().getNextAssessmentCount()).isEqualTo(65);
    record(GOOD, 1);

    await(() -> trainings().size() == 2);
    assertThat(trainings().getFirst().getStatus()).isEqualTo(Status.PENDING);
    assertThat(trainings().getFirst().getCause()).isEqualTo(TrainingEvent.Cause.THRESHOLD);
  }

  @Test
  void asksAgainAfterAFailedTraining() {
    ready();
    ClaimTrainingResponse claimed = claimed();

    stub.failTraining(
        FailTrainingRequest.newBuilder()
            .setTrainingEventId(claimed.getTrainingEvent().getId())
            .setLeaseId(claimed.getLeaseId())
            .setFailure("no luck")
            .build());

    requireAnotherAfterMoreData();
  }

  @Test
  void asksAgainAfterOneThatWasCalledOff() {
    learning.cancel(ready().getId(), "not now");

    requireAnotherAfterMoreData();
  }

  @Test
  void asksAgainAfterOneWhoseWorkersWereLost() {
    learning
        .models()
        .policy(
            PromotionPolicy.newBuilder().setModelType("goal").setMaxTrainingAttempts(1).build());
    ready();
    stub.claimTraining(
        ClaimTrainingRequest.newBuilder()
            .setWorker("w")
            .setLeaseTime(Duration.newBuilder().setSeconds(1))
            .build());

    await(() -> trainings().getFirst().getStatus() == Status.FAILED);

    requireAnotherAfterMoreData();
  }

  @Test
  void leavesADatasetAloneThatIsNotReady() {
    String id = learning.trigger("goal", "").getTrainingEvent().getId();
    var before = datasets.byType("goal").orElseThrow();

    learning.cancel(id, "");

    assertThat(datasets.byType("goal").orElseThrow()).isEqualTo(before);
  }

  @Test
  void tellsTheQualityOfWhatWasFrozen() {
    learning.cancel(ready().getId(), "");
    double good = datasets.byType("goal").orElseThrow().getDataQualityScore();
    String manifest = datasets.freeze(trigger().getTrainingDatasetId()).getId();
    stub.triggerTraining(
        TriggerTrainingRequest.newBuilder().setModelType("goal").setManifestId(manifest).build());
    ClaimTrainingResponse claimed = claimed();
    assertThat(worsened(500)).isLessThan(good);

    CompleteTrainingResponse completed = stub.completeTraining(completing(claimed).build());

    assertThat(completed.getModelVersion().getDataQualityScore()).isEqualTo(good);
    assertThat(completed.getModelVersion().getManifestId()).isEqualTo(manifest);
  }

  /** Records poor data and has it assessed. */
  private double worsened(int count) {
    record(POOR, count);
    return datasets.assess(trigger().getTrainingDatasetId()).getOverallScore();
  }

  @Test
  void tellsTheQualityAtTheBeginningIfNothingWasFrozen() {
    ready();
    double good = datasets.byType("goal").orElseThrow().getDataQualityScore();
    ClaimTrainingResponse claimed = claimed();
    assertThat(worsened(500)).isLessThan(good);

    assertThat(
            stub.completeTraining(completing(claimed).build())
                .getModelVersion()
                .getDataQualityScore())
        .isEqualTo(good);
  }

  @Test
  void takesTheFirstAssessmentAfterTheFreezingIfThereWasNoneBefore() {
    record(GOOD, 10);
    String manifest = datasets.freeze(trigger().getTrainingDatasetId()).getId();
    double good = datasets.assess(trigger().getTrainingDatasetId()).getOverallScore();
    assertThat(worsened(30)).isLessThan(good);
    stub.triggerTraining(
        TriggerTrainingRequest.newBuilder().setModelType("goal").setManifestId(manifest).build());

    assertThat(
            stub.completeTraining(completing(claimed()).build())
                .getModelVersion()
                .getDataQualityScore())
        .isEqualTo(good);
  }

  @Test
  void keepsWhatTheWorkerFroze() {
    ready();
    ClaimTrainingResponse claimed = claimed();
    String manifest = datasets.freeze(trigger().getTrainingDatasetId()).getId();
    record(GOOD, 3);
    String other = datasets.freeze(trigger().getTrainingDatasetId()).getId();

    CompleteTrainingResponse completed =
        stub.completeTraining(completing(claimed).setManifestId(manifest).build());

    assertThat(other).isNotEqualTo(manifest);
    assertThat(completed.getTrainingEvent().getManifestId()).isEqualTo(manifest);
    assertThat(completed.getModelVersion().getManifestId()).isEqualTo(manifest);
    assertThat(trigger().getDataCount()).isEqualTo(3);
  }

  @Test
  void refusesManifestsThatItWasNotTrainedWith() {
    String manifest = datasets.freeze(trigger().getTrainingDatasetId()).getId();
    String other = datasets.freeze(trigger().getTrainingDatasetId()).getId();
    String foreign = datasets.freeze(datasets.byType("spending").orElseThrow().getId()).getId();
    stub.triggerTraining(
        TriggerTrainingRequest.newBuilder().setModelType("goal").setManifestId(manifest).build());
    ClaimTrainingResponse claimed = claimed();

    Told notThis =
        Told.by(() -> stub.completeTraining(completing(claimed).setManifestId(other).build()));
    assertThat(notThis.fields()).containsExactly("manifest_id");
    for (String unknown : List.of(foreign, Given.id())) {
      Told told =
          Told.by(() -> stub.completeTraining(completing(claimed).setManifestId(unknown).build()));
      assertThat(told.code()).isIn(Code.NOT_FOUND, Code.INVALID_ARGUMENT);
    }
    stub.completeTraining(completing(claimed).setManifestId(manifest).build());
  }

  @Test
  void replacesLostWorkersThoughSomeCantBe() {
    List<RapportClient> tenants = new ArrayList<>();
    try {
      failEndings();
      for (int i = 0; i < 6; i++) {
        UUID tenant = rapport.newTenant();
        RapportClient client = rapport.clientOf(tenant);
        tenants.add(client);
        client
            .datasets()
            .create(
                TrainingDataset.newBuilder()
                    .setDatasetType("faulty")
                    .setThreshold(10)
                    .addSources(DatasetSource.newBuilder().setEventType("sample"))
                    .build());
        client.learning().trigger("faulty", "");
        lose(
            TrainingServiceGrpc.newBlockingStub(
                rapport.channel(rapport.tokens().of(tenant, Tokens.ALL_RIGHTS))));
      }
      learning.trigger("goal", "");
      lose(stub);

      await(() -> trainings().getFirst().getStatus() == Status.PENDING);

      assertThat(trainings().getFirst().getFailure()).contains("lost");
    } finally {
      rapport.sql().execute("DROP FUNCTION versioning.fail_in_a_test() CASCADE");
      tenants.forEach(RapportClient::close);
    }
  }

  private static void lose(TrainingServiceBlockingStub worker) {
    worker.claimTraining(
        ClaimTrainingRequest.newBuilder()
            .setWorker("w")
            .setLeaseTime(Duration.newBuilder().setSeconds(1))
            .build());
  }

  private static void failEndings() {
    rapport
        .sql()
        .execute(
            """
            CREATE OR REPLACE FUNCTION versioning.fail_in_a_test() RETURNS trigger
              LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a test'; END $$
            """);
    rapport
        .sql()
        .execute(
            """
            CREATE TRIGGER fail_endings BEFORE UPDATE ON versioning.model_training_events
              FOR EACH ROW WHEN (NEW.model_type = 'faulty' AND OLD.status = 'IN_PROGRESS')
              EXECUTE FUNCTION versioning.fail_in_a_test()
            """);
  }
}
