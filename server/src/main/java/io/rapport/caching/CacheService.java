package io.rapport.caching;

import io.grpc.ServerServiceDefinition;
import io.rapport.caching.v1.CacheServiceGrpc;
import io.rapport.caching.v1.CacheStats;
import io.rapport.caching.v1.ClaimWarmupsRequest;
import io.rapport.caching.v1.ClaimWarmupsResponse;
import io.rapport.caching.v1.EntryExplanation;
import io.rapport.caching.v1.ExplainEntryRequest;
import io.rapport.caching.v1.GetCacheStatsRequest;
import io.rapport.caching.v1.InvalidateEntriesRequest;
import io.rapport.caching.v1.InvalidateEntriesResponse;
import io.rapport.caching.v1.Lease;
import io.rapport.caching.v1.ReleaseLeaseRequest;
import io.rapport.caching.v1.ReleaseLeaseResponse;
import io.rapport.caching.v1.RenewLeaseRequest;
import io.rapport.caching.v1.TouchEntryRequest;
import io.rapport.caching.v1.TouchEntryResponse;
import io.rapport.caching.v1.WarmEntriesRequest;
import io.rapport.caching.v1.WarmEntriesResponse;
import io.rapport.platform.Caller;
import io.rapport.platform.Rpcs;
import io.rapport.platform.Rules;
import io.rapport.platform.UnitOfWork;
import java.util.UUID;

/** The RPCs that both caches share. */
final class CacheService {
  private final UnitOfWork work;
  private final Invalidations invalidations;
  private final Touches touches;
  private final Leasing leasing;
  private final Explanations explanations;
  private final Warmups warmups;

  CacheService(
      UnitOfWork work,
      Invalidations invalidations,
      Touches touches,
      Leasing leasing,
      Explanations explanations,
      Warmups warmups) {
    this.work = work;
    this.invalidations = invalidations;
    this.touches = touches;
    this.leasing = leasing;
    this.explanations = explanations;
    this.warmups = warmups;
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return rpcs.service(CacheServiceGrpc.getServiceDescriptor())
        .unary(CacheServiceGrpc.getExplainEntryMethod(), this::explainEntry)
        .unary(CacheServiceGrpc.getGetCacheStatsMethod(), this::getCacheStats)
        .unary(CacheServiceGrpc.getTouchEntryMethod(), this::touchEntry)
        .unary(CacheServiceGrpc.getInvalidateEntriesMethod(), this::invalidateEntries)
        .unary(CacheServiceGrpc.getWarmEntriesMethod(), this::warmEntries)
        .unary(CacheServiceGrpc.getClaimWarmupsMethod(), this::claimWarmups)
        .unary(CacheServiceGrpc.getRenewLeaseMethod(), this::renewLease)
        .unary(CacheServiceGrpc.getReleaseLeaseMethod(), this::releaseLease)
        .build();
  }

  private EntryExplanation explainEntry(ExplainEntryRequest request) {
    return explanations.explain(Caller.currentTenant(), EntryKey.of(request.getKey()));
  }

  private CacheStats getCacheStats(GetCacheStatsRequest request) {
    return explanations.stats(Caller.currentTenant().id());
  }

  private TouchEntryResponse touchEntry(TouchEntryRequest request) {
    Rules.requireTimes(request);
    return work.write(request, TouchEntryResponse.parser(), tx -> touches.touch(tx, request));
  }

  private InvalidateEntriesResponse invalidateEntries(InvalidateEntriesRequest request) {
    return work.write(
        request,
        InvalidateEntriesResponse.parser(),
        tx ->
            InvalidateEntriesResponse.newBuilder()
                .setInvalidated(invalidations.invalidate(tx, request))
                .build());
  }

  private WarmEntriesResponse warmEntries(WarmEntriesRequest request) {
    return work.write(
        request,
        WarmEntriesResponse.parser(),
        tx ->
            WarmEntriesResponse.newBuilder()
                .setAdded(warmups.add(tx, request.getKeysList()))
                .build());
  }

  private ClaimWarmupsResponse claimWarmups(ClaimWarmupsRequest request) {
    return warmups.claim(Caller.currentTenant(), request);
  }

  private Lease renewLease(RenewLeaseRequest request) {
    return Leasing.proto(
        leasing.renew(
            Caller.currentTenant().id(),
            EntryKey.of(request.getKey()),
            UUID.fromString(request.getLeaseId()),
            Leasing.time(request.hasLeaseTime(), request.getLeaseTime())));
  }

  private ReleaseLeaseResponse releaseLease(ReleaseLeaseRequest request) {
    leasing.release(
        Caller.currentTenant().id(),
        EntryKey.of(request.getKey()),
        UUID.fromString(request.getLeaseId()));
    return ReleaseLeaseResponse.getDefaultInstance();
  }
}
