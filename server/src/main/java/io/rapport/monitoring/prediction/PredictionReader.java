package io.rapport.monitoring.prediction;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import com.google.rpc.BadRequest.FieldViolation;
import io.rapport.monitoring.v1.LoggedPrediction;
import io.rapport.monitoring.v1.LoggedPrediction.Severity;
import io.rapport.monitoring.v1.OutcomeReport;
import io.rapport.platform.Caller;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Times;
import io.rapport.platform.Uuids;
import io.rapport.platform.json.ByteWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import javax.crypto.Mac;
import org.jspecify.annotations.Nullable;

/** Reads the predictions of one message: checks and digests them. For one thread. */
final class PredictionReader {
  private static final byte PURPOSE = 'L';
  private static final int TYPICAL_SIZE = 1024;

  private final Mac mac;
  private final JsonField json = new JsonField();
  private final OutcomeReader outcomes = new OutcomeReader();
  private final ByteWriter bytes = new ByteWriter(TYPICAL_SIZE);

  PredictionReader(Caller.Tenant tenant) {
    this.mac = tenant.secret().mac();
  }

  /** The prediction, ready to be logged; throws INVALID_ARGUMENT if it breaks a rule. */
  IncomingPrediction read(LoggedPrediction sent) {
    List<FieldViolation> violations = FieldRules.violations(sent);
    if (!violations.isEmpty()) {
      throw ServiceException.invalid(FieldRules.commonReason(violations), violations);
    }
    JsonField.Value result = result(sent);
    JsonField.Value features = features(sent);
    IncomingOutcome outcome = outcome(sent);
    return new IncomingPrediction(
        UUID.fromString(sent.getId()),
        sent.getModelName(),
        sent.getModelVersion(),
        sent.getPredictionType(),
        sent.getSegment(),
        sent.getPredictionValue() + 0.0, // there is one zero
        orNull(sent.getPredictedClass()),
        result == null ? null : result.text(),
        features == null ? null : features.text(),
        features == null ? 0 : features.keys(),
        sent.hasConfidenceScore() ? sent.getConfidenceScore() : null,
        sent.hasAnomalyScore() ? sent.getAnomalyScore() : null,
        sent.getIsAnomaly(),
        severity(sent).name(),
        sent.hasResponseTimeMs() ? sent.getResponseTimeMs() : null,
        Uuids.parse(sent.getUserId()),
        orNull(sent.getSourceRequestId()),
        Uuids.parse(sent.getCacheEntryId()),
        sent.hasPredictedAt() ? Times.micros(sent.getPredictedAt()) : null,
        digest(sent, result, features, outcome),
        outcome);
  }

  private static @Nullable String orNull(String text) {
    return text.isEmpty() ? null : text;
  }

  private static Severity severity(LoggedPrediction sent) {
    return switch (sent.getSeverity()) {
      case SEVERITY_UNSPECIFIED -> sent.getIsAnomaly() ? Severity.WARNING : Severity.NORMAL;
      default -> sent.getSeverity();
    };
  }

  private JsonField.@Nullable Value result(LoggedPrediction sent) {
    return switch (sent.getPredictionResultCase()) {
      case PREDICTION_RESULT_JSON ->
          json.of(sent.getPredictionResultJson(), "prediction_result_json");
      case PREDICTION_RESULT_STRUCT ->
          json.of(sent.getPredictionResultStruct(), "prediction_result_struct");
      case PREDICTIONRESULT_NOT_SET -> null;
    };
  }

  private JsonField.@Nullable Value features(LoggedPrediction sent) {
    return switch (sent.getInputFeaturesCase()) {
      case INPUT_FEATURES_JSON -> json.of(sent.getInputFeaturesJson(), "input_features_json");
      case INPUT_FEATURES_STRUCT -> json.of(sent.getInputFeaturesStruct(), "input_features_struct");
      case INPUTFEATURES_NOT_SET -> null;
    };
  }

  private @Nullable IncomingOutcome outcome(LoggedPrediction sent) {
    return sent.hasOutcome()
        ? outcomes.read(
            OutcomeReport.newBuilder()
                .setPredictionId(sent.getId())
                .setOutcome(sent.getOutcome())
                .build())
        : null;
  }

  /** Every field counts, each with its length, so that two predictions never look alike. */
  private ByteString digest(
      LoggedPrediction sent,
      JsonField.@Nullable Value result,
      JsonField.@Nullable Value features,
      @Nullable IncomingOutcome outcome) {
    bytes.clear();
    bytes.putByte(PURPOSE);
    sized(sent.getModelName());
    sized(sent.getModelVersion());
    sized(sent.getPredictionType());
    sized(sent.getSegment());
    number(true, sent.getPredictionValue());
    sized(sent.getPredictedClass());
    sized(result == null ? null : result.text());
    sized(features == null ? null : features.text());
    number(sent.hasConfidenceScore(), sent.getConfidenceScore());
    number(sent.hasAnomalyScore(), sent.getAnomalyScore());
    bytes.putByte(sent.getIsAnomaly() ? 1 : 0).putByte(severity(sent).getNumber());
    bytes.putByte(sent.hasResponseTimeMs() ? 1 : 0).putInt(sent.getResponseTimeMs());
    id(sent.getUserId());
    sized(sent.getSourceRequestId());
    id(sent.getCacheEntryId());
    time(sent.hasPredictedAt(), Times.micros(sent.getPredictedAt()));
    if (outcome != null) {
      digest(outcome);
    }
    mac.update(bytes.array(), 0, bytes.size());
    return UnsafeByteOperations.unsafeWrap(mac.doFinal());
  }

  private void digest(IncomingOutcome outcome) {
    sized(outcome.kind().name());
    number(outcome.value() != null, outcome.value() == null ? 0 : outcome.value());
    sized(outcome.label() == null ? "" : outcome.label());
    bytes.putByte(Boolean.TRUE.equals(outcome.occurred()) ? 1 : 0);
    sized(outcome.details());
    Long observed = outcome.observedMicros();
    time(observed != null, observed == null ? 0 : observed);
    sized(outcome.reason());
  }

  private void id(String id) {
    UUID uuid = Uuids.parse(id);
    bytes.putByte(uuid == null ? 0 : 1);
    if (uuid != null) {
      bytes.putUuid(uuid);
    }
  }

  private void sized(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    bytes.putInt(utf8.length).putBytes(utf8);
  }

  private void sized(@Nullable ByteString text) {
    bytes.putInt(text == null ? -1 : text.size());
    if (text != null) {
      bytes.putBytes(text);
    }
  }

  private void number(boolean present, double value) {
    bytes.putByte(present ? 1 : 0).putLong(Double.doubleToLongBits(value + 0.0));
  }

  private void time(boolean present, long micros) {
    bytes.putByte(present ? 1 : 0).putLong(micros);
  }
}
