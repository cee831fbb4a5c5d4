package io.rapport.monitoring.alert;

import static io.rapport.monitoring.prediction.Predictions.log;
import static io.rapport.monitoring.prediction.Predictions.prediction;
import static io.rapport.monitoring.prediction.Predictions.stub;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Struct;
import io.rapport.monitoring.v1.AnomalyAlert;
import io.rapport.monitoring.v1.AnomalyAlert.Cause;
import io.rapport.monitoring.v1.AnomalyAlert.Severity;
import io.rapport.monitoring.v1.AnomalyAlertServiceGrpc;
import io.rapport.monitoring.v1.DetectAnomaliesRequest;
import io.rapport.monitoring.v1.DetectAnomaliesResponse;
import io.rapport.monitoring.v1.DetectedAnomaly;
import io.rapport.monitoring.v1.DetectionSettings;
import io.rapport.monitoring.v1.DetectionSettings.Method;
import io.rapport.monitoring.v1.DetectionSettingsServiceGrpc;
import io.rapport.monitoring.v1.GetLoggedPredictionRequest;
import io.rapport.monitoring.v1.ListAnomalyAlertsRequest;
import io.rapport.monitoring.v1.ListLoggedPredictionsRequest;
import io.rapport.monitoring.v1.LoggedPrediction;
import io.rapport.monitoring.v1.LoggedPredictionFilter;
import io.rapport.monitoring.v1.UpsertDetectionSettingsRequest;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Finding anomalies among predictions. */
class DetectAnomaliesTest {
  private static final int USUAL = 500;

  @RegisterExtension static final Rapport rapport = new Rapport();

  /** Predictions about 10, some minutes apart, the last a few hours ago. */
  private static List<LoggedPrediction> usual(String model) {
    Random random = new Random(5);
    Instant last = Instant.parse(rapport.clock().instant().toString()).minus(5, ChronoUnit.HOURS);
    List<LoggedPrediction> predictions = new ArrayList<>();
    for (int i = 0; i < USUAL; i++) {
      predictions.add(
          prediction()
              .setModelName(model)
              .setPredictionValue(10 + random.nextGaussian())
              .setPredictedAt(Given.time(last.minusSeconds(1200L * i).toString()))
              .build());
    }
    return predictions;
  }

  private static LoggedPrediction planted(String model, double value, int minutesAgo) {
    Instant at = rapport.clock().instant().minus(minutesAgo, ChronoUnit.MINUTES);
    return prediction()
        .setModelName(model)
        .setPredictionValue(value)
        .setPredictedAt(Given.time(at.toString()))
        .build();
  }

  private static DetectAnomaliesResponse detect(String model, boolean tryOut) {
    return AnomalyAlertServiceGrpc.newBlockingStub(rapport.channel())
        .detectAnomalies(
            DetectAnomaliesRequest.newBuilder()
                .setModelName(model)
                .setValidateOnly(tryOut)
                .build());
  }

  private static LoggedPrediction get(LoggedPrediction prediction) {
    return stub(rapport.channel())
        .getLoggedPrediction(
            GetLoggedPredictionRequest.newBuilder().setId(prediction.getId()).build());
  }

  private static void set(DetectionSettings.Builder settings) {
    var _ =
        DetectionSettingsServiceGrpc.newBlockingStub(rapport.channel())
            .upsertDetectionSettings(
                UpsertDetectionSettingsRequest.newBuilder().setDetectionSettings(settings).build());
  }

  /** The server must not look before the test asks. */
  private static void onlyOnDemand() {
    set(DetectionSettings.newBuilder().setModelName("*").setMethod(Method.OFF));
  }

  @Test
  void looksWithBothIfNobodySaysOtherwise() {
    assertThat(new DetectionStore().settings(rapport.sql(), rapport.tenant(), "m").method())
        .isEqualTo(Method.BOTH);
  }

