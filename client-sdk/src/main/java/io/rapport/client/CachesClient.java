package io.rapport.client;

import io.rapport.caching.v1.AnalysisKey;
import io.rapport.caching.v1.CacheKey;
import io.rapport.caching.v1.CacheServiceGrpc;
import io.rapport.caching.v1.Dependency;
import io.rapport.caching.v1.EntryExplanation;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.ExplainEntryRequest;
import io.rapport.caching.v1.InvalidateEntriesRequest;
import io.rapport.caching.v1.InvalidateEntriesResponse;
import io.rapport.caching.v1.KeyList;
import io.rapport.caching.v1.PredictionKey;
import io.rapport.caching.v1.TouchEntryRequest;
import io.rapport.caching.v1.TouchEntryResponse;
import java.time.Instant;
import java.util.Collection;
import java.util.List;

/**
 * The caches, and what holds for the entries of both. Every method may throw a {@link
 * RapportException}.
 */
public final class CachesClient {
  private static final int MAX_KEYS = 500;

  private final Calls calls;
  private final Leases leases;
  private final Refreshes refreshes = new Refreshes();
  private final PredictionCacheClient predictions;
  private final AnalysisCacheClient analyses;
  private final Rpc<InvalidateEntriesRequest, InvalidateEntriesResponse> invalidate;
  private final Rpc<ExplainEntryRequest, EntryExplanation> explain;
  private final Rpc<TouchEntryRequest, TouchEntryResponse> touch;

  CachesClient(Calls calls, Freshness freshness) {
    this.calls = calls;
    this.leases = new Leases(calls);
    Computations.Means means = new Computations.Means(freshness, leases, refreshes);
    this.predictions = new PredictionCacheClient(calls, means);
    this.analyses = new AnalysisCacheClient(calls, means);
    this.invalidate = calls.rpc(CacheServiceGrpc.getInvalidateEntriesMethod());
    this.explain = calls.rpc(CacheServiceGrpc.getExplainEntryMethod());
    this.touch = calls.rpc(CacheServiceGrpc.getTouchEntryMethod());
  }

  /** The key of a prediction, for what takes keys of both caches. */
  public static CacheKey keyOf(PredictionKey key) {
    return CacheKey.newBuilder().setPrediction(key).build();
  }

  /** The key of an analysis, for what takes keys of both caches. */
  public static CacheKey keyOf(AnalysisKey key) {
    return CacheKey.newBuilder().setAnalysis(key).build();
  }

  /** What models predicted. */
  public PredictionCacheClient predictions() {
    return predictions;
  }

  /** What models found out. */
  public AnalysisCacheClient analyses() {
    return analyses;
  }

  /**
   * Invalidates entries, also those that are just being computed. From when this returns, no read
   * of this client finds them, and within 100 ms none of others.
   *
   * @return how many were invalidated one by one; what depends on something isn't counted
   */
  public long invalidate(InvalidateEntriesRequest request) {
    return calls.call(invalidate, request).getInvalidated();
  }

  /**
   * Invalidates the entries of these keys. More than 500 take several calls, one after another; if
   * one of them fails, those before it are invalidated.
   *
   * @param reason why, at most 1,000 characters; empty: not said
   * @return how many entries there were
   */
  public long invalidate(Collection<CacheKey> keys, String reason) {
    long invalidated = 0;
    for (List<CacheKey> part : Parts.of(List.copyOf(keys), MAX_KEYS)) {
      invalidated +=
          invalidate(because(reason).setKeys(KeyList.newBuilder().addAllKeys(part)).build());
    }
    return invalidated;
  }

  /**
   * Invalidates all entries of a user.
   *
   * @param userId UUID
   * @param reason why, at most 1,000 characters; empty: not said
   * @return how many there were
   */
  public long invalidateUser(String userId, String reason) {
    return invalidate(because(reason).setUserId(userId).build());
  }

  /**
   * Invalidates all entries that depend on this, however many there are.
   *
   * @param reason why, at most 1,000 characters; empty: not said
   */
  public void invalidateDependents(Dependency dependency, String reason) {
    invalidate(because(reason).setDependency(dependency).build());
  }

  /**
   * Invalidates all entries that were computed from content with this digest.
   *
   * @param contentHash as it was put, 1 to 255 characters
   * @param reason why, at most 1,000 characters; empty: not said
   * @return how many there were
   */
  public long invalidateContent(String contentHash, String reason) {
    return invalidate(because(reason).setContentHash(contentHash).build());
  }

  /**
   * Tells what is known of a key: the state of its entry and why, what it depends on, who computes
   * it, and how it was used.
   */
  public EntryExplanation explain(CacheKey key) {
    return calls.call(explain, ExplainEntryRequest.newBuilder().setKey(key).build());
  }

  /**
   * Makes an entry live longer or shorter.
   *
   * @return what the entry says of itself now
   * @throws NotFoundException if there is none
   * @throws FailedPreconditionException with reason ENTRY_UNUSABLE if it is expired or invalid
   */
  public EntryInfo touch(TouchEntryRequest request) {
    return calls.call(touch, request).getInfo();
  }

  /** Lets an entry expire at this time, which is to come; see {@link #touch(TouchEntryRequest)}. */
  public EntryInfo touch(CacheKey key, Instant expiresAt) {
    return touch(
        TouchEntryRequest.newBuilder()
            .setKey(key)
            .setExpiresAt(Times.timestamp(expiresAt))
            .build());
  }

  /** Ends refreshes that are under way. */
  void close() {
    refreshes.close();
    leases.close();
  }

  private static InvalidateEntriesRequest.Builder because(String reason) {
    return InvalidateEntriesRequest.newBuilder().setReason(reason);
  }
}
