package io.rapport.monitoring.prediction;

import static io.rapport.monitoring.prediction.Predictions.corrected;
import static io.rapport.monitoring.prediction.Predictions.event;
import static io.rapport.monitoring.prediction.Predictions.label;
import static io.rapport.monitoring.prediction.Predictions.log;
import static io.rapport.monitoring.prediction.Predictions.prediction;
import static io.rapport.monitoring.prediction.Predictions.predictionAt;
import static io.rapport.monitoring.prediction.Predictions.record;
import static io.rapport.monitoring.prediction.Predictions.report;
import static io.rapport.monitoring.prediction.Predictions.stub;
import static io.rapport.monitoring.prediction.Predictions.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.rapport.monitoring.prediction.PredictionLogFeature.LivePerformance;
import io.rapport.monitoring.prediction.PredictionLogFeature.LiveQuestion;
import io.rapport.monitoring.v1.GetLoggedPredictionRequest;
import io.rapport.monitoring.v1.GetPerformanceFiguresRequest;
import io.rapport.monitoring.v1.GetPerformanceFiguresRequest.Window;
import io.rapport.monitoring.v1.LoggedPrediction;
import io.rapport.monitoring.v1.Outcome;
import io.rapport.monitoring.v1.OutcomeReport;
import io.rapport.monitoring.v1.OutcomeResult;
import io.rapport.monitoring.v1.OutcomeResult.Result;
import io.rapport.monitoring.v1.PerformanceFigures;
import io.rapport.monitoring.v1.RecordOutcomesRequest;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Recording what came true. */
class OutcomeTest {
  private static final double TINY = 1e-9;

  @RegisterExtension static final Rapport rapport = new Rapport();

  private LoggedPrediction logged(LoggedPrediction.Builder prediction) {
    LoggedPrediction built = prediction.build();
    log(rapport.channel(), List.of(built));
    return built;
  }

  private Result result(OutcomeReport report) {
    return record(rapport.channel(), report).getFirst().getResult();
  }

  private Outcome outcome(LoggedPrediction prediction) {
    return stub(rapport.channel())
        .getLoggedPrediction(
            GetLoggedPredictionRequest.newBuilder().setId(prediction.getId()).build())
        .getOutcome();
  }

  private List<PerformanceFigures> figures(Window window) {
    return stub(rapport.channel())
        .getPerformanceFigures(
            GetPerformanceFiguresRequest.newBuilder()
                .setModelName("lead_time")
                .setWindow(window)
                .build())
        .getFiguresList();
  }

  @Test
  void recordsAnOutcomeOnceAndCorrectsItOnce() {
    LoggedPrediction prediction = logged(prediction().setPredictionValue(10));

    assertThat(result(value(prediction, 8))).isEqualTo(Result.RECORDED);
    assertThat(result(value(prediction, 8))).isEqualTo(Result.DUPLICATE);
    assertThat(result(value(prediction, 9))).isEqualTo(Result.CONFLICT);
    assertThat(result(corrected(value(prediction, 9), "misread"))).isEqualTo(Result.CORRECTED);
    assertThat(result(value(prediction, 9))).isEqualTo(Result.DUPLICATE);
    assertThat(result(corrected(value(prediction, 7), "again"))).isEqualTo(Result.CONFLICT);

    assertThat(outcome(prediction).getActualValue()).isEqualTo(9);
    assertThat(outcome(prediction).getError()).isEqualTo(1);
    assertThat(outcome(prediction).getAccuracyScore()).isCloseTo(8 / 9.0, within(TINY));
    assertThat(outcome(prediction).getCorrectionReason()).isEqualTo("misread");
    PerformanceFigures figures = figures(Window.ALL).getFirst();
    assertThat(figures.getOutcomes()).isOne();
    assertThat(figures.getNumeric().getBias()).isEqualTo(1);
  }