  @Test
  void raisesWhatSendersFoundInTheCommitThatLogsIt() {
    onlyOnDemand();
    List<LoggedPrediction> sent =
        List.of(
            planted("m", 1, 3).toBuilder().setIsAnomaly(true).setAnomalyScore(-0.6).build(),
            planted("m", 9, 2).toBuilder()
                .setSeverity(LoggedPrediction.Severity.CRITICAL)
                .setAnomalyScore(-0.95)
                .build(),
            planted("m", 2, 1),
            planted("other", 2, 1));

    log(rapport.channel(), sent);
    log(rapport.channel(), sent);

    assertThat(alerts())
        .singleElement()
        .satisfies(it -> {
          assertThat(it.getModelName()).isEqualTo("m");
          assertThat(it.getSeverity()).isEqualTo(Severity.CRITICAL);
          assertThat(it.getCause()).isEqualTo(Cause.RAISED);
          assertThat(it.getOccurrences()).isEqualTo(2);
          assertThat(it.getAlertData().getFieldsOrThrow("prediction_id").getStringValue())
              .isEqualTo(sent.get(1).getId());
        });
  }

  private static List<AnomalyAlert> alerts() {
    return AnomalyAlertServiceGrpc.newBlockingStub(rapport.channel())
        .listAnomalyAlerts(ListAnomalyAlertsRequest.getDefaultInstance())
        .getAlertsList();
  }

  @Test
  void looksOnDemandAsIfItWereNotSwitchedOff() {
    log(rapport.channel(), usual("m"));
    set(DetectionSettings.newBuilder().setModelName("*").setMethod(Method.OFF));

    assertThat(detect("m", true).getAnomalyCount()).isLessThanOrEqualTo(2);
  }

  private static int marked() {
    return rapport
        .sql()
        .fetchSingle(
            "SELECT count(*) FROM monitoring.prediction_log WHERE tenant_id = ? AND is_anomaly",
            rapport.tenant())
        .get(0, Integer.class);
  }

  @ParameterizedTest
  @CsvSource({"BOTH, 2", "EITHER, 30", "ROBUST_Z_SCORE, 2", "ISOLATION_FOREST, 30"})
  void findsWhatWasPlantedAndMarksFewOthers(Method method, int most) {
    onlyOnDemand();
    set(DetectionSettings.newBuilder().setModelName("m").setMethod(method));
    List<LoggedPrediction> planted =
        List.of(planted("m", 90, 200), planted("m", -70, 120), planted("m", 45, 30));
    log(rapport.channel(), usual("m"));
    log(rapport.channel(), planted);

    DetectAnomaliesResponse found = detect("m", false);

    assertThat(found.getJudged()).isEqualTo(USUAL + 3);
    assertThat(found.getAnomaliesList())
        .extracting(DetectedAnomaly::getPredictionId)
        .containsAll(planted.stream().map(LoggedPrediction::getId).toList());
    assertThat(found.getAnomalyCount()).isEqualTo(marked()).isLessThanOrEqualTo(3 + most);
    for (LoggedPrediction one : planted) {
      assertThat(get(one).getIsAnomaly()).isTrue();
      assertThat(get(one).getAnomalyScore()).isBetween(-1.0, -0.5);
      assertThat(get(one).getSeverity()).isNotEqualTo(LoggedPrediction.Severity.NORMAL);
    }
    assertThat(detect("m", false).getJudged()).as("judged again").isZero();
  }

  @Test
  void raisesOneAlertWithWhatIsKnownOfTheWorst() {
    onlyOnDemand();
    set(DetectionSettings.newBuilder().setModelName("m").setMethod(Method.ROBUST_Z_SCORE));
    LoggedPrediction worst = planted("m", 5000, 60);
    log(rapport.channel(), usual("m"));
    log(rapport.channel(), List.of(planted("m", 25, 240), worst));

    DetectAnomaliesResponse found = detect("m", false);

    assertThat(found.getAlert().getSeverity()).isEqualTo(Severity.CRITICAL);
    assertThat(found.getAlert().getCause()).isEqualTo(Cause.DETECTION);
    assertThat(found.getAlert().getOccurrences()).isEqualTo(found.getAnomalyCount());
    Struct data = found.getAlert().getAlertData();
    assertThat(data.getFieldsOrThrow("alert_type").getStringValue())
        .isEqualTo("ml_prediction_anomaly");
    assertThat(data.getFieldsOrThrow("prediction_id").getStringValue()).isEqualTo(worst.getId());
    assertThat(data.getFieldsOrThrow("prediction_value").getNumberValue()).isEqualTo(5000);
    assertThat(data.getFieldsMap())
        .containsKeys("anomaly_score", "severity", "timestamp", "recommended_action");
    assertThat(get(worst).getSeverity()).isEqualTo(LoggedPrediction.Severity.CRITICAL);

    log(rapport.channel(), List.of(planted("m", 6000, 1)));
    DetectAnomaliesResponse again = detect("m", false);
    assertThat(again.getAlert().getId()).isEqualTo(found.getAlert().getId());
    assertThat(again.getAlert().getOccurrences()).isEqualTo(found.getAnomalyCount() + 1);
  }

