package io.rapport.monitoring.alert;

import com.google.protobuf.ByteString;
import io.rapport.monitoring.v1.AnomalyAlert.Cause;
import io.rapport.monitoring.v1.AnomalyAlert.Severity;
import io.rapport.platform.json.ByteWriter;
import io.rapport.platform.json.Json;
import io.rapport.platform.json.JsonWriter;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/** Raises the alert about anomalies among a model's predictions, whoever found them. */
final class AnomalyAlerts {
  private static final String TYPE = "ml_prediction_anomaly";
  private static final int TYPICAL_SIZE = 1024;

  private final DetectionStore store = new DetectionStore();
  private final AlertStore alerts = new AlertStore();

  /**
   * Raises an alert.
   *
   * @param anomalies those of one model, the most anomalous first
   */
  AlertStore.Kept raise(
      DSLContext tx,
      UUID tenant,
      String model,
      List<Judgement> anomalies,
      Severity severity,
      Cause cause) {
    Judgement worst = anomalies.getFirst();
    return alerts.raise(
        tx,
        tenant,
        new AlertStore.Raised(
            model,
            TYPE + "/" + model,
            TYPE,
            severity,
            data(store.details(tx, tenant, worst.prediction().id()), model, worst, severity),
            cause,
            anomalies.size()));
  }

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
