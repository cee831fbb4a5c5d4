package io.rapport.monitoring.alert;

import io.rapport.monitoring.v1.DetectionSettings.Method;

/**
 * How anomalies of a model are looked for.
 *
 * @param contamination the share that the isolation forest may take for anomalies
 */
record Settings(
    Method method,
    double threshold,
    double contamination,
    int trees,
    int sampleSize,
    int minPredictions) {

  boolean isOff() {
    return method == Method.OFF;
  }

  /** The same where it is switched off: as if nobody had said how to look. */
  Settings switchedOn() {
    return isOff()
        ? new Settings(Method.BOTH, threshold, contamination, trees, sampleSize, minPredictions)
        : this;
  }

  boolean usesScore() {
    return method != Method.ISOLATION_FOREST;
  }

  boolean usesForest() {
    return method != Method.ROBUST_Z_SCORE;
  }
}
