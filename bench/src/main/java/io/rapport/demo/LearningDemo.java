package io.rapport.demo;

import com.google.errorprone.annotations.FormatMethod;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.rapport.client.EventWriter;
import io.rapport.client.IngestOptions;
import io.rapport.client.PredictionWriter;
import io.rapport.client.RapportClient;
import io.rapport.client.TrainingWorker;
import io.rapport.demo.Histories.Case;
import io.rapport.identity.v1.ListUsersRequest;
import io.rapport.identity.v1.User;
import io.rapport.importer.EventFile;
import io.rapport.monitoring.v1.AnomalyAlert;
import io.rapport.monitoring.v1.AnomalyAlertFilter;
import io.rapport.monitoring.v1.DetectAnomaliesResponse;
import io.rapport.monitoring.v1.DetectionSettings;
import io.rapport.monitoring.v1.GetPerformanceFiguresRequest;
import io.rapport.monitoring.v1.LoggedPrediction;
import io.rapport.monitoring.v1.Outcome;
import io.rapport.monitoring.v1.OutcomeReport;
import io.rapport.monitoring.v1.PerformanceFigures;
import io.rapport.tracking.v1.Event;
import io.rapport.versioning.v1.DataQualityMetrics;
import io.rapport.versioning.v1.DatasetSource;
import io.rapport.versioning.v1.ListModelActivationsRequest;
import io.rapport.versioning.v1.ListModelVersionsRequest;
import io.rapport.versioning.v1.ListTrainingEventsRequest;
import io.rapport.versioning.v1.ModelActivation;
import io.rapport.versioning.v1.ModelVersion;
import io.rapport.versioning.v1.PromotionPolicy;
import io.rapport.versioning.v1.TrainingDataset;
import io.rapport.versioning.v1.TrainingEvent;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Who commits next week? A model is trained, promoted, watched, trained again, spoilt and taken
 * back, on the history of real projects.
 */
final class LearningDemo {
  private static final String TYPE = "commits_next_week";
  private static final String PROVIDER = "git";
  private static final double FIRST = 0.8;
  private static final double SECOND = 0.9;
  private static final double ENOUGH_OF_FIRST = 0.75;
  private static final double ENOUGH_OF_SECOND = 0.05;
  private static final int HEALTHY_WEEKS = 4;
  private static final int LEFT = 4;
  private static final int INFLATION = 100;
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final DemoServer server;
  private final Path data;

  LearningDemo(DemoServer server, Path data) {
    this.server = server;
    this.data = data;
  }

  void tell() throws IOException, InterruptedException {
    List<Event> events =
        EventFile.read(data, PROVIDER).stream()
            .sorted(Comparator.comparingLong(it -> it.getOccurredAt().getSeconds()))
            .toList();
    int first = (int) (FIRST * events.size());
    int second = (int) (SECOND * events.size());
    try (RapportClient client = server.client()) {
      say("%,d events of real projects, in the order in which they happened.", events.size());
      makeDataset(client, events.size());
      record(client, events.subList(0, first));
      TrainingEvent asked = await("a training", () -> openTraining(client));
      tellQuality(client, asked);
      CommitTrainer trainer = new CommitTrainer(client, server.directory());
      try (TrainingWorker worker = client.learning().work(TYPE, trainer)) {
        ModelVersion one = promoted(client, asked.getId());
        setThreshold(client, (long) (ENOUGH_OF_SECOND * events.size()));
        record(client, events.subList(first, second));
        Map<String, String> users = users(client);
        Histories until = histories(events.subList(0, second), users);
        long firstWeek = week(events.get(first));
        long secondWeek = week(events.get(second));
        say("%nWhat %s says of the weeks that followed, and what came true:", one.getVersion());
        predict(client, one, until.cases(firstWeek, secondWeek - 1), false);
        tellFigures(client, one);
        resolveAlerts(client);

        TrainingEvent next = await("the next training", () -> trainingAfter(client, asked));
        ModelVersion two = promoted(client, next.getId());
        setThreshold(client, events.size());
        record(client, events.subList(second, events.size()));
        Histories all = histories(events, users(client));
        say("%n%s takes over, and does well at first:", two.getVersion());
        predict(client, two, all.cases(secondWeek, secondWeek + HEALTHY_WEEKS), false);
        tellFigures(client, two);
        spoil(client, two, all.cases(secondWeek + HEALTHY_WEEKS, all.lastWeek()));
        tellRollback(client, one, two);
        assertRunning(worker);
      }
    }
  }