  @Test
  void keepsAnOutcomeUntilItsPredictionComes() {
    LoggedPrediction prediction = prediction().setPredictionValue(3).build();

    assertThat(result(value(prediction, 4))).isEqualTo(Result.PENDING);
    assertThat(result(value(prediction, 4))).isEqualTo(Result.DUPLICATE);
    assertThat(result(value(prediction, 5))).isEqualTo(Result.PENDING);
    log(rapport.channel(), List.of(prediction));

    assertThat(outcome(prediction).getActualValue()).isEqualTo(5);
    assertThat(figures(Window.ALL).getFirst().getNumeric().getBias()).isEqualTo(-2);
    assertThat(result(value(prediction, 5))).isEqualTo(Result.DUPLICATE);
  }

  @Test
  void refusesWhatDoesNotFitOrBreaksARule() {
    LoggedPrediction number = logged(prediction().setPredictionValue(10));

    List<OutcomeResult> results =
        record(
            rapport.channel(),
            event(number, true),
            label(number, "high"),
            value(number, Double.NaN),
            value(number, Double.NEGATIVE_INFINITY),
            value(number, 1e101),
            report(number, Outcome.newBuilder()),
            OutcomeReport.newBuilder()
                .setPredictionId("x")
                .setOutcome(Outcome.newBuilder().setOccurred(true))
                .build(),
            value(number, 11));

    assertThat(results)
        .extracting(OutcomeResult::getResult)
        .containsExactly(
            Result.REFUSED,
            Result.REFUSED,
            Result.REFUSED,
            Result.REFUSED,
            Result.REFUSED,
            Result.REFUSED,
            Result.REFUSED,
            Result.RECORDED);
    assertThat(new Told(results.get(0).getError()).reason()).isEqualTo("OUTCOME_MISMATCH");
    assertThat(new Told(results.get(2).getError()).fields())
        .containsExactly("outcome.actual_value");
    assertThat(new Told(results.get(5).getError()).fields()).containsExactly("outcome.actual");
  }

  @Test
  void recordsNothingThatIsOnlyTriedOut() {
    LoggedPrediction prediction = logged(prediction());

    stub(rapport.channel())
        .recordOutcomes(
            RecordOutcomesRequest.newBuilder()
                .addReports(value(prediction, 1))
                .setValidateOnly(true)
                .build());

    assertThat(outcome(prediction)).isEqualTo(Outcome.getDefaultInstance());
    assertThat(figures(Window.ALL).getFirst().getOutcomes()).isZero();
  }

  @Test
  void tellsErrorsOfNumbers() {
    double[] predicted = {1, 2, 3, 4};
    double[] actual = {1.5, 2, 2, 6};
    for (int i = 0; i < predicted.length; i++) {
      record(
          rapport.channel(),
          value(logged(prediction().setPredictionValue(predicted[i])), actual[i]));
    }

    PerformanceFigures figures = figures(Window.ALL).getFirst();

    assertThat(figures.getPredictions()).isEqualTo(4);
    assertThat(figures.getNumeric().getCount()).isEqualTo(4);
    assertThat(figures.getNumeric().getMeanAbsoluteError()).isCloseTo(3.5 / 4, within(TINY));
    assertThat(figures.getNumeric().getBias()).isCloseTo(-1.5 / 4, within(TINY));
    assertThat(figures.getNumeric().getRootMeanSquaredError())
        .isCloseTo(Math.sqrt(5.25 / 4), within(TINY));
    double mean = 11.5 / 4;
    double deviations = 0;
    for (double value : actual) {
      deviations += (value - mean) * (value - mean);
    }
    assertThat(figures.getNumeric().getRSquared()).isCloseTo(1 - 5.25 / deviations, within(TINY));
    assertThat(figures.hasClasses()).isFalse();
  }

