package io.rapport.versioning.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import io.rapport.client.LearningClient;
import io.rapport.client.ModelsClient;
import io.rapport.client.RapportClient;
import io.rapport.client.Watch;
import io.rapport.client.WatchOptions;
import io.rapport.monitoring.v1.AnomalyAlert;
import io.rapport.monitoring.v1.AnomalyAlertFilter;
import io.rapport.monitoring.v1.LoggedPrediction;
import io.rapport.monitoring.v1.Outcome;
import io.rapport.monitoring.v1.OutcomeReport;
import io.rapport.platform.v1.Change;
import io.rapport.platform.v1.ChangeFilter;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import io.rapport.versioning.v1.GateOverride;
import io.rapport.versioning.v1.ListModelActivationsRequest;
import io.rapport.versioning.v1.ListTrainingEventsRequest;
import io.rapport.versioning.v1.ModelActivation;
import io.rapport.versioning.v1.ModelPerformance;
import io.rapport.versioning.v1.ModelPerformanceServiceGrpc;
import io.rapport.versioning.v1.ModelVersion;
import io.rapport.versioning.v1.PromoteModelVersionRequest;
import io.rapport.versioning.v1.PromotionGate.Gate;
import io.rapport.versioning.v1.PromotionPolicy;
import io.rapport.versioning.v1.RecordModelPerformanceRequest;
import io.rapport.versioning.v1.RegisterModelVersionRequest;
import io.rapport.versioning.v1.TrainingEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the service does about active versions by itself. */
@Timeout(90)
class KeptVersionsTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final Duration AT_MOST = Duration.ofSeconds(30);

  private LearningClient learning;
  private ModelsClient models;

  @BeforeEach
  void connect() {
    learning = rapport.client().learning();
    models = learning.models();
  }

  private static ModelVersion promoted(RapportClient client, String type, String version) {
    return promote(
        client,
        client
            .learning()
            .models()
            .register(
                RegisterModelVersionRequest.newBuilder()
                    .setModelType(type)
                    .setVersion(version)
                    .setModelPath("m")
                    .setValidationScore(0.8)
                    .build()));
  }

  private static ModelVersion promote(RapportClient client, ModelVersion version) {
    PromoteModelVersionRequest.Builder request =
        PromoteModelVersionRequest.newBuilder().setModelVersionId(version.getId());
    Arrays.stream(Gate.values())
        .filter(it -> it != Gate.GATE_UNSPECIFIED && it != Gate.UNRECOGNIZED)
        .forEach(
            it -> request.addOverrides(GateOverride.newBuilder().setGate(it).setReason("a test")));
    return client.learning().models().promote(request.build()).getModelVersion();
  }

  private ModelVersion promoted(String version) {
    return promoted(rapport.client(), "goal", version);
  }

  private static ModelPerformance.Builder measured(String type, double value, long samples) {
    return ModelPerformance.newBuilder()
        .setModelName(type)
        .setVersion("2.0.0")
        .setAccuracyMetric(value)
        .setSampleCount(samples);
  }

  /** Logs predictions of a class, of which some come true. */
  private static void judged(String version, int right, int wrong) {
    List<LoggedPrediction> predictions = new ArrayList<>();
    List<OutcomeReport> outcomes = new ArrayList<>();
    for (int i = 0; i < right + wrong; i++) {
      String id = Given.id();
      predictions.add(predicted(id, version).setPredictedClass("saves").build());
      outcomes.add(
          cameTrue(id, Outcome.newBuilder().setActualClass(i < right ? "saves" : "spends")));
    }
    rapport.client().predictions().batch(predictions);
    rapport.client().predictions().outcomes(outcomes);
  }

  private static LoggedPrediction.Builder predicted(String id, String version) {
    return LoggedPrediction.newBuilder().setId(id).setModelName("goal").setModelVersion(version);
  }

  private static OutcomeReport cameTrue(String id, Outcome.Builder outcome) {
    return OutcomeReport.newBuilder().setPredictionId(id).setOutcome(outcome).build();
  }

  /** Logs predictions of numbers that explain nothing of what came true. */
  private static void missed(String version, int count) {
    List<LoggedPrediction> predictions = new ArrayList<>();
    List<OutcomeReport> outcomes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String id = Given.id();
      predictions.add(predicted(id, version).setPredictionValue(count - i).build());
      outcomes.add(cameTrue(id, Outcome.newBuilder().setActualValue(i)));
    }
    rapport.client().predictions().batch(predictions);
    rapport.client().predictions().outcomes(outcomes);
  }

  private static void await(RapportClient client, BooleanSupplier condition) {
    ChangeFilter filter =
        ChangeFilter.newBuilder()
            .addAllKinds(List.of("versioning.model_version", "versioning.training_event"))
            .build();
    long end = System.nanoTime() + AT_MOST.toNanos();
    try (Watch<Change> watch = client.changes().watch(filter, WatchOptions.fromNow())) {
      while (!condition.getAsBoolean()) {
        if (System.nanoTime() > end) {
          throw new AssertionError("it did not happen");
        }
        watch.poll(Duration.ofMillis(500));
      }
    }
  }

  private static boolean isRolledBack(RapportClient client, String type) {
    return client.learning().models().active(type).orElseThrow().getVersion().equals("1.0.0");
  }

  /** Waits until all that was there has been looked at: the second round began after the first. */
  private void awaitARound() {
    for (String type : List.of("sentinel", "second-sentinel")) {
      promoted(rapport.client(), type, "1.0.0");
      promoted(rapport.client(), type, "2.0.0");
      models.record(List.of(measured(type, 0.1, 100).build()));
      await(rapport.client(), () -> isRolledBack(rapport.client(), type));
    }
  }

  private String active() {
    return models.active("goal").orElseThrow().getVersion();
  }

  @Test
  void rollsBackByWhatCameTrue() {
    promoted("1.0.0");
    ModelVersion bad = promoted("2.0.0");

    judged("2.0.0", 10, 10);

    await(rapport.client(), () -> active().equals("1.0.0"));
    ModelActivation activation =
        models.activations(ListModelActivationsRequest.getDefaultInstance()).findFirst().get();
    assertThat(activation.getCause()).isEqualTo(ModelActivation.Cause.AUTOMATIC_ROLLBACK);
    assertThat(activation.getReason()).contains("0.5", "20 samples", "0.8");
    assertThat(activation.getReplacedVersionId()).isEqualTo(bad.getId());
    assertThat(learning.trainings(ListTrainingEventsRequest.getDefaultInstance()))
        .singleElement()
        .satisfies(it -> assertThat(it.getCause()).isEqualTo(TrainingEvent.Cause.ROLLBACK));
  }

  @Test
  void tellsTheLivePerformanceOfTheActiveVersion() {
    ModelVersion version = promoted("1.0.0");

    judged("1.0.0", 18, 2);

    await(
        rapport.client(),
        () -> models.get(version.getId()).orElseThrow().getPerformanceCurrent() == 0.9);
    ModelVersion told = models.get(version.getId()).orElseThrow();
    assertThat(told.getPerformanceSamples()).isEqualTo(20);
    assertThat(told.hasPerformanceAt()).isTrue();
  }

  @Test
  void tellsTheLivePerformanceThatLedToARollback() {
    promoted("1.0.0");
    ModelVersion bad = promoted("2.0.0");

    judged("2.0.0", 0, 20);

    await(rapport.client(), () -> active().equals("1.0.0"));
    assertThat(models.get(bad.getId()).orElseThrow().getPerformanceCurrent()).isZero();
  }

  @Test
  void leavesAloneWhatThePolicySays() {
    models.policy(
        PromotionPolicy.newBuilder().setModelType("goal").setAutomaticRollback(false).build());
    assertThat(models.policy("goal").orElseThrow().getAutomaticRollback()).isFalse();
    assertThat(models.policy("goal").orElseThrow().getRollbackShare()).isEqualTo(0.9);
    promoted("1.0.0");
    promoted("2.0.0");

    models.record(List.of(measured("goal", 0.1, 100).build()));
    awaitARound();

    assertThat(active()).isEqualTo("2.0.0");
  }

  @Test
  void leavesAloneWhatTooFewSamplesTellOf() {
    promoted("1.0.0");
    promoted("2.0.0");

    models.record(List.of(measured("goal", 0.1, 19).build()));
    awaitARound();

    assertThat(active()).isEqualTo("2.0.0");
  }

  @Test
  void comparesOnlyTheMainMetricWithTheBaseline() {
    models.policy(PromotionPolicy.newBuilder().setModelType("goal").setMainMetric("auc").build());
    promoted("1.0.0");
    promoted("2.0.0");

    judged("2.0.0", 10, 10);
    awaitARound();

    assertThat(active()).isEqualTo("2.0.0");
  }

  @Test
  void findsTheMainMetricAmongSeveral() {
    models.policy(
        PromotionPolicy.newBuilder().setModelType("goal").setMainMetric("r_squared").build());
    promoted("1.0.0");
    promoted("2.0.0");

    judged("2.0.0", 20, 0);
    missed("2.0.0", 20);

    await(rapport.client(), () -> active().equals("1.0.0"));
  }

  @Test
  void goesByWhatWasRecordedIfTooLittleCameTrue() {
    promoted("1.0.0");
    promoted("2.0.0");
    judged("2.0.0", 1, 0);

    models.record(List.of(measured("goal", 0.1, 1000).build()));

    await(rapport.client(), () -> active().equals("1.0.0"));
  }

  @Test
  void countsNothingFromBeforeItBecameActiveAgain() {
    promoted("1.0.0");
    ModelVersion second = promoted("2.0.0");
    judged("2.0.0", 0, 20);
    await(rapport.client(), () -> active().equals("1.0.0"));

    promote(rapport.client(), second);
    awaitARound();

    assertThat(active()).isEqualTo("2.0.0");
  }

  @Test
  void asksForATrainingIfThereIsNothingToReturnTo() {
    ModelVersion only = promoted("1.0.0");

    judged("1.0.0", 10, 10);

    await(
        rapport.client(),
        () ->
            learning.trainings(ListTrainingEventsRequest.getDefaultInstance()).count() == 1
                && models.get(only.getId()).orElseThrow().getPerformanceCurrent() == 0.5);
    awaitARound();
    assertThat(active()).isEqualTo("1.0.0");
    assertThat(
            learning
                .trainings(ListTrainingEventsRequest.getDefaultInstance())
                .filter(it -> it.getModelType().equals("goal")))
        .singleElement()
        .satisfies(it -> {
          assertThat(it.getCause()).isEqualTo(TrainingEvent.Cause.PERFORMANCE);
          assertThat(it.getReason()).contains("0.5", "20 samples");
        });
    assertThat(models.activeAt("goal", Instant.now()).orElseThrow().getActivation().hasDegradedAt())
        .isTrue();
    assertThat(
            rapport
                .client()
                .alerts()
                .list(AnomalyAlertFilter.newBuilder().setModelName("goal").build()))
        .singleElement()
        .satisfies(it -> {
          assertThat(it.getAlertType()).isEqualTo("performance");
          assertThat(it.getCause()).isEqualTo(AnomalyAlert.Cause.PERFORMANCE);
          assertThat(it.getSeverity()).isEqualTo(AnomalyAlert.Severity.HIGH);
          assertThat(it.getOccurrences()).isOne();
        });
  }

  @Test
  void refusesWindowsThatEndInTheFuture() {
    promoted("1.0.0");
    promoted("2.0.0");
    long hence = rapport.clock().instant().plusSeconds(3600).getEpochSecond();
    ModelPerformance early =
        measured("goal", 0.1, 100).setWindowEndAt(Timestamp.newBuilder().setSeconds(hence)).build();

    Told told =
        Told.by(() ->
            ModelPerformanceServiceGrpc.newBlockingStub(rapport.channel())
                .recordModelPerformance(
                    RecordModelPerformanceRequest.newBuilder().addRecords(early).build()));

    assertThat(told.fields()).containsExactly("records[0].window_end_at");
  }

  @Test
  void looksAfterOthersIfSomeCantBe() {
    List<RapportClient> tenants = new ArrayList<>();
    try {
      failRollbacks();
      for (int i = 0; i < 6; i++) {
        RapportClient client = rapport.clientOf(rapport.newTenant());
        tenants.add(client);
        promoted(client, "faulty", "1.0.0");
        promoted(client, "faulty", "2.0.0");
        client.learning().models().record(List.of(measured("faulty", 0.1, 100).build()));
      }
      promoted("1.0.0");
      promoted("2.0.0");

      models.record(List.of(measured("goal", 0.1, 100).build()));

      await(rapport.client(), () -> active().equals("1.0.0"));
      assertThat(tenants.getFirst().learning().models().active("faulty").orElseThrow().getVersion())
          .isEqualTo("2.0.0");
    } finally {
      rapport.sql().execute("DROP FUNCTION versioning.fail_in_a_test() CASCADE");
      tenants.forEach(RapportClient::close);
    }
  }

  private static void failRollbacks() {
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
            CREATE TRIGGER fail_rollbacks BEFORE INSERT ON versioning.model_activations FOR EACH ROW
              WHEN (NEW.model_type = 'faulty' AND NEW.cause = 'AUTOMATIC_ROLLBACK')
              EXECUTE FUNCTION versioning.fail_in_a_test()
            """);
  }
}