  /** Scores of about -0.85: beyond -0.8 and not beyond -0.9. */
  @ParameterizedTest
  @CsvSource({"10, HIGH", "70, HIGH", "29, CRITICAL"})
  void takesThreeHighOnesWithinAnHourForCritical(int minutesApart, Severity severity) {
    onlyOnDemand();
    set(DetectionSettings.newBuilder().setModelName("m").setMethod(Method.ROBUST_Z_SCORE));
    log(rapport.channel(), usual("m"));
    int count = severity == Severity.CRITICAL || minutesApart > 60 ? 3 : 2;
    for (int i = 0; i < count; i++) {
      log(rapport.channel(), List.of(planted("m", 10 + 20 + i / 10.0, 1 + i * minutesApart)));
      DetectAnomaliesResponse found = detect("m", false);
      assertThat(found.getAnomalies(0).getSeverity()).isEqualTo(Severity.HIGH);
    }

    assertThat(
            AnomalyAlertServiceGrpc.newBlockingStub(rapport.channel())
                .listAnomalyAlerts(ListAnomalyAlertsRequest.getDefaultInstance())
                .getAlerts(0)
                .getSeverity())
        .isEqualTo(severity);
  }

  @Test
  void changesNothingThatIsOnlyTriedOut() {
    onlyOnDemand();
    set(DetectionSettings.newBuilder().setModelName("m").setMethod(Method.EITHER));
    set(DetectionSettings.newBuilder().setModelName("m").setMethod(Method.OFF));
    log(rapport.channel(), usual("m"));
    log(rapport.channel(), List.of(planted("m", 90, 30)));

    DetectAnomaliesResponse tried = detect("m", true);

    assertThat(tried.getAnomalyCount()).isPositive();
    assertThat(marked()).isZero();
    assertThat(detect("m", false).getAnomaliesList()).isEqualTo(tried.getAnomaliesList());
  }

  @Test
  void leavesAloneWhatItsSenderScoredAndWhatIsTooFewToTell() {
    onlyOnDemand();
    LoggedPrediction scored = planted("m", 90, 30).toBuilder().setAnomalyScore(-0.1).build();
    log(rapport.channel(), usual("m"));
    log(rapport.channel(), List.of(scored, planted("few", 1, 10), planted("few", 90, 5)));

    detect("m", false);

    assertThat(get(scored).getAnomalyScore()).isEqualTo(-0.1);
    assertThat(get(scored).getIsAnomaly()).isFalse();
    assertThat(detect("few", false).getJudged()).isZero();
  }

  @Test
  @Timeout(60)
  void looksByItself() {
    LoggedPrediction planted = planted("m", 90, 30);
    List<LoggedPrediction> all = new ArrayList<>(usual("m"));
    all.add(planted);
    log(rapport.channel(), all);

    while (!get(planted).getIsAnomaly()) {
      Thread.onSpinWait();
    }

    assertThat(
            stub(rapport.channel())
                .listLoggedPredictions(
                    ListLoggedPredictionsRequest.newBuilder()
                        .setFilter(LoggedPredictionFilter.newBuilder().setAnomaliesOnly(true))
                        .build())
                .getPredictionsList())
        .extracting(LoggedPrediction::getId)
        .contains(planted.getId());
    assertThat(
            AnomalyAlertServiceGrpc.newBlockingStub(rapport.channel())
                .listAnomalyAlerts(ListAnomalyAlertsRequest.getDefaultInstance())
                .getAlertsCount())
        .isOne();
  }
}
