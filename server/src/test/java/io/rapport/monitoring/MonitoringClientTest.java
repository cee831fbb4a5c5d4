package io.rapport.monitoring;

import static io.rapport.monitoring.prediction.Predictions.prediction;
import static org.assertj.core.api.Assertions.assertThat;

import io.rapport.client.IngestOptions;
import io.rapport.client.PredictionWriter;
import io.rapport.client.Watch;
import io.rapport.client.WatchOptions;
import io.rapport.monitoring.v1.AlertSilence;
import io.rapport.monitoring.v1.AnomalyAlert;
import io.rapport.monitoring.v1.AnomalyAlert.Severity;
import io.rapport.monitoring.v1.AnomalyAlert.State;
import io.rapport.monitoring.v1.AnomalyAlertFilter;
import io.rapport.monitoring.v1.DetectionSettings;
import io.rapport.monitoring.v1.DetectionSettings.Method;
import io.rapport.monitoring.v1.GetPerformanceFiguresRequest;
import io.rapport.monitoring.v1.LearningEntry;
import io.rapport.monitoring.v1.LearningEntry.Feedback;
import io.rapport.monitoring.v1.LogResult;
import io.rapport.monitoring.v1.LoggedPrediction;
import io.rapport.monitoring.v1.LoggedPredictionFilter;
import io.rapport.monitoring.v1.Outcome;
import io.rapport.monitoring.v1.OutcomeReport;
import io.rapport.monitoring.v1.OutcomeResult;
import io.rapport.platform.v1.Change;
import io.rapport.platform.v1.Change.Op;
import io.rapport.platform.v1.ChangeFilter;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Monitoring as an application sees it: by the SDK. */
@Timeout(60)
class MonitoringClientTest {
  private static final int MANY = 5_000;

  @RegisterExtension static final Rapport rapport = new Rapport();

  @Test
  void logsManyPredictionsAndTellsOfThoseThatWereNotSimplyRecorded() {
    LoggedPrediction known = prediction().build();
    List<LogResult.Result> told = new ArrayList<>();
    PredictionWriter writer =
        rapport
            .client()
            .predictions()
            .writer(IngestOptions.defaults(), (position, result) -> told.add(result.getResult()));
    try (writer) {
      for (int i = 0; i < MANY; i++) {
        writer.log(prediction().clearId().build());
      }
      writer.log(known);
      writer.log(known);
      writer.log(known.toBuilder().setSegment("other").build());
      writer.log(prediction().setConfidenceScore(2).build());
    }

    assertThat(told)
        .containsExactly(
            LogResult.Result.DUPLICATE, LogResult.Result.CONFLICT, LogResult.Result.REFUSED);
    assertThat(writer.summary().recorded()).isEqualTo(MANY + 1);
    assertThat(writer.summary().undecided()).isZero();
    assertThat(rapport.client().predictions().list(LoggedPredictionFilter.getDefaultInstance()))
        .hasSize(MANY + 1);
  }

  @Test
  void recordsOutcomesAndTellsFigures() {
    var predictions = rapport.client().predictions();
    List<LoggedPrediction> logged =
        IntStream.range(0, 20).mapToObj(i -> prediction().setPredictionValue(i).build()).toList();
    predictions.batch(logged);

    List<OutcomeResult> results =
        predictions.outcomes(
            logged.stream()
                .map(it ->
                    OutcomeReport.newBuilder()
                        .setPredictionId(it.getId())
                        .setOutcome(Outcome.newBuilder().setActualValue(3))
                        .build())
                .toList());

    assertThat(results)
        .extracting(OutcomeResult::getResult)
        .containsOnly(OutcomeResult.Result.RECORDED);
    assertThat(predictions.get(logged.get(3).getId()).orElseThrow().getOutcome().getError())
        .isZero();
    assertThat(predictions.get(Given.id())).isEmpty();
    assertThat(
            predictions
                .figures(
                    GetPerformanceFiguresRequest.newBuilder().setModelName("lead_time").build())
                .getFigures(0)
                .getNumeric()
                .getCount())
        .isEqualTo(20);
  }

