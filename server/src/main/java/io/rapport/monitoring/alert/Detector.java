package io.rapport.monitoring.alert;

import com.google.protobuf.ByteString;
import io.rapport.monitoring.v1.AnomalyAlert.Cause;
import io.rapport.monitoring.v1.AnomalyAlert.Severity;
import io.rapport.monitoring.v1.DetectAnomaliesResponse;
import io.rapport.monitoring.v1.DetectedAnomaly;
import io.rapport.platform.Change;
import io.rapport.platform.json.ByteWriter;
import io.rapport.platform.json.Json;
import io.rapport.platform.json.JsonWriter;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/** Finds anomalies among a model's predictions, and raises alerts, in one transaction. */
final class Detector {
  private static final String TYPE = "ml_prediction_anomaly";
  private static final int TOLD = 100;
  private static final int TYPICAL_SIZE = 1024;

  private final DetectionStore store = new DetectionStore();
  private final AlertStore alerts = new AlertStore();

  /** What was found, and what it changed. */
  record Found(DetectAnomaliesResponse answer, List<Change> changes) {}

  /**
   * Looks at predictions that nobody has looked at.
   *
   * @param asked whether somebody asked for it: then also where it is switched off
   */
  Found detect(DSLContext tx, UUID tenant, String model, boolean asked) {
    DetectionStore.Run run = store.begin(tx, tenant, model);
    Settings settings = store.settings(tx, tenant, model);
    boolean skipped = run.all().isEmpty() || (settings.isOff() && !asked);
    List<Judgement> judgements =
        skipped
            ? List.of()
            : new Detection(settings, model.hashCode())
                .judge(run.all(), store.daily(tx, tenant, model));
    List<Judgement> anomalies =
        judgements.stream()
            .filter(Judgement::isAnomaly)
            .sorted(Comparator.comparingDouble(Judgement::score))
            .toList();
    if (!judgements.isEmpty()) {
      store.write(tx, tenant, judgements);
    }
    store.end(tx, tenant, model, run, !skipped && judgements.isEmpty());
    DetectAnomaliesResponse.Builder answer =
        DetectAnomaliesResponse.newBuilder()
            .setJudged(judgements.size())
            .setAnomalyCount(anomalies.size())
            .setMore(run.more());
    anomalies.stream().limit(TOLD).forEach(it -> answer.addAnomalies(proto(it)));
    if (anomalies.isEmpty()) {
      return new Found(answer.build(), List.of());
    }
    AlertStore.Kept alert = alerts.raise(tx, tenant, raised(tx, tenant, model, anomalies));
    return new Found(answer.setAlert(alert.alert()).build(), List.of(AlertService.change(alert)));
  }

  private static DetectedAnomaly proto(Judgement anomaly) {
    return DetectedAnomaly.newBuilder()
        .setPredictionId(anomaly.prediction().id().toString())
        .setAnomalyScore(anomaly.score())
        .setSeverity(anomaly.severity())
        .setLogSeverity(Severities.ofLog(anomaly.severity()))
        .setPredictionValue(anomaly.prediction().value())
        .build();
  }

  private AlertStore.Raised raised(
      DSLContext tx, UUID tenant, String model, List<Judgement> anomalies) {
    Severity severity = Detection.worst(anomalies);
    if (severity == Severity.HIGH && areMany(tx, tenant, model, anomalies)) {
      severity = Severity.CRITICAL;
    }
    Judgement worst = anomalies.getFirst();
    return new AlertStore.Raised(
        model,
        TYPE + "/" + model,
        TYPE,
        severity,
        data(store.details(tx, tenant, worst.prediction().id()), model, worst, severity),
        Cause.DETECTION,
        anomalies.size());
  }

  private boolean areMany(DSLContext tx, UUID tenant, String model, List<Judgement> anomalies) {
    List<Instant> times =
        anomalies.stream()
            .filter(it -> it.severity().getNumber() >= Severity.HIGH_VALUE)
            .map(it -> it.prediction().predictedAt())
            .sorted()
            .toList();
    return store.areMany(tx, tenant, model, times.getFirst(), times.getLast());
  }

  /** Of the most anomalous. */
  private static ByteString data(
      DetectionStore.Details details, String model, Judgement worst, Severity severity) {
    Map<String, @Nullable Object> data = new TreeMap<>();
    data.put("alert_type", TYPE);
    data.put("model_name", model);
    data.put("model_version", details.version());
    data.put("prediction_id", worst.prediction().id().toString());
    data.put("prediction_value", BigDecimal.valueOf(worst.prediction().value()));
    data.put("anomaly_score", BigDecimal.valueOf(worst.score()));
    data.put("severity", severity.name());
    data.put("timestamp", worst.prediction().predictedAt().toString());
    data.put("recommended_action", recommended(severity));
    details
        .features()
        .ifPresent(it ->
            data.put("input_features", Json.parseStored(it.getBytes(StandardCharsets.UTF_8))));
    ByteWriter out = new ByteWriter(TYPICAL_SIZE);
    JsonWriter.write(data, out);
    return ByteString.copyFrom(out.copy());
  }

  private static String recommended(Severity severity) {
    return severity.getNumber() >= Severity.HIGH_VALUE
        ? "Look at the model's input now; until then don't rely on its predictions."
        : "Look at the model's input and at what has changed.";
  }
}
