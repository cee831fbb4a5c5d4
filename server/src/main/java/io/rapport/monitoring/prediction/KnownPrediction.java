package io.rapport.monitoring.prediction;

import io.grpc.Status.Code;
import io.rapport.monitoring.prediction.IncomingOutcome.Kind;
import io.rapport.monitoring.v1.OutcomeResult.Result;
import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A logged prediction, and what is known of what came true of it. It knows no database. */
final class KnownPrediction {
  private final UUID id;
  private final double value;
  private final @Nullable String label;
  private final boolean hadOutcome;
  private @Nullable IncomingOutcome outcome;
  private boolean corrected;
  private boolean changed;

  /**
   * What became of a report.
   *
   * @param error why it was not recorded; null if it was, or is kept
   */
  record Settled(Result result, @Nullable ServiceException error) {}

  KnownPrediction(
      UUID id,
      double value,
      @Nullable String label,
      @Nullable IncomingOutcome outcome,
      boolean corrected) {
    this.id = id;
    this.value = value;
    this.label = label;
    this.hadOutcome = outcome != null;
    this.outcome = outcome;
    this.corrected = corrected;
  }

  UUID id() {
    return id;
  }

  /** Whether it had an outcome when it was read. */
  boolean hadOutcome() {
    return hadOutcome;
  }

  boolean hasChanged() {
    return changed;
  }

  /** Decides a report, after those before it. */
  Settled settle(IncomingOutcome report) {
    String misfit = misfit(report);
    IncomingOutcome before = outcome;
    if (misfit != null) {
      return new Settled(
          Result.REFUSED,
          ServiceException.failedPrecondition(ErrorReason.OUTCOME_MISMATCH, misfit)
              .with("prediction_id", id.toString()));
    }
    if (before != null && before.isSame(report)) {
      return new Settled(Result.DUPLICATE, null);
    }
    if (before != null && (corrected || report.reason().isEmpty())) {
      return new Settled(Result.CONFLICT, conflict());
    }
    corrected = before != null;
    outcome = report;
    changed = true;
    return new Settled(before == null ? Result.RECORDED : Result.CORRECTED, null);
  }

  private ServiceException conflict() {
    return ServiceException.of(
            Code.ALREADY_EXISTS,
            ErrorReason.OUTCOME_CONFLICT,
            corrected
                ? "the outcome was corrected before, which can be done once"
                : "another outcome is recorded; to correct it, send a correction_reason")
        .with("prediction_id", id.toString());
  }

  private @Nullable String misfit(IncomingOutcome report) {
    return switch (report.kind()) {
      case VALUE -> null;
      case CLASS -> label == null ? "the prediction has no predicted_class" : null;
      case EVENT -> value >= 0 && value <= 1 ? null : "the prediction's value is no probability";
    };
  }

  /** The outcome; there must be one. */
  IncomingOutcome outcome() {
    IncomingOutcome known = outcome;
    if (known == null) {
      throw new IllegalStateException("the prediction has no outcome");
    }
    return known;
  }

  /** Why it was corrected; empty if it wasn't. */
  String reason() {
    return corrected ? outcome().reason() : "";
  }

  /** Predicted less actual value; null of classes. */
  @Nullable Double error() {
    return switch (outcome().kind()) {
      case VALUE -> value - actual();
      case EVENT -> value - (Boolean.TRUE.equals(outcome().occurred()) ? 1 : 0);
      case CLASS -> null;
    };
  }

  private double actual() {
    Double actual = outcome().value();
    return actual == null ? 0 : actual;
  }

  /** How right the prediction was, 0 to 1. */
  double accuracy() {
    Double error = error();
    if (error == null) {
      return String.valueOf(label).equals(outcome().label()) ? 1 : 0;
    }
    double scale = outcome().kind() == Kind.EVENT ? 1 : Math.abs(actual());
    if (scale == 0) {
      return error == 0 ? 1 : 0;
    }
    return Math.max(0, 1 - Math.abs(error) / scale);
  }
}
