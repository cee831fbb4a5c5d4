package io.rapport.monitoring.prediction;

import io.grpc.Channel;
import io.rapport.monitoring.v1.BatchLogPredictionsRequest;
import io.rapport.monitoring.v1.LogResult;
import io.rapport.monitoring.v1.LoggedPrediction;
import io.rapport.monitoring.v1.Outcome;
import io.rapport.monitoring.v1.OutcomeReport;
import io.rapport.monitoring.v1.OutcomeResult;
import io.rapport.monitoring.v1.PredictionLogServiceGrpc;
import io.rapport.monitoring.v1.PredictionLogServiceGrpc.PredictionLogServiceBlockingStub;
import io.rapport.monitoring.v1.RecordOutcomesRequest;
import io.rapport.server.Given;
import java.util.List;

/** What tests of the prediction log begin with. */
public final class Predictions {
  private Predictions() {}

  /** A prediction that keeps all rules, with an id of its own. */
  public static LoggedPrediction.Builder prediction() {
    return LoggedPrediction.newBuilder()
        .setId(Given.id())
        .setModelName("lead_time")
        .setModelVersion("1.0.0")
        .setPredictionValue(0.5);
  }

  /** Of a value, at an instant such as 2026-01-31T12:00:00Z. */
  public static LoggedPrediction.Builder predictionAt(String instant, double value) {
    return prediction().setPredictionValue(value).setPredictedAt(Given.time(instant));
  }

  static OutcomeReport value(LoggedPrediction prediction, double actual) {
    return report(prediction, Outcome.newBuilder().setActualValue(actual));
  }

  static OutcomeReport label(LoggedPrediction prediction, String actual) {
    return report(prediction, Outcome.newBuilder().setActualClass(actual));
  }

  static OutcomeReport event(LoggedPrediction prediction, boolean occurred) {
    return report(prediction, Outcome.newBuilder().setOccurred(occurred));
  }

  static OutcomeReport report(LoggedPrediction prediction, Outcome.Builder outcome) {
    return OutcomeReport.newBuilder()
        .setPredictionId(prediction.getId())
        .setOutcome(outcome)
        .build();
  }

  static OutcomeReport corrected(OutcomeReport report, String reason) {
    OutcomeReport.Builder corrected = report.toBuilder();
    corrected.getOutcomeBuilder().setCorrectionReason(reason);
    return corrected.build();
  }

  public static PredictionLogServiceBlockingStub stub(Channel channel) {
    return PredictionLogServiceGrpc.newBlockingStub(channel);
  }

  public static List<LogResult> log(Channel channel, List<LoggedPrediction> predictions) {
    return stub(channel)
        .batchLogPredictions(
            BatchLogPredictionsRequest.newBuilder().addAllPredictions(predictions).build())
        .getResultsList();
  }

  static List<OutcomeResult> record(Channel channel, OutcomeReport... reports) {
    return stub(channel)
        .recordOutcomes(RecordOutcomesRequest.newBuilder().addAllReports(List.of(reports)).build())
        .getResultsList();
  }
}
