package io.rapport.versioning.model;

import com.google.protobuf.Struct;
import io.rapport.platform.ServiceException;
import io.rapport.platform.resource.StructJson;
import io.rapport.platform.v1.ErrorReason;
import java.nio.charset.StandardCharsets;

/** What callers tell of versions, as JSON that isn't too large. */
final class Descriptions {
  private static final int KIB = 1024;
  private static final int MAX_METADATA_KIB = 64;
  private static final int MAX_METRICS_KIB = 16;
  private static final int MAX_METRICS = 200;

  private Descriptions() {}

  static String metadata(Struct sent) {
    return json(sent, "model_metadata", MAX_METADATA_KIB);
  }

  static String metrics(Struct sent) {
    String field = "performance_metrics";
    if (sent.getFieldsCount() > MAX_METRICS) {
      throw ServiceException.invalid(
          field, ErrorReason.INVALID_FIELD, "must have at most " + MAX_METRICS + " names");
    }
    return json(sent, field, MAX_METRICS_KIB);
  }

  private static String json(Struct sent, String field, int maxKib) {
    String json = StructJson.write(sent, field);
    if (json.getBytes(StandardCharsets.UTF_8).length > maxKib * KIB) {
      throw ServiceException.invalid(
          field, ErrorReason.INVALID_FIELD, "must have at most " + maxKib + " KiB as JSON");
    }
    return json;
  }
}
