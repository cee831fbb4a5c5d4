package io.rapport.client;

import io.rapport.caching.v1.CacheKey;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.GetOrLeasePredictionRequest;
import io.rapport.caching.v1.GetOrLeasePredictionResponse;
import io.rapport.caching.v1.Prediction;
import io.rapport.caching.v1.PredictionCacheServiceGrpc;
import io.rapport.caching.v1.PredictionKey;
import io.rapport.caching.v1.PredictionValue;
import io.rapport.caching.v1.PutCondition;
import io.rapport.caching.v1.PutPredictionRequest;
import java.time.Duration;

/** The prediction cache, when a value is computed. */
final class PredictionFace implements CacheFace<PredictionKey, PredictionValue, Prediction> {
  private final Calls calls;
  private final Rpc<GetOrLeasePredictionRequest, GetOrLeasePredictionResponse> getOrLease;
  private final Rpc<PutPredictionRequest, Prediction> put;

  PredictionFace(Calls calls) {
    this.calls = calls;
    this.getOrLease = calls.rpc(PredictionCacheServiceGrpc.getGetOrLeasePredictionMethod());
    this.put = calls.rpc(PredictionCacheServiceGrpc.getPutPredictionMethod());
  }

  @Override
  public CacheKey anyKey(PredictionKey key) {
    return CachesClient.keyOf(key);
  }

  @Override
  public Leased<Prediction> getOrLease(
      PredictionKey key, String leaseId, ComputeOptions options, Duration maxWait) {
    GetOrLeasePredictionRequest request =
        GetOrLeasePredictionRequest.newBuilder()
            .setKey(key)
            .setOptions(options.read())
            .addAllDependencies(options.dependencies())
            .setLeaseTime(Times.duration(options.leaseTime()))
            .setMaxWait(Times.duration(maxWait))
            .setHolder(options.holder())
            .setLeaseId(leaseId)
            .build();
    GetOrLeasePredictionResponse answer =
        calls.call(getOrLease.within(getOrLease.deadline().plus(maxWait)), request);
    return new Leased<>(answer.getOutcome(), answer.getPrediction(), answer.getLease());
  }

  @Override
  public Prediction entry(PredictionKey key, PredictionValue value, EntryInfo info) {
    return Prediction.newBuilder().setKey(key).setValue(value).setInfo(info).build();
  }

  @Override
  public Prediction put(Prediction entry, String leaseId) {
    return calls.call(
        put,
        PutPredictionRequest.newBuilder()
            .setPrediction(entry)
            .setCondition(PutCondition.newBuilder().setLeaseId(leaseId))
            .build());
  }
}
