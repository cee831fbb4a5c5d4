package io.rapport.faults;

import com.google.protobuf.Duration;
import io.rapport.caching.v1.Dependency;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.GetOrLeasePredictionRequest;
import io.rapport.caching.v1.GetOrLeasePredictionResponse;
import io.rapport.caching.v1.GetPredictionRequest;
import io.rapport.caching.v1.GetPredictionResponse;
import io.rapport.caching.v1.Lease;
import io.rapport.caching.v1.Prediction;
import io.rapport.caching.v1.PredictionCacheServiceGrpc;
import io.rapport.caching.v1.PredictionKey;
import io.rapport.caching.v1.PredictionValue;
import io.rapport.caching.v1.PutCondition;
import io.rapport.caching.v1.PutPredictionRequest;
import io.rapport.caching.v1.ReadOptions;
import io.rapport.caching.v1.ReadOptions.Consistency;
import io.rapport.caching.v1.SpendingPrediction;
import java.util.List;

/** The cache of predictions as a bare caller uses it; each prediction is only a number. */
record Predictions(Calls calls) {
  /** What may depend on something beside what goes without saying. */
  record Entry(PredictionKey key, List<Dependency> dependencies) {
    static Entry of(PredictionKey key) {
      return new Entry(key, List.of());
    }

    Prediction prediction(long number) {
      return Prediction.newBuilder()
          .setKey(key)
          .setValue(value(number))
          .setInfo(EntryInfo.newBuilder().addAllDependencies(dependencies))
          .build();
    }
  }

  static Duration seconds(long seconds) {
    return Duration.newBuilder().setSeconds(seconds).build();
  }

  static PredictionKey keyOf(String user) {
    return PredictionKey.newBuilder().setUserId(user).setType(PredictionKey.Type.SPENDING).build();
  }

  static PredictionValue value(long number) {
    return PredictionValue.newBuilder()
        .setSpending(SpendingPrediction.newBuilder().setTotalPredicted((double) number))
        .build();
  }

  static long number(Prediction prediction) {
    return (long) prediction.getValue().getSpending().getTotalPredicted();
  }

  Calls.End<GetPredictionResponse> get(PredictionKey key, Consistency consistency) {
    return calls.call(
        PredictionCacheServiceGrpc.getGetPredictionMethod(),
        GetPredictionRequest.newBuilder()
            .setKey(key)
            .setOptions(ReadOptions.newBuilder().setConsistency(consistency))
            .build());
  }

  /** Waits for who has the lease as long as the call has. */
  Calls.End<GetOrLeasePredictionResponse> getOrLease(Entry entry, Duration lease) {
    return lease(request(entry, lease).build());
  }

  /** Doesn't wait. */
  Calls.End<GetOrLeasePredictionResponse> tryLease(Entry entry, Duration lease) {
    return lease(request(entry, lease).setMaxWait(Duration.getDefaultInstance()).build());
  }

  private static GetOrLeasePredictionRequest.Builder request(Entry entry, Duration lease) {
    return GetOrLeasePredictionRequest.newBuilder()
        .setKey(entry.key())
        .addAllDependencies(entry.dependencies())
        .setLeaseTime(lease);
  }

  private Calls.End<GetOrLeasePredictionResponse> lease(GetOrLeasePredictionRequest request) {
    return calls.call(PredictionCacheServiceGrpc.getGetOrLeasePredictionMethod(), request);
  }

  Calls.End<Prediction> putUnder(Lease lease, Entry entry, long number) {
    return put(
        PutPredictionRequest.newBuilder()
            .setPrediction(entry.prediction(number))
            .setCondition(PutCondition.newBuilder().setLeaseId(lease.getId())));
  }

  Calls.End<Prediction> putAnyway(Entry entry, long number) {
    return put(PutPredictionRequest.newBuilder().setPrediction(entry.prediction(number)));
  }

  private Calls.End<Prediction> put(PutPredictionRequest.Builder request) {
    return calls.call(PredictionCacheServiceGrpc.getPutPredictionMethod(), request.build());
  }
}
