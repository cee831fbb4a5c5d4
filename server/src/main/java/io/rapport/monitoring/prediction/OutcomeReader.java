package io.rapport.monitoring.prediction;

import com.google.protobuf.ByteString;
import com.google.rpc.BadRequest.FieldViolation;
import io.rapport.monitoring.prediction.IncomingOutcome.Kind;
import io.rapport.monitoring.v1.Outcome;
import io.rapport.monitoring.v1.OutcomeReport;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Times;
import io.rapport.platform.Uuids;
import io.rapport.platform.v1.ErrorReason;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Reads reports of outcomes, by the rules that stand in the contract. For one thread. */
final class OutcomeReader {
  private static final int MAX_CLASS = 200;
  private static final int MAX_REASON = 1000;

  private final JsonField json = new JsonField();

  /** The outcome, ready to be recorded; throws INVALID_ARGUMENT if it breaks a rule. */
  IncomingOutcome read(OutcomeReport report) {
    UUID id = Uuids.parse(report.getPredictionId());
    if (id == null) {
      throw ServiceException.invalid("prediction_id", ErrorReason.INVALID_FIELD, "must be a UUID");
    }
    try {
      return read(id, report.getOutcome(), report);
    } catch (ServiceException e) {
      throw e.inside("outcome");
    }
  }

  private IncomingOutcome read(UUID id, Outcome outcome, OutcomeReport report) {
    List<FieldViolation> violations = violations(outcome);
    if (!violations.isEmpty()) {
      throw ServiceException.invalid(FieldRules.commonReason(violations), violations);
    }
    return new IncomingOutcome(
        id,
        kind(outcome),
        outcome.hasActualValue() ? outcome.getActualValue() + 0.0 : null,
        outcome.hasActualClass() ? outcome.getActualClass() : null,
        outcome.hasOccurred() ? outcome.getOccurred() : null,
        details(outcome),
        outcome.hasObservedAt() ? Times.micros(outcome.getObservedAt()) : null,
        outcome.getCorrectionReason(),
        report);
  }

  private static Kind kind(Outcome outcome) {
    return switch (outcome.getActualCase()) {
      case ACTUAL_VALUE -> Kind.VALUE;
      case ACTUAL_CLASS -> Kind.CLASS;
      case OCCURRED -> Kind.EVENT;
      case ACTUAL_NOT_SET -> throw new IllegalStateException("the rules need what came true");
    };
  }

  private @Nullable ByteString details(Outcome outcome) {
    return switch (outcome.getDetailsCase()) {
      case DETAILS_JSON -> json.of(outcome.getDetailsJson(), "details_json").text();
      case DETAILS_STRUCT -> json.of(outcome.getDetailsStruct(), "details_struct").text();
      case DETAILS_NOT_SET -> null;
    };
  }

  private static List<FieldViolation> violations(Outcome outcome) {
    FieldRules rules = new FieldRules();
    switch (outcome.getActualCase()) {
      case ACTUAL_VALUE -> rules.checkNumber(outcome.getActualValue(), "actual_value");
      case ACTUAL_CLASS -> rules.checkText(outcome.getActualClass(), 1, MAX_CLASS, "actual_class");
      case OCCURRED -> {
        return rules.checkRest(outcome, MAX_REASON);
      }
      case ACTUAL_NOT_SET ->
          rules.require(
              false, "actual", "one of actual_value, actual_class and occurred is needed");
    }
    return rules.checkRest(outcome, MAX_REASON);
  }
}
