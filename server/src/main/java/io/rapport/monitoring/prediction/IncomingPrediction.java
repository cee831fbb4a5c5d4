package io.rapport.monitoring.prediction;

import com.google.protobuf.ByteString;
import io.rapport.monitoring.prediction.PredictionLogFeature.SentAnomaly;
import io.rapport.monitoring.v1.LoggedPrediction.Severity;
import io.rapport.platform.Times;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A prediction that keeps the rules, ready to be logged.
 *
 * @param label the predicted class; null if none was
 * @param result all that was predicted, as JSON
 * @param features from what, as JSON
 * @param predictedMicros null: when it is recorded
 * @param digest of the prediction as it was sent
 * @param outcome what came true, if that was sent along
 */
record IncomingPrediction(
    UUID id,
    String model,
    String version,
    String type,
    String segment,
    double value,
    @Nullable String label,
    @Nullable ByteString result,
    @Nullable ByteString features,
    int featureCount,
    @Nullable Double confidence,
    @Nullable Double anomalyScore,
    boolean anomaly,
    String severity,
    @Nullable Integer responseMs,
    @Nullable UUID user,
    @Nullable String sourceRequest,
    @Nullable UUID cacheEntry,
    @Nullable Long predictedMicros,
    ByteString digest,
    @Nullable IncomingOutcome outcome) {

  /** Whether its sender says that it is out of the ordinary. */
  boolean isSentAnomaly() {
    return anomaly || !severity.equals(Severity.NORMAL.name());
  }

  /**
   * What its sender says of it.
   *
   * @param recordedMicros when it was predicted, if nobody said
   */
  SentAnomaly sentAnomaly(long recordedMicros) {
    return new SentAnomaly(
        id,
        value,
        anomalyScore == null ? 0 : anomalyScore,
        Severity.valueOf(severity),
        Times.instant(Times.proto(predictedMicros == null ? recordedMicros : predictedMicros)));
  }

  /** About how much memory it takes. */
  int weight() {
    return 400
        + (result == null ? 0 : result.size())
        + (features == null ? 0 : features.size())
        + (outcome == null ? 0 : outcome.report().getSerializedSize());
  }
}
