package io.rapport.client;

import io.rapport.caching.v1.Analysis;
import io.rapport.caching.v1.AnalysisCacheServiceGrpc;
import io.rapport.caching.v1.AnalysisKey;
import io.rapport.caching.v1.AnalysisPut;
import io.rapport.caching.v1.AnalysisValue;
import io.rapport.caching.v1.BatchGetAnalysesRequest;
import io.rapport.caching.v1.BatchGetAnalysesResponse;
import io.rapport.caching.v1.BatchPutAnalysesRequest;
import io.rapport.caching.v1.BatchPutAnalysesResponse;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.GetAnalysisRequest;
import io.rapport.caching.v1.GetAnalysisResponse;
import io.rapport.caching.v1.ListAnalysesRequest;
import io.rapport.caching.v1.ListAnalysesResponse;
import io.rapport.caching.v1.PutAnalysisRequest;
import io.rapport.caching.v1.PutCondition;
import io.rapport.caching.v1.ReadOptions;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;

/**
 * Keeps what models found out, so that it is computed once. Every method may throw a {@link
 * RapportException}.
 */
public final class AnalysisCacheClient {
  private static final int MAX_PUTS = 100;

  private final Calls calls;
  private final Computations<AnalysisKey, AnalysisValue, Analysis> computations;
  private final Rpc<GetAnalysisRequest, GetAnalysisResponse> get;
  private final Rpc<BatchGetAnalysesRequest, BatchGetAnalysesResponse> getAll;
  private final Rpc<ListAnalysesRequest, ListAnalysesResponse> list;
  private final Rpc<PutAnalysisRequest, Analysis> put;
  private final Rpc<BatchPutAnalysesRequest, BatchPutAnalysesResponse> putAll;

  AnalysisCacheClient(Calls calls, Computations.Means means) {
    this.calls = calls;
    this.computations = new Computations<>(new AnalysisFace(calls), means);
    this.get = calls.rpc(AnalysisCacheServiceGrpc.getGetAnalysisMethod());
    this.getAll = calls.batch(AnalysisCacheServiceGrpc.getBatchGetAnalysesMethod());
    this.list = calls.rpc(AnalysisCacheServiceGrpc.getListAnalysesMethod());
    this.put = calls.rpc(AnalysisCacheServiceGrpc.getPutAnalysisMethod());
    this.putAll = calls.batch(AnalysisCacheServiceGrpc.getBatchPutAnalysesMethod());
  }

  /**
   * The analysis of this key, computed if there is none that can be used; with the default options.
   *
   * @see #getOrCompute(AnalysisKey, ComputeOptions, CacheLoader)
   */
  public Analysis getOrCompute(AnalysisKey key, CacheLoader<AnalysisKey, AnalysisValue> loader) {
    return getOrCompute(key, ComputeOptions.defaults(), loader);
  }

  /**
   * The analysis of this key, computed if there is none that can be used. Of all callers in all
   * clients one computes, in its own thread; the others wait for what it puts. A stale analysis is
   * given at once, and one caller's client computes it again in the background.
   *
   * <p>If what is computed is invalidated meanwhile, it is computed again, up to three times more.
   * What the loader throws reaches this caller and those in this client who wait with the same read
   * options, and another client may compute at once.
   *
   * @param loader runs in the calling thread, or in a thread of the client if the analysis is
   *     stale; must not ask for this key itself
   * @return the analysis as it is kept; without an etag if it could not be kept, see {@link
   *     ComputeOptions#withComputeWhenUnavailable}
   * @throws LoadFailedException if the loader threw a checked exception; others come as they are
   * @throws BusyException if somebody else computes for longer than this caller waits
   * @throws AbortedException with reason LEASE_LOST if it was invalidated during all computations
   * @throws UnknownOutcomeException if it was computed and may or may not be kept
   * @throws CancelledException if the thread was interrupted while it waited
   * @throws IllegalStateException if the loader asks for the key that it computes
   */
  public Analysis getOrCompute(
      AnalysisKey key, ComputeOptions options, CacheLoader<AnalysisKey, AnalysisValue> loader) {
    return computations.get(key, options, loader);
  }