  @Test
  void raisesSilencesAcknowledgesAndResolvesAlerts() {
    var alerts = rapport.client().alerts();
    alerts.putSettings(
        DetectionSettings.newBuilder().setModelName("risk").setMethod(Method.OFF).build());
    AnomalyAlert raised =
        alerts.raise(
            AnomalyAlert.newBuilder().setModelName("risk").setSeverity(Severity.LOW).build());

    alerts.silence(
        AlertSilence.newBuilder()
            .setModelName("risk")
            .setFingerprint("*")
            .setSilencedUntilAt(Given.time("2099-01-01T00:00:00Z"))
            .build());

    assertThat(alerts.get(raised.getId()).orElseThrow().getState()).isEqualTo(State.SILENCED);
    assertThat(alerts.acknowledge(raised.getId()).getAcknowledged()).isTrue();
    assertThat(alerts.resolve(raised.getId(), "done").getState()).isEqualTo(State.RESOLVED);
    assertThat(alerts.list(AnomalyAlertFilter.getDefaultInstance())).hasSize(1);
    assertThat(alerts.settings("risk").orElseThrow().getMethod()).isEqualTo(Method.OFF);
    assertThat(alerts.settings("other")).isEmpty();
    assertThat(alerts.detect("risk").getJudged()).isZero();
  }

  @Test
  void remembersWhatWentWrong() {
    var memory = rapport.client().learningMemory();
    LearningEntry entry =
        memory.record(
            LearningEntry.newBuilder()
                .setErrorType("syntax_error")
                .setUserIntent("show overdue issues")
                .setFailedQuery("SELECT x")
                .setSpecificIssue("there is no x")
                .setSuggestedFix("SELECT y")
                .setConfidence(0.9)
                .build());

    assertThat(memory.findSimilar("which issues are overdue?"))
        .singleElement()
        .satisfies(it -> assertThat(it.getEntry()).isEqualTo(entry));
    assertThat(memory.feedback(entry.getId(), Feedback.INCORRECT, "z").getConfidence())
        .isEqualTo(0.45);
    assertThat(memory.statistics(1).getEntries()).isOne();
    assertThat(memory.get(entry.getId()).orElseThrow().getUserCorrection()).isEqualTo("z");
  }

  @Test
  void tellsOneChangeOfEachCommitOfPredictionsAndOneOfEachAlertAndEntry() {
    ChangeFilter filter =
        ChangeFilter.newBuilder()
            .addKinds("monitoring.prediction")
            .addKinds("monitoring.anomaly_alert")
            .addKinds("monitoring.learning_memory")
            .build();
    List<LoggedPrediction> logged =
        IntStream.range(0, 9).mapToObj(i -> prediction().build()).toList();
    List<Change> changes = new ArrayList<>();

    try (Watch<Change> watch = rapport.client().changes().watch(filter, WatchOptions.fromNow())) {
      watch.next();
      rapport.client().predictions().batch(logged);
      rapport
          .client()
          .predictions()
          .outcomes(
              List.of(
                  OutcomeReport.newBuilder()
                      .setPredictionId(logged.get(2).getId())
                      .setOutcome(Outcome.newBuilder().setOccurred(true))
                      .build()));
      rapport
          .client()
          .alerts()
          .raise(AnomalyAlert.newBuilder().setModelName("m").setSeverity(Severity.LOW).build());
      while (changes.size() < 3) {
        changes.addAll(watch.next().items());
      }
    }

    assertThat(changes)
        .extracting(Change::getKind)
        .containsExactly(
            "monitoring.prediction", "monitoring.prediction", "monitoring.anomaly_alert");
    assertThat(changes)
        .extracting(Change::getOp)
        .containsExactly(Op.CREATED, Op.UPDATED, Op.CREATED);
    assertThat(changes.get(1).getId()).isEqualTo(logged.get(2).getId());
  }
}
