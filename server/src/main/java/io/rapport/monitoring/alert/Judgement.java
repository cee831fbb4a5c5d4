package io.rapport.monitoring.alert;

import io.rapport.monitoring.v1.AnomalyAlert.Severity;

/** What the detection says of a prediction: its score, and how bad that is. */
record Judgement(Observed prediction, double score, Severity severity) {
  boolean isAnomaly() {
    return severity.getNumber() >= Severity.MEDIUM_VALUE;
  }
}