  /** What is kept under this key; {@code hit} tells whether it can be used. */
  public GetAnalysisResponse get(AnalysisKey key) {
    return get(key, ReadOptions.getDefaultInstance());
  }

  /** The same, with other ideas of what is a hit. */
  public GetAnalysisResponse get(AnalysisKey key, ReadOptions options) {
    return calls.call(get, GetAnalysisRequest.newBuilder().setKey(key).setOptions(options).build());
  }

  /**
   * What is kept under these keys, in their order; see {@link #getAll(Collection, ReadOptions)}.
   */
  public List<GetAnalysisResponse> getAll(Collection<AnalysisKey> keys) {
    return getAll(keys, ReadOptions.getDefaultInstance());
  }

  /**
   * What is kept under these keys, in their order, however many they are. More than 500 keys or 4
   * MiB of values take several calls, each with a view of its own.
   */
  public List<GetAnalysisResponse> getAll(Collection<AnalysisKey> keys, ReadOptions options) {
    return ManyEntries.read(
        keys,
        part ->
            calls
                .call(
                    getAll,
                    BatchGetAnalysesRequest.newBuilder()
                        .addAllKeys(part)
                        .setOptions(options)
                        .build())
                .getResultsList(),
        result -> !result.hasAnalysis() && result.getState() != EntryInfo.State.ABSENT);
  }

  /**
   * The entries that pass the request's filter, the one put last first, whatever their state,
   * fetched page by page as the stream is read.
   */
  public Stream<GetAnalysisResponse> list(ListAnalysesRequest request) {
    return Pages.stream(
        request.getPageToken(),
        token -> {
          ListAnalysesResponse page =
              calls.call(list, request.toBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getResultsList(), page.getNextPageToken());
        });
  }

  /**
   * Keeps an analysis, whatever there is.
   *
   * @return the analysis with its times and etag
   */
  public Analysis put(Analysis analysis) {
    return put(PutAnalysisRequest.newBuilder().setAnalysis(analysis).build());
  }

  /**
   * Keeps an analysis if a condition holds.
   *
   * @throws AbortedException with reason LEASE_LOST or ETAG_MISMATCH if it doesn't
   * @throws AlreadyExistsException if there was to be none, and there is
   */
  public Analysis put(Analysis analysis, PutCondition condition) {
    return put(
        PutAnalysisRequest.newBuilder().setAnalysis(analysis).setCondition(condition).build());
  }

  /** Keeps an analysis, or only checks it; see {@link #put(Analysis, PutCondition)}. */
  public Analysis put(PutAnalysisRequest request) {
    return calls.call(put, request);
  }

  /**
   * Keeps analyses, whatever there is. More than 100, or 3.5 MiB, are sent in several calls, one
   * after another, each kept whole or not at all; if one of them fails, those before it are kept.
   *
   * @param analyses of different keys
   * @return the analyses with their times and etags, in the order given
   */
  public List<Analysis> putAll(Collection<Analysis> analyses) {
    List<AnalysisPut> puts =
        analyses.stream().map(it -> AnalysisPut.newBuilder().setAnalysis(it).build()).toList();
    List<Analysis> kept = new ArrayList<>(puts.size());
    for (List<AnalysisPut> part : Parts.of(puts, MAX_PUTS)) {
      kept.addAll(putAll(BatchPutAnalysesRequest.newBuilder().addAllPuts(part).build()));
    }
    return kept;
  }

  /**
   * Keeps up to 100 analyses of at most 4 MiB in all, each with its condition: all in one commit or
   * none.
   */
  public List<Analysis> putAll(BatchPutAnalysesRequest request) {
    return calls.call(putAll, request).getAnalysesList();
  }
}
