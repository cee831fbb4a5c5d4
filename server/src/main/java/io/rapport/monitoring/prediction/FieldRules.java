package io.rapport.monitoring.prediction;

import com.google.protobuf.Timestamp;
import com.google.rpc.BadRequest.FieldViolation;
import io.rapport.monitoring.v1.LoggedPrediction;
import io.rapport.monitoring.v1.LoggedPrediction.Severity;
import io.rapport.monitoring.v1.Outcome;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Times;
import io.rapport.platform.Uuids;
import io.rapport.platform.json.Texts;
import io.rapport.platform.v1.ErrorReason;
import java.util.ArrayList;
import java.util.List;

/**
 * The rules of predictions and outcomes that stand in the contract, once more by hand: they come by
 * the hundred thousand, and the general validator takes longer than all the rest.
 */
final class FieldRules {
  private static final int MAX_NAME = 100;
  private static final int MAX_VERSION = 64;
  private static final int MAX_TYPE = 50;
  private static final int MAX_TEXT = 200;
  private static final double MAX_NUMBER = 1e100;

  private final List<FieldViolation> violations = new ArrayList<>(0);

  /** What breaks a rule, with paths from the prediction. */
  static List<FieldViolation> violations(LoggedPrediction prediction) {
    FieldRules rules = new FieldRules();
    rules.require(Uuids.parse(prediction.getId()) != null, "id", "must be a UUID");
    rules.checkText(prediction.getModelName(), 1, MAX_NAME, "model_name");
    rules.checkText(prediction.getModelVersion(), 0, MAX_VERSION, "model_version");
    rules.checkText(prediction.getPredictionType(), 0, MAX_TYPE, "prediction_type");
    rules.checkText(prediction.getSegment(), 0, MAX_NAME, "segment");
    rules.checkText(prediction.getPredictedClass(), 0, MAX_TEXT, "predicted_class");
    rules.checkText(prediction.getSourceRequestId(), 0, MAX_TEXT, "source_request_id");
    rules.checkId(prediction.getUserId(), "user_id");
    rules.checkId(prediction.getCacheEntryId(), "cache_entry_id");
    rules.checkNumbers(prediction);
    rules.checkTime(prediction.hasPredictedAt(), prediction.getPredictedAt(), "predicted_at");
    return rules.violations;
  }

  private void checkNumbers(LoggedPrediction prediction) {
    checkNumber(prediction.getPredictionValue(), "prediction_value");
    require(isIn(prediction.getConfidenceScore(), 0, 1), "confidence_score", "must be 0 to 1");
    require(isIn(prediction.getAnomalyScore(), -1, 1), "anomaly_score", "must be -1 to 1");
    require(prediction.getResponseTimeMs() >= 0, "response_time_ms", "must be 0 or more");
    require(
        prediction.getSeverity() != Severity.UNRECOGNIZED, "severity", "must be a defined value");
  }

  /** The same of what an outcome has whatever it is. */
  List<FieldViolation> checkRest(Outcome outcome, int maxReason) {
    checkTime(outcome.hasObservedAt(), outcome.getObservedAt(), "observed_at");
    checkText(outcome.getCorrectionReason(), 0, maxReason, "correction_reason");
    return violations;
  }

  void checkNumber(double value, String field) {
    require(
        isIn(value, -MAX_NUMBER, MAX_NUMBER),
        field,
        "must be a number of at most 1e100 in magnitude");
  }

  /** Also that it is no NaN. */
  private static boolean isIn(double value, double min, double max) {
    return value >= min && value <= max;
  }

  private void checkId(String id, String field) {
    require(id.isEmpty() || Uuids.parse(id) != null, field, "must be a UUID");
  }

  private void checkTime(boolean present, Timestamp time, String field) {
    require(!present || Times.isValid(time), field, "must be an instant from year 1 to 9999");
  }

  void checkText(String text, int min, int max, String field) {
    Texts.problem(text)
        .ifPresent(reason ->
            violations.add(ServiceException.violation(field, reason, Texts.describe(reason))));
    int length = text.length() <= max ? text.length() : text.codePointCount(0, text.length());
    require(
        length >= min && length <= max, field, "must have %d to %d characters".formatted(min, max));
  }

  void require(boolean holds, String field, String description) {
    if (!holds) {
      violations.add(ServiceException.violation(field, ErrorReason.INVALID_FIELD, description));
    }
  }

  /** The one reason of all violations, if they have one. */
  static ErrorReason commonReason(List<FieldViolation> violations) {
    String first = violations.getFirst().getReason();
    boolean common = violations.stream().allMatch(it -> it.getReason().equals(first));
    return common ? ErrorReason.valueOf(first) : ErrorReason.INVALID_FIELD;
  }
}