  @Test
  void tellsAccuracyAndCalibrationOfProbabilities() {
    double[] stated = {0.95, 0.9, 0.92, 0.1, 1};
    boolean[] occurred = {true, true, false, false, true};
    for (int i = 0; i < stated.length; i++) {
      record(
          rapport.channel(),
          event(logged(prediction().setPredictionValue(stated[i])), occurred[i]));
    }
    record(
        rapport.channel(),
        label(logged(prediction().setPredictedClass("a").setConfidenceScore(0.15)), "b"));

    PerformanceFigures figures = figures(Window.ALL).getFirst();

    assertThat(figures.getClasses().getCount()).isEqualTo(6);
    assertThat(figures.getClasses().getAccuracy()).isCloseTo(4 / 6.0, within(TINY));
    double brier = 0.0025 + 0.01 + 0.8464 + 0.01 + 0 + 0.0225;
    assertThat(figures.getProbability().getBrierScore()).isCloseTo(brier / 6, within(TINY));
    assertThat(figures.getProbability().getBinsList()).hasSize(2);
    assertThat(figures.getProbability().getBins(0).getLower()).isEqualTo(0.1);
    assertThat(figures.getProbability().getBins(0).getCount()).isEqualTo(2);
    assertThat(figures.getProbability().getBins(1).getLower()).isEqualTo(0.9);
    assertThat(figures.getProbability().getBins(1).getObservedShare()).isEqualTo(0.75);
    double low = Math.abs(0.25 / 2 - 0) * 2;
    double high = Math.abs(3.77 / 4 - 0.75) * 4;
    assertThat(figures.getProbability().getExpectedCalibrationError())
        .isCloseTo((low + high) / 6, within(TINY));
  }

  @Test
  void tellsOthersTheFigureThatTheyAskFor() {
    record(
        rapport.channel(),
        label(logged(prediction().setPredictedClass("a")), "a"),
        label(logged(prediction().setPredictedClass("a")), "b"));
    for (double predicted : new double[] {1, 2, 3}) {
      LoggedPrediction number =
          logged(prediction().setModelVersion("2").setPredictionValue(predicted));
      record(rapport.channel(), value(number, predicted == 3 ? 4 : predicted));
    }

    assertThat(live("1.0.0", "accuracy", "2020-01-01T00:00:00Z"))
        .contains(new LivePerformance(0.5, 2));
    assertThat(live("1.0.0", "accuracy", "2099-01-01T00:00:00Z")).isEmpty();
    assertThat(live("1.0.0", "r_squared", "2020-01-01T00:00:00Z")).isEmpty();
    assertThat(live("1.0.0", "auc", "2020-01-01T00:00:00Z")).isEmpty();
    double mean = 7 / 3.0;
    double deviations = Math.pow(1 - mean, 2) + Math.pow(2 - mean, 2) + Math.pow(4 - mean, 2);
    assertThat(live("2", "r_squared", "2020-01-01T00:00:00Z"))
        .hasValueSatisfying(it -> {
          assertThat(it.sampleCount()).isEqualTo(3);
          assertThat(it.value()).isCloseTo(1 - 1 / deviations, within(TINY));
        });
  }

  private Optional<LivePerformance> live(String version, String metric, String since) {
    LiveQuestion question = new LiveQuestion("lead_time", version, metric, Instant.parse(since));
    return new LivePerformanceStore().find(rapport.sql(), rapport.tenant(), question);
  }

  @Test
  void tellsFiguresByHourAndDayOfThePrediction() {
    LoggedPrediction first = logged(predictionAt("2026-01-01T10:59:59Z", 1));
    LoggedPrediction second = logged(predictionAt("2026-01-01T11:00:00Z", 2));
    LoggedPrediction third = logged(predictionAt("2026-01-02T00:00:00Z", 3));
    record(rapport.channel(), value(first, 2), value(second, 2), value(third, 2));

    assertThat(figures(Window.HOUR))
        .extracting(it -> it.getNumeric().getBias())
        .containsExactly(-1.0, 0.0, 1.0);
    assertThat(figures(Window.DAY))
        .extracting(PerformanceFigures::getFrom)
        .containsExactly(Given.time("2026-01-01T00:00:00Z"), Given.time("2026-01-02T00:00:00Z"));
    assertThat(figures(Window.ALL)).hasSize(1);
  }
}
