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

  boolean usesScore() {
    return method != Method.ISOLATION_FOREST;
  }

  boolean usesForest() {
    return method != Method.ROBUST_Z_SCORE;
  }
}
