package io.rapport.monitoring.alert;

import com.google.protobuf.ByteString;
import io.rapport.monitoring.v1.AnomalyAlert.Cause;
import io.rapport.monitoring.v1.AnomalyAlert.Severity;
import io.rapport.platform.json.ByteWriter;
import io.rapport.platform.json.JsonWriter;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * That a model which is in use does too badly. It is no critical alert: that would keep the model
 * from being replaced by a better one.
 *
 * @param reason how badly it does
 */
public record PoorPerformance(String model, String version, String reason) {
  private static final String TYPE = "performance";
  private static final int TYPICAL_SIZE = 512;

  AlertStore.Raised raised() {
    return new AlertStore.Raised(
        model, TYPE + "/" + model, TYPE, Severity.HIGH, data(), Cause.PERFORMANCE, 1);
  }

  private ByteString data() {
    Map<String, @Nullable Object> data = new TreeMap<>();
    data.put("alert_type", TYPE);
    data.put("model_name", model);
    data.put("model_version", version);
    data.put("reason", reason);
    data.put("severity", Severity.HIGH.name());
    data.put("recommended_action", "Train the model anew: there is no version to return to.");
    ByteWriter out = new ByteWriter(TYPICAL_SIZE);
    JsonWriter.write(data, out);
    return ByteString.copyFrom(out.copy());
  }
}
