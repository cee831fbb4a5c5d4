package io.rapport.server;

import io.grpc.Channel;
import io.rapport.monitoring.v1.AnomalyAlert;
import io.rapport.monitoring.v1.AnomalyAlertServiceGrpc;
import io.rapport.monitoring.v1.CreateAnomalyAlertRequest;
import io.rapport.monitoring.v1.LearningEntry;
import io.rapport.monitoring.v1.LearningMemoryServiceGrpc;
import io.rapport.monitoring.v1.LogPredictionRequest;
import io.rapport.monitoring.v1.LoggedPrediction;
import io.rapport.monitoring.v1.PredictionLogServiceGrpc;
import io.rapport.monitoring.v1.RecordLearningEntryRequest;
import io.rapport.server.TenantIsolationTest.Call;
import io.rapport.server.TenantIsolationTest.Names;
import java.util.List;
import java.util.stream.Stream;

/** Calls of the RPCs of monitoring about what is a tenant's. */
final class MonitoringCalls {
  private static final String PACKAGE = "rapport.monitoring.v1.";
  private static final String PREDICTION = "id: '%E' model_name: '%P' user_id: '%U'";
  private static final String OUTCOME = "prediction_id: '%E' outcome { actual_value: 1 }";
  private static final String ALERT = "model_name: '%P' fingerprint: '%P' severity: HIGH";
  private static final String ENTRY =
      "id: '%H' error_type: '%P' user_intent: 'a' failed_query: 'b' specific_issue: 'c'"
          + " suggested_fix: 'd' confidence: 0.9";

  /** With a plus those that answer otherwise for what is there. */
  private static final List<String> LINES =
      List.of(
          "+PredictionLogService/GetLoggedPrediction id: '%E'",
          "+PredictionLogService/ListLoggedPredictions filter { model_name: '%P' }",
          "+PredictionLogService/ListLoggedPredictions filter { user_id: '%U' }",
          "+PredictionLogService/GetPerformanceFigures model_name: '%P'",
          "+PredictionLogService/LogPrediction prediction { "
              + PREDICTION
              + " } validate_only: true",
          "+PredictionLogService/BatchLogPredictions predictions { "
              + PREDICTION
              + " } validate_only: true",
          "+PredictionLogService/StreamPredictions predictions { " + PREDICTION + " }",
          "+PredictionLogService/RecordOutcomes reports { " + OUTCOME + " } validate_only: true",
          "+AnomalyAlertService/GetAnomalyAlert id: '%A'",
          "+AnomalyAlertService/ListAnomalyAlerts filter { model_name: '%P' }",
          "+AnomalyAlertService/CreateAnomalyAlert alert { " + ALERT + " } validate_only: true",
          "+AnomalyAlertService/AcknowledgeAnomalyAlert id: '%A'",
          "+AnomalyAlertService/ResolveAnomalyAlert id: '%A'",
          "AnomalyAlertService/DetectAnomalies model_name: '%P'",
          "+LearningMemoryService/GetLearningEntry id: '%H'",
          "+LearningMemoryService/ListLearningEntries error_type: '%P'",
          "+LearningMemoryService/FindSimilarLearningEntries text: 'secret' error_type: '%P'",
          "+LearningMemoryService/GetLearningStatistics ",
          "+LearningMemoryService/RecordLearningEntry entry { " + ENTRY + " } validate_only: true",
          "+LearningMemoryService/GiveLearningFeedback id: '%H' feedback: HELPFUL");

  private MonitoringCalls() {}

  static Stream<Call> all() {
    return LINES.stream().map(line -> TextCalls.call(PACKAGE, line));
  }

  /** Makes one thing of each kind; returns the id of the alert. */
  static String make(Channel channel, Names names, String user) {
    PredictionLogServiceGrpc.newBlockingStub(channel)
        .logPrediction(
            LogPredictionRequest.newBuilder()
                .setPrediction(
                    LoggedPrediction.newBuilder()
                        .setId(names.event())
                        .setModelName(names.property())
                        .setUserId(user)
                        .setPredictionValue(7))
                .build());
    LearningMemoryServiceGrpc.newBlockingStub(channel)
        .recordLearningEntry(
            RecordLearningEntryRequest.newBuilder()
                .setEntry(
                    LearningEntry.newBuilder()
                        .setId(names.held())
                        .setErrorType(names.property())
                        .setUserIntent("a secret")
                        .setFailedQuery("b")
                        .setSpecificIssue("c")
                        .setSuggestedFix("d")
                        .setConfidence(0.9))
                .build());
    return AnomalyAlertServiceGrpc.newBlockingStub(channel)
        .createAnomalyAlert(
            CreateAnomalyAlertRequest.newBuilder()
                .setAlert(
                    AnomalyAlert.newBuilder()
                        .setModelName(names.property())
                        .setFingerprint(names.property())
                        .setSeverity(AnomalyAlert.Severity.HIGH))
                .build())
        .getId();
  }
}