  private static void makeDataset(RapportClient client, int events) {
    TrainingDataset dataset =
        client
            .datasets()
            .create(
                TrainingDataset.newBuilder()
                    .setDatasetType(TYPE)
                    .setThreshold((long) (FIRST * ENOUGH_OF_FIRST * events))
                    .addSources(DatasetSource.newBuilder().setEventType("commit"))
                    .addAllFeatures(
                        List.of("repository", "files_changed", "insertions", "deletions"))
                    .build());
    client
        .learning()
        .models()
        .policy(PromotionPolicy.newBuilder().setModelType(TYPE).setValidationFactor(0.9).build());
    say("Dataset %s: a training is due at %,d commits.", TYPE, dataset.getThreshold());
  }

  private static void setThreshold(RapportClient client, long threshold) {
    TrainingDataset dataset = client.datasets().byType(TYPE).orElseThrow();
    client.datasets().update(dataset.toBuilder().setThreshold(threshold).build(), "threshold");
    say("%nFrom now on a training is due at %,d further commits.", threshold);
  }

  private static void record(RapportClient client, List<Event> events) {
    long start = System.nanoTime();
    try (EventWriter writer = client.events().ingest(IngestOptions.defaults())) {
      events.forEach(writer::write);
      writer.flush();
    }
    say(
        "%nRecorded %,d commits, up to %s, in %.1f s.",
        events.size(),
        Instant.ofEpochSecond(events.getLast().getOccurredAt().getSeconds()),
        (System.nanoTime() - start) / 1e9);
  }

  private static Optional<TrainingEvent> openTraining(RapportClient client) {
    var status = client.learning().status(TYPE).getTypes(0);
    return status.hasOpenEvent() ? Optional.of(status.getOpenEvent()) : Optional.empty();
  }

  private static Optional<TrainingEvent> trainingAfter(RapportClient client, TrainingEvent before) {
    return client
        .learning()
        .trainings(ListTrainingEventsRequest.getDefaultInstance())
        .filter(it -> it.getModelType().equals(TYPE) && !it.getId().equals(before.getId()))
        .findFirst();
  }

  private static void tellQuality(RapportClient client, TrainingEvent asked) {
    DataQualityMetrics quality =
        client.datasets().history(asked.getTrainingDatasetId()).findFirst().orElseThrow();
    say(
        "The threshold was crossed and the data assessed: completeness %.3f, consistency %.3f,"
            + " validity %.3f, overall %.3f; %,d anomalies, %,d duplicates, %,d missing values in"
            + " %,d records. So a training was asked for (%s).",
        quality.getCompletenessScore(),
        quality.getConsistencyScore(),
        quality.getValidityScore(),
        quality.getOverallScore(),
        quality.getAnomalyCount(),
        quality.getDuplicateCount(),
        quality.getMissingValuesCount(),
        quality.getRecordCount(),
        asked.getCause());
  }

