package io.rapport.monitoring.prediction;

import com.google.protobuf.ByteString;
import io.grpc.Status.Code;
import io.rapport.monitoring.v1.LogResult;
import io.rapport.monitoring.v1.LogResult.Result;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Times;
import io.rapport.platform.v1.ErrorReason;
import org.jspecify.annotations.Nullable;

/**
 * What was decided of a prediction.
 *
 * @param recordedMicros when what is recorded under its id was; 0 if nothing is
 * @param error why it was not recorded, or its outcome not; null if all was
 */
record Decision(Result result, long recordedMicros, @Nullable ServiceException error) {

  static Decision recorded(long micros) {
    return new Decision(Result.RECORDED, micros, null);
  }

  /** The prediction's id is taken: by the same prediction, or by another. */
  static Decision taken(IncomingPrediction prediction, Recorded under) {
    return prediction.digest().equals(under.digest())
        ? new Decision(Result.DUPLICATE, under.micros(), null)
        : new Decision(Result.CONFLICT, under.micros(), conflict(prediction));
  }

  static Decision refused(ServiceException reason) {
    return new Decision(Result.REFUSED, 0, reason);
  }

  Decision withOutcomeError(ServiceException reason) {
    return new Decision(result, recordedMicros, reason);
  }

  /** What is recorded under an id. */
  record Recorded(long micros, ByteString digest) {}

  private static ServiceException conflict(IncomingPrediction prediction) {
    return ServiceException.of(
            Code.ALREADY_EXISTS,
            ErrorReason.PREDICTION_CONFLICT,
            "another prediction is logged under this id")
        .with("prediction_id", prediction.id().toString());
  }

  boolean isNew() {
    return result == Result.RECORDED;
  }

  /** As the caller is told it. */
  LogResult proto(String id, int index) {
    LogResult.Builder told =
        LogResult.newBuilder().setIndex(index).setPredictionId(id).setResult(result);
    if (recordedMicros != 0) {
      told.setRecordedAt(Times.proto(recordedMicros));
    }
    return error == null ? told.build() : told.setError(error.toStatus()).build();
  }
}
