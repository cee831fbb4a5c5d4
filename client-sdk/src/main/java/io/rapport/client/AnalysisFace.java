package io.rapport.client;

import io.rapport.caching.v1.Analysis;
import io.rapport.caching.v1.AnalysisCacheServiceGrpc;
import io.rapport.caching.v1.AnalysisKey;
import io.rapport.caching.v1.AnalysisValue;
import io.rapport.caching.v1.CacheKey;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.GetOrLeaseAnalysisRequest;
import io.rapport.caching.v1.GetOrLeaseAnalysisResponse;
import io.rapport.caching.v1.PutAnalysisRequest;
import io.rapport.caching.v1.PutCondition;
import java.time.Duration;

/** The analysis cache, when a value is computed. */
final class AnalysisFace implements CacheFace<AnalysisKey, AnalysisValue, Analysis> {
  private final Calls calls;
  private final Rpc<GetOrLeaseAnalysisRequest, GetOrLeaseAnalysisResponse> getOrLease;
  private final Rpc<PutAnalysisRequest, Analysis> put;

  AnalysisFace(Calls calls) {
    this.calls = calls;
    this.getOrLease = calls.rpc(AnalysisCacheServiceGrpc.getGetOrLeaseAnalysisMethod());
    this.put = calls.rpc(AnalysisCacheServiceGrpc.getPutAnalysisMethod());
  }

  @Override
  public CacheKey anyKey(AnalysisKey key) {
    return CachesClient.keyOf(key);
  }

  @Override
  public Leased<Analysis> getOrLease(
      AnalysisKey key, String leaseId, ComputeOptions options, Duration maxWait) {
    GetOrLeaseAnalysisRequest request =
        GetOrLeaseAnalysisRequest.newBuilder()
            .setKey(key)
            .setOptions(options.read())
            .addAllDependencies(options.dependencies())
            .setLeaseTime(Times.duration(options.leaseTime()))
            .setMaxWait(Times.duration(maxWait))
            .setHolder(options.holder())
            .setLeaseId(leaseId)
            .build();
    GetOrLeaseAnalysisResponse answer =
        calls.call(getOrLease.within(getOrLease.deadline().plus(maxWait)), request);
    return new Leased<>(answer.getOutcome(), answer.getAnalysis(), answer.getLease());
  }

  @Override
  public Analysis entry(AnalysisKey key, AnalysisValue value, EntryInfo info) {
    return Analysis.newBuilder().setKey(key).setValue(value).setInfo(info).build();
  }

  @Override
  public Analysis put(Analysis entry, String leaseId) {
    return calls.call(
        put,
        PutAnalysisRequest.newBuilder()
            .setAnalysis(entry)
            .setCondition(PutCondition.newBuilder().setLeaseId(leaseId))
            .build());
  }
}