  /** Waits for the version that a training makes, and has it serve. */
  private static ModelVersion promoted(RapportClient client, String training)
      throws InterruptedException {
    TrainingEvent done =
        await(
            "the end of a training",
            () ->
                client
                    .learning()
                    .training(training)
                    .filter(it -> it.getStatus() == TrainingEvent.Status.COMPLETED));
    ModelVersion version =
        client
            .learning()
            .models()
            .list(ListModelVersionsRequest.getDefaultInstance())
            .filter(it -> it.getTrainingEventId().equals(training))
            .findFirst()
            .orElseThrow();
    say(
        "A worker trained %s with %,d rows: accuracy %.3f on the weeks that it hadn't seen.",
        version.getVersion(), done.getTrainingDataSize(), done.getValidationScore());
    tellGates("Before anybody approves it", client, version);
    client.learning().approve(training);
    tellGates("Approved", client, version);
    client.learning().models().promote(version.getId());
    say("Promoted: %s is the active version.", version.getVersion());
    return version;
  }

  private static void tellGates(String when, RapportClient client, ModelVersion version) {
    List<String> failed =
        client.learning().models().gates(version.getId()).stream()
            .filter(gate -> !gate.getPassed())
            .map(gate -> gate.getGate() + " (" + gate.getDetail() + ")")
            .toList();
    say("  %s, it fails the gates %s.", when, failed);
  }

  private Map<String, String> users(RapportClient client) {
    Map<String, String> users = new HashMap<>();
    client
        .users()
        .list(ListUsersRequest.newBuilder().setPageSize(500).build())
        .forEach((User user) ->
            user.getIdentitiesList().forEach(it -> users.put(it.getSubject(), user.getId())));
    return users;
  }

  private static Histories histories(List<Event> events, Map<String, String> users) {
    List<Commit> commits = new ArrayList<>();
    for (Event event : events) {
      String user = users.get(event.getIdentity().getSubject());
      commits.add(Commit.of(user == null ? event.getIdentity().getSubject() : user, event));
    }
    return new Histories(commits);
  }

  private static long week(Event event) {
    return Commit.of("", event).week();
  }

  /**
   * Logs what a version says of people, and what they did then.
   *
   * @param spoilt whether the features come too large, and some are lost
   */
  private void predict(RapportClient client, ModelVersion version, List<Case> cases, boolean spoilt)
      throws IOException {
    CommitModel model = CommitModel.load(Path.of(version.getModelPath()));
    List<OutcomeReport> outcomes = new ArrayList<>();
    try (PredictionWriter log = client.predictions().writer()) {
      for (Case each : cases) {
        List<Double> features = spoilt ? inflated(each.features()) : each.features();
        String id = UUID.randomUUID().toString();
        log.log(
            LoggedPrediction.newBuilder()
                .setId(id)
                .setModelName(TYPE)
                .setModelVersion(version.getVersion())
                .setPredictionType("probability")
                .setPredictionValue(model.probability(features))
                .setInputFeaturesStruct(struct(spoilt ? features.subList(0, LEFT) : features))
                .setUserId(each.user())
                .build());
        outcomes.add(
            OutcomeReport.newBuilder()
                .setPredictionId(id)
                .setOutcome(Outcome.newBuilder().setOccurred(each.active()))
                .build());
      }
    }
    client.predictions().outcomes(outcomes);
    say("  logged %,d predictions and their outcomes.", cases.size());
  }

  private static List<Double> inflated(List<Double> features) {
    return features.stream().map(it -> it * INFLATION).toList();
  }

  private static Struct struct(List<Double> features) {
    Struct.Builder struct = Struct.newBuilder();
    for (int i = 0; i < features.size(); i++) {
      struct.putFields(
          Histories.FEATURES.get(i), Value.newBuilder().setNumberValue(features.get(i)).build());
    }
    return struct.build();
  }

  private static void tellFigures(RapportClient client, ModelVersion version) {
    for (PerformanceFigures each :
        client
            .predictions()
            .figures(
                GetPerformanceFiguresRequest.newBuilder()
                    .setModelName(TYPE)
                    .addModelVersions(version.getVersion())
                    .setAllSegments(true)
                    .build())
            .getFiguresList()) {
      say(
          "  live: accuracy %.3f of %,d, Brier score %.3f, calibration error %.3f.",
          each.getClasses().getAccuracy(),
          each.getOutcomes(),
          each.getProbability().getBrierScore(),
          each.getProbability().getExpectedCalibrationError());
    }
  }

