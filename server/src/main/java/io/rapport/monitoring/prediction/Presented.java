package io.rapport.monitoring.prediction;

import io.rapport.monitoring.v1.LoggedPrediction;
import io.rapport.monitoring.v1.Outcome;

/** Predictions as callers see them: stored JSON as Structs, where those can hold it. */
final class Presented {
  private Presented() {}

  static LoggedPrediction asStructs(LoggedPrediction stored) {
    LoggedPrediction.Builder shown = stored.toBuilder();
    if (stored.hasPredictionResultJson()) {
      JsonField.struct(stored.getPredictionResultJson())
          .ifPresent(shown::setPredictionResultStruct);
    }
    if (stored.hasInputFeaturesJson()) {
      JsonField.struct(stored.getInputFeaturesJson()).ifPresent(shown::setInputFeaturesStruct);
    }
    if (stored.hasOutcome()) {
      shown.setOutcome(asStruct(stored.getOutcome()));
    }
    return shown.build();
  }

  private static Outcome asStruct(Outcome stored) {
    Outcome.Builder shown = stored.toBuilder();
    if (stored.hasDetailsJson()) {
      JsonField.struct(stored.getDetailsJson()).ifPresent(shown::setDetailsStruct);
    }
    return shown.build();
  }
}
