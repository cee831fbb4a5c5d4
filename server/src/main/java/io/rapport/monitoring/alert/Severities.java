package io.rapport.monitoring.alert;

import io.rapport.monitoring.v1.AnomalyAlert;
import io.rapport.monitoring.v1.LoggedPrediction;

/** The vocabularies in which severity is told, and what goes over into what. */
final class Severities {
  /** A score below it is an anomaly. */
  static final double ANOMALY = -0.5;

  private static final double CRITICAL = -0.9;
  private static final double HIGH = -0.8;
  private static final double LOW = -0.3;

  private Severities() {}

  /** That of an anomaly's score; SEVERITY_UNSPECIFIED if there is nothing remarkable. */
  static AnomalyAlert.Severity ofScore(double score) {
    if (score < CRITICAL) {
      return AnomalyAlert.Severity.CRITICAL;
    }
    if (score < HIGH) {
      return AnomalyAlert.Severity.HIGH;
    }
    if (score < ANOMALY) {
      return AnomalyAlert.Severity.MEDIUM;
    }
    return score < LOW ? AnomalyAlert.Severity.LOW : AnomalyAlert.Severity.SEVERITY_UNSPECIFIED;
  }

  /** That of a prediction which its sender judged; SEVERITY_UNSPECIFIED if it is no anomaly. */
  static AnomalyAlert.Severity ofReport(LoggedPrediction.Severity severity, boolean anomaly) {
    return switch (severity) {
      case CRITICAL -> AnomalyAlert.Severity.CRITICAL;
      case WARNING -> AnomalyAlert.Severity.MEDIUM;
      case NORMAL, SEVERITY_UNSPECIFIED, UNRECOGNIZED ->
          anomaly ? AnomalyAlert.Severity.LOW : AnomalyAlert.Severity.SEVERITY_UNSPECIFIED;
    };
  }

  /** That of the prediction log. */
  static LoggedPrediction.Severity ofLog(AnomalyAlert.Severity alert) {
    return switch (alert) {
      case LOW, MEDIUM -> LoggedPrediction.Severity.WARNING;
      case HIGH, CRITICAL -> LoggedPrediction.Severity.CRITICAL;
      case SEVERITY_UNSPECIFIED, UNRECOGNIZED -> LoggedPrediction.Severity.NORMAL;
    };
  }
}