  /**
   * The usual detection compares values, and probabilities that are near 0 for most people look odd
   * for the others: somebody sees that, and has features compared instead.
   */
  private static void resolveAlerts(RapportClient client) {
    DetectAnomaliesResponse found = client.alerts().detect(TYPE);
    say("  %,d of %,d predictions look odd.", found.getAnomalyCount(), found.getJudged());
    for (AnomalyAlert alert : alerts(client)) {
      say(
          "  alert: %s, %s. Somebody looks: few people are as active as those, and nothing is"
              + " wrong. It is resolved, and features are compared from now on.",
          alert.getSeverity(), alert.getAlertType());
      client.alerts().resolve(alert.getId(), "few people are as active, and nothing is wrong");
    }
    client
        .alerts()
        .putSettings(
            DetectionSettings.newBuilder()
                .setModelName(TYPE)
                .setMethod(DetectionSettings.Method.ISOLATION_FOREST)
                .build());
  }

  private static List<AnomalyAlert> alerts(RapportClient client) {
    return client
        .alerts()
        .list(AnomalyAlertFilter.newBuilder().setModelName(TYPE).build())
        .filter(it -> it.getState() == AnomalyAlert.State.OPEN)
        .toList();
  }

  private void spoil(RapportClient client, ModelVersion version, List<Case> cases)
      throws IOException {
    say(
        "%nThen a change on the way to the model makes all features a hundred times too large, and loses some of them in the log:");
    predict(client, version, cases, true);
    tellFigures(client, version);
    DetectAnomaliesResponse found = client.alerts().detect(TYPE);
    say("  %,d of %,d predictions are anomalies.", found.getAnomalyCount(), found.getJudged());
    for (AnomalyAlert alert : alerts(client)) {
      say("  alert: %s, %s.", alert.getSeverity(), alert.getAlertType());
    }
  }

  private static void tellRollback(RapportClient client, ModelVersion before, ModelVersion spoilt)
      throws InterruptedException {
    ModelVersion active =
        await(
            "the rollback",
            () ->
                client
                    .learning()
                    .models()
                    .active(TYPE)
                    .filter(it -> it.getId().equals(before.getId())));
    say(
        "%nThe service took %s back by itself: %s is active again.",
        spoilt.getVersion(), active.getVersion());
    client
        .learning()
        .models()
        .activations(ListModelActivationsRequest.getDefaultInstance())
        .forEach(it -> tellActivation(client, it));
    TrainingEvent again =
        await(
            "a training because of it",
            () ->
                client
                    .learning()
                    .trainings(ListTrainingEventsRequest.getDefaultInstance())
                    .filter(it -> it.getCause() == TrainingEvent.Cause.ROLLBACK)
                    .findFirst());
    say("And it asked for a new training: %s, now %s.", again.getCause(), again.getStatus());
  }

  private static void tellActivation(RapportClient client, ModelActivation activation) {
    say(
        "  %s from %s on: %s %s",
        client
            .learning()
            .models()
            .get(activation.getModelVersionId())
            .map(ModelVersion::getVersion)
            .orElse("?"),
        Instant.ofEpochSecond(activation.getActivatedAt().getSeconds()),
        activation.getCause(),
        activation.getReason());
  }

  private static void assertRunning(TrainingWorker worker) {
    if (!worker.isRunning()) {
      throw new IllegalStateException("the worker has stopped");
    }
  }

  private static <T> T await(String what, Supplier<Optional<T>> look) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (System.nanoTime() < end) {
      Optional<T> found = look.get();
      if (found.isPresent()) {
        return found.get();
      }
      TimeUnit.MILLISECONDS.sleep(200);
    }
    throw new IllegalStateException(what + " didn't come in " + PATIENCE.toSeconds() + " s");
  }

  @FormatMethod
  private static void say(String format, Object... arguments) {
    System.out.println(String.format(Locale.ROOT, format, arguments));
  }
}
