package io.rapport.versioning.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import com.google.protobuf.Timestamp;
import com.google.protobuf.Value;
import com.google.rpc.Code;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.OpaqueValue;
import io.rapport.caching.v1.Prediction;
import io.rapport.caching.v1.PredictionKey;
import io.rapport.caching.v1.PredictionValue;
import io.rapport.client.LearningClient;
import io.rapport.client.ModelsClient;
import io.rapport.client.RapportClient;
import io.rapport.client.TrainingResult;
import io.rapport.client.TrainingWorker;
import io.rapport.client.Watch;
import io.rapport.client.WatchOptions;
import io.rapport.platform.v1.Change;
import io.rapport.platform.v1.ChangeFilter;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.RapportServer;
import io.rapport.server.Told;
import io.rapport.tracking.v1.Event;
import io.rapport.versioning.v1.CompareModelVersionsResponse.Comparison;
import io.rapport.versioning.v1.GateOverride;
import io.rapport.versioning.v1.GetPerformanceSeriesRequest;
import io.rapport.versioning.v1.GetPerformanceSeriesResponse;
import io.rapport.versioning.v1.LearningStatus;
import io.rapport.versioning.v1.ListModelActivationsRequest;
import io.rapport.versioning.v1.ListModelPerformancesRequest;
import io.rapport.versioning.v1.ListTrainingEventsRequest;
import io.rapport.versioning.v1.ModelActivation;
import io.rapport.versioning.v1.ModelPerformance;
import io.rapport.versioning.v1.ModelPerformanceServiceGrpc;
import io.rapport.versioning.v1.ModelVersion;
import io.rapport.versioning.v1.ModelVersionServiceGrpc;
import io.rapport.versioning.v1.PromoteModelVersionRequest;
import io.rapport.versioning.v1.PromotionGate.Gate;
import io.rapport.versioning.v1.RecordModelPerformanceRequest;
import io.rapport.versioning.v1.RegisterModelVersionRequest;
import io.rapport.versioning.v1.ResolveModelVersionResponse;
import io.rapport.versioning.v1.ResolveModelVersionResponse.Choice;
import io.rapport.versioning.v1.SetTrafficSplitRequest;
import io.rapport.versioning.v1.TrafficSplit;
import io.rapport.versioning.v1.TrainingEvent;
import io.rapport.versioning.v1.TrainingTriggerInfo;
import io.rapport.versioning.v1.TrainingTriggerInfo.Obstacle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What follows from versions being active, and from how they do. */
@Timeout(60)
class LearningTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private LearningClient learning;
  private ModelsClient models;

  @BeforeEach
  void connect() {
    learning = rapport.client().learning();
    models = learning.models();
  }

  private ModelVersion registered(String version) {
    return models.register(
        RegisterModelVersionRequest.newBuilder()
            .setModelType("goal")
            .setVersion(version)
            .setModelPath("m")
            .setValidationScore(0.8)
            .build());
  }

  private ModelVersion promoted(String version) {
    return promote(registered(version));
  }

  private ModelVersion promote(ModelVersion version) {
    PromoteModelVersionRequest.Builder request =
        PromoteModelVersionRequest.newBuilder().setModelVersionId(version.getId());
    Arrays.stream(Gate.values())
        .filter(it -> it != Gate.GATE_UNSPECIFIED && it != Gate.UNRECOGNIZED)
        .forEach(
            it -> request.addOverrides(GateOverride.newBuilder().setGate(it).setReason("a test")));
    return models.promote(request.build()).getModelVersion();
  }

  @Test
  void invalidatesWhatTheOldVersionPredicted() {
    promoted("1.0.0");
    rapport.client().events().track(Given.eventOf("ada").build());
    String user = rapport.client().users().get(Given.identity("ada")).orElseThrow().getId();
    PredictionKey key =
        PredictionKey.newBuilder()
            .setUserId(user)
            .setType(PredictionKey.Type.GOAL)
            .setModelVersion("1.0.0")
            .build();
    PredictionKey other = key.toBuilder().clearModelVersion().build();
    var cache = rapport.client().caches().predictions();
    for (PredictionKey each : List.of(key, other)) {
      cache.put(
          Prediction.newBuilder()
              .setKey(each)
              .setValue(
                  PredictionValue.newBuilder()
                      .setOpaque(
                          OpaqueValue.newBuilder()
                              .setMediaType("text/plain")
                              .setData(ByteString.copyFromUtf8("x"))))
              .setInfo(EntryInfo.getDefaultInstance())
              .build());
      assertThat(cache.get(each).getHit()).isTrue();
    }

    promoted("2.0.0");

    assertThat(cache.get(key).getHit()).isFalse();
    assertThat(cache.get(other).getHit()).isFalse();
  }

  @Test
  void tellsWatchersOfVersionsAndTrainings() {
    try (Watch<Change> watch = watch("versioning.model_version", "versioning.training_event")) {
      String training = learning.trigger("goal", "").getTrainingEvent().getId();
      String version = registered("1.0.0").getId();

      assertThat(told(watch, 2)).containsExactly(training, version);
    }
  }

  @Test
  void trainsWhenADatasetIsReady() {
    try (Watch<Change> watch = watch("versioning.training_event")) {
      List<Event> events = new ArrayList<>();
      for (int i = 0; i < 60; i++) {
        events.add(
            Given.eventWith("{\"amount\":" + i + ",\"kind\":\"saving\"}")
                .setEventType("goal_modification")
                .build());
      }
      rapport.client().events().batch(events);

      TrainingEvent event = learning.training(told(watch, 1).getFirst()).orElseThrow();
      assertThat(event.getModelType()).isEqualTo("goal");
      assertThat(event.getCause()).isEqualTo(TrainingEvent.Cause.THRESHOLD);
      assertThat(event.getPriority()).isEqualTo(2);
    }
    assertThat(trigger().getDataCount()).isEqualTo(60);
    assertThat(trigger().getIsReadyForTraining()).isTrue();

    try (TrainingWorker worker = learning.work("goal", job -> TrainingResult.of("m"));
        Watch<Change> watch = watch("versioning.model_version")) {
      if (models.get("goal", "1.0.0").isEmpty()) {
        told(watch, 1);
      }
      assertThat(worker.isRunning()).isTrue();
    }
    assertThat(models.get("goal", "1.0.0").orElseThrow().getDataQualityScore()).isGreaterThan(0.7);
    assertThat(trigger().getDataCount()).isZero();
    assertThat(trigger().getIsReadyForTraining()).isFalse();
    assertThat(trigger().hasLastTrainedAt()).isTrue();
  }

  private TrainingTriggerInfo trigger() {
    return learning.status("goal").getTypes(0).getTrigger();
  }

  private static Watch<Change> watch(String... kinds) {
    return rapport
        .client()
        .changes()
        .watch(
            ChangeFilter.newBuilder().addAllKinds(List.of(kinds)).build(), WatchOptions.fromNow());
  }

  private static List<String> told(Watch<Change> watch, int count) {
    List<String> ids = new ArrayList<>();
    while (ids.size() < count) {
      watch.next().items().forEach(it -> ids.add(it.getId()));
    }
    return ids;
  }

  @Test
  void sharesUsersAlwaysAlike() {
    promoted("1.0.0");
    ModelVersion candidate = registered("2.0.0");
    List<String> users = users(400);

    Set<String> before = new HashSet<>();
    for (double percent : List.of(0.0, 10.0, 50.0, 100.0)) {
      TrafficSplit split = shared(candidate, percent);
      assertThat(split.getPercent()).isEqualTo(percent);
      Set<String> now = new HashSet<>();
      for (String user : users) {
        ResolveModelVersionResponse resolved = models.resolve("goal", user);
        boolean chosen = resolved.getChoice() == Choice.CANDIDATE;
        assertThat(chosen).isEqualTo(resolved.getUserPercent() < percent);
        assertThat(resolved.getModelVersion().getVersion()).isEqualTo(chosen ? "2.0.0" : "1.0.0");
        assertThat(models.resolve("goal", user.toUpperCase(Locale.ROOT))).isEqualTo(resolved);
        if (chosen) {
          now.add(user);
        }
      }
      assertThat(now).containsAll(before);
      assertThat(now.size() / 4.0).isBetween(percent - 8, percent + 8);
      before = now;
    }
    models.split("goal", "", 0);
    assertThat(models.resolve("goal", users.getFirst()).getChoice()).isEqualTo(Choice.ACTIVE);
  }

  private TrafficSplit shared(ModelVersion candidate, double percent) {
    return models.split(
        SetTrafficSplitRequest.newBuilder()
            .setModelType("goal")
            .setCandidateVersionId(candidate.getId())
            .setPercent(percent)
            .addAllOverrides(GivenVersion.OVERRIDES)
            .build());
  }

  private static List<String> users(int count) {
    Random random = new Random(7);
    return IntStream.range(0, count)
        .mapToObj(i -> new UUID(random.nextLong(), random.nextLong()).toString())
        .toList();
  }

  @Test
  void endsASplitWhenItsCandidateIsPromoted() {
    promoted("1.0.0");
    TrafficSplit before = shared(registered("2.0.0"), 20);

    promote(models.get("goal", "2.0.0").orElseThrow());

    TrafficSplit after = models.split("goal");
    assertThat(after.getCandidateVersionId()).isEmpty();
    assertThat(after.getPercent()).isZero();
    assertThat(before.hasOverrides()).isTrue();
    assertThat(after.hasOverrides()).isFalse();
    assertThat(after.getEtag()).isNotEqualTo(before.getEtag());
  }

  @Test
  void refusesSplitsThatCantBe() {
    var stub = ModelVersionServiceGrpc.newBlockingStub(rapport.channel());
    SetTrafficSplitRequest none =
        SetTrafficSplitRequest.newBuilder().setModelType("goal").setPercent(1).build();
    assertThat(Told.by(() -> stub.setTrafficSplit(none)).reason())
        .isEqualTo(ErrorReason.NO_ACTIVE_VERSION.name());
    ModelVersion active = promoted("1.0.0");
    assertThat(Told.by(() -> stub.setTrafficSplit(none)).fields())
        .containsExactly("candidate_version_id");
    assertThat(
            Told.by(() ->
                    stub.setTrafficSplit(
                        none.toBuilder().setCandidateVersionId(active.getId()).build()))
                .fields())
        .containsExactly("candidate_version_id");
    assertThat(Told.by(() -> stub.setTrafficSplit(none.toBuilder().setPercent(101).build())).code())
        .isEqualTo(Code.INVALID_ARGUMENT);
  }

  private static ModelPerformance.Builder measured(String version, double value, long samples) {
    return ModelPerformance.newBuilder()
        .setModelName("goal")
        .setVersion(version)
        .setAccuracyMetric(value)
        .setSampleCount(samples);
  }

  @Test
  void keepsHowVersionsDo() {
    registered("1.0.0");
    registered("2.0.0");
    Struct weights =
        Struct.newBuilder()
            .putFields("age", Value.newBuilder().setNumberValue(0.25).build())
            .build();
    models.record(
        List.of(
            measured("1.0.0", 0.6, 10)
                .setWindowEndAt(at(3600))
                .setFeatureImportance(weights)
                .build(),
            measured("1.0.0", 0.9, 30).setWindowEndAt(at(4000)).build(),
            measured("1.0.0", 0.1, 5).setWindowEndAt(at(90_000)).setSegment("new").build(),
            measured("2.0.0", 0.7, 0).setWindowEndAt(at(3600)).setMetricName("auc").build()));

    ModelVersion first = models.get("goal", "1.0.0").orElseThrow();
    assertThat(first.getPerformanceCurrent()).isEqualTo(0.9);
    assertThat(first.getPerformanceSamples()).isEqualTo(30);
    models.record(List.of(measured("1.0.0", 0.2, 9).setWindowEndAt(at(3999)).build()));
    assertThat(models.get("goal", "1.0.0").orElseThrow().getPerformanceCurrent()).isEqualTo(0.9);
    assertThat(models.get("goal", "2.0.0").orElseThrow().getPerformanceCurrent()).isEqualTo(0.8);
    assertThat(models.performances(ListModelPerformancesRequest.getDefaultInstance()))
        .hasSize(5)
        .anyMatch(it -> it.getFeatureImportance().equals(weights));
    GetPerformanceSeriesResponse series =
        models.series(
            GetPerformanceSeriesRequest.newBuilder()
                .setModelName("goal")
                .setFrom(at(0))
                .setTo(at(200_000))
                .build());
    assertThat(series.getSeriesCount()).isEqualTo(2);
    assertThat(series.getSeries(0).getSegment()).isEmpty();
    assertThat(series.getSeries(0).getPoints(0).getMean())
        .isCloseTo((0.6 * 10 + 0.9 * 30 + 0.2 * 9) / 49, within(1e-12));
    assertThat(series.getSeries(0).getPoints(0).getSampleCount()).isEqualTo(49);
    assertThat(series.getSeries(1).getSegment()).isEqualTo("new");
    assertThat(series.getSeries(1).getPoints(0).getStartedAt()).isEqualTo(at(86_400));
  }

  @Test
  void tellsOfARecordInTheWindowThatItIsOf() {
    models.record(
        List.of(
            measured("1.0.0", 0.5, 1).setWindowStartAt(at(0)).setWindowEndAt(at(86_400)).build(),
            measured("1.0.0", 0.7, 1).setWindowEndAt(at(86_400)).build()));
    GetPerformanceSeriesRequest.Builder request =
        GetPerformanceSeriesRequest.newBuilder().setModelName("goal");

    var whole = models.series(request.setFrom(at(0)).setTo(at(200_000)).build()).getSeries(0);
    var first = models.series(request.setTo(at(86_400)).build()).getSeries(0);
    var second = models.series(request.setFrom(at(86_400)).setTo(at(200_000)).build()).getSeries(0);

    assertThat(whole.getPointsList())
        .extracting(it -> it.getStartedAt().getSeconds() + " " + it.getMean())
        .containsExactly("0 0.5", "86400 0.7");
    assertThat(first.getPointsList()).containsExactly(whole.getPoints(0));
    assertThat(second.getPointsList()).containsExactly(whole.getPoints(1));
  }

  private static Timestamp at(long second) {
    return Timestamp.newBuilder().setSeconds(second).build();
  }

  @Test
  void refusesRecordsThatCantBe() {
    var stub = ModelPerformanceServiceGrpc.newBlockingStub(rapport.channel());
    Struct words =
        Struct.newBuilder()
            .putFields("age", Value.newBuilder().setStringValue("much").build())
            .build();
    Map.of(
            measured("1", Double.NaN, 0), "records[1].accuracy_metric",
            measured("1", 1, -1), "records[1].sample_count",
            measured("1", 1, 1).setFeatureImportance(words), "records[1].feature_importance.age",
            measured("1", 1, 1).setWindowStartAt(at(2)).setWindowEndAt(at(1)),
                "records[1].window_start_at")
        .forEach((record, field) ->
            assertThat(
                    Told.by(() ->
                            stub.recordModelPerformance(
                                RecordModelPerformanceRequest.newBuilder()
                                    .addRecords(measured("1", 1, 1))
                                    .addRecords(record)
                                    .build()))
                        .fields())
                .containsExactly(field));
    assertThat(models.performances(ListModelPerformancesRequest.getDefaultInstance())).isEmpty();
  }

  @Test
  void comparesVersions() {
    ModelVersion one = registered("1.0.0");
    ModelVersion two =
        models.register(
            RegisterModelVersionRequest.newBuilder()
                .setModelType("goal")
                .setModelPath("m")
                .setValidationScore(0.9)
                .setPerformanceMetrics(
                    Struct.newBuilder()
                        .putFields("f1", Value.newBuilder().setNumberValue(0.5).build()))
                .build());

    var compared = models.compare(one.getId(), two.getId());

    assertThat(compared.getModelVersionsList())
        .containsExactly(
            one.toBuilder().clearModelMetadata().build(),
            two.toBuilder().clearModelMetadata().build());
    assertThat(compared.getComparisonsList())
        .extracting(Comparison::getMetric)
        .contains("validation_score", "metrics.f1");
    Comparison scores =
        compared.getComparisonsList().stream()
            .filter(it -> it.getMetric().equals("validation_score"))
            .findFirst()
            .orElseThrow();
    assertThat(scores.getValues(1).getDifference()).isCloseTo(0.1, within(1e-12));
  }

  @Test
  void rollsBackOnceWhatDoesTooBadly() throws Exception {
    try (RapportServer other = rapport.serve(Map.of())) {
      promoted("1.0.0");
      ModelVersion bad = promoted("2.0.0");
      try (Watch<Change> watch = watch("versioning.training_event")) {
        models.record(List.of(measured("2.0.0", 0.7, 20).build()));

        String training = told(watch, 1).getFirst();
        TrainingEvent event = learning.training(training).orElseThrow();
        assertThat(event.getCause()).isEqualTo(TrainingEvent.Cause.ROLLBACK);
      }
      assertThat(models.active("goal").orElseThrow().getVersion()).isEqualTo("1.0.0");
      assertThat(models.get(bad.getId()).orElseThrow().getRollbackCount()).isEqualTo(1);
      List<ModelActivation> activations =
          models.activations(ListModelActivationsRequest.getDefaultInstance()).toList();
      assertThat(activations).hasSize(3);
      assertThat(activations.getFirst().getCause())
          .isEqualTo(ModelActivation.Cause.AUTOMATIC_ROLLBACK);
      assertThat(activations.getFirst().getReason()).contains("0.7", "20 samples", "0.8");
      assertThat(learning.trainings(ListTrainingEventsRequest.getDefaultInstance())).hasSize(1);
      assertThat(other.port()).isPositive();
    }
  }

  @Test
  void tellsHowLearningStands() {
    promoted("1.0.0");
    String id = learning.trigger("goal", "").getTrainingEvent().getId();

    shared(registered("2.0.0"), 20);

    var status = learning.status();

    assertThat(status.getTypesList())
        .extracting(LearningStatus::getModelType)
        .containsExactly("goal", "recommendation", "segmentation", "spending");
    LearningStatus goal = status.getTypes(0);
    assertThat(goal.getActiveVersion().getVersion()).isEqualTo("1.0.0");
    assertThat(goal.getOpenEvent().getId()).isEqualTo(id);
    assertThat(goal.getLastEventsList()).extracting(TrainingEvent::getId).containsExactly(id);
    assertThat(goal.getVersionCount()).isEqualTo(2);
    assertThat(goal.getSplit()).isEqualTo(models.split("goal"));
    assertThat(status.getTypes(3).hasSplit()).isFalse();
    assertThat(goal.getTrigger().getThreshold()).isEqualTo(50);
    assertThat(goal.getTrigger().getRemaining()).isEqualTo(50);
    assertThat(goal.getTrigger().getObstacle()).isEqualTo(Obstacle.TRAINING_OPEN);
    assertThat(status.getTypes(3).getTrigger().getObstacle())
        .isEqualTo(Obstacle.THRESHOLD_NOT_REACHED);
    assertThat(status.getTypes(3).getTrigger().getWouldTrigger()).isFalse();
    assertThat(status.getQueueList()).extracting(TrainingEvent::getId).containsExactly(id);
    assertThat(learning.status("goal").getTypesCount()).isEqualTo(1);
  }

  @Test
  void keepsTenantsApart() {
    promoted("1.0.0");
    try (RapportClient other = rapport.clientOf(rapport.newTenant())) {
      assertThat(other.learning().models().active("goal")).isEmpty();
      assertThat(other.learning().status("goal").getTypes(0).getVersionCount()).isZero();
    }
  }
}
