package io.rapport.client;

import io.rapport.caching.v1.BatchGetPredictionsRequest;
import io.rapport.caching.v1.BatchGetPredictionsResponse;
import io.rapport.caching.v1.BatchPutPredictionsRequest;
import io.rapport.caching.v1.BatchPutPredictionsResponse;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.GetPredictionRequest;
import io.rapport.caching.v1.GetPredictionResponse;
import io.rapport.caching.v1.ListPredictionsRequest;
import io.rapport.caching.v1.ListPredictionsResponse;
import io.rapport.caching.v1.Prediction;
import io.rapport.caching.v1.PredictionCacheServiceGrpc;
import io.rapport.caching.v1.PredictionKey;
import io.rapport.caching.v1.PredictionPut;
import io.rapport.caching.v1.PredictionValue;
import io.rapport.caching.v1.PutCondition;
import io.rapport.caching.v1.PutPredictionRequest;
import io.rapport.caching.v1.ReadOptions;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;

/**
 * Keeps what models predicted, so that it is computed once. Every method may throw a {@link
 * RapportException}.
 */
public final class PredictionCacheClient {
  private static final int MAX_PUTS = 100;

  private final Calls calls;
  private final Computations<PredictionKey, PredictionValue, Prediction> computations;
  private final Rpc<GetPredictionRequest, GetPredictionResponse> get;
  private final Rpc<BatchGetPredictionsRequest, BatchGetPredictionsResponse> getAll;
  private final Rpc<ListPredictionsRequest, ListPredictionsResponse> list;
  private final Rpc<PutPredictionRequest, Prediction> put;
  private final Rpc<BatchPutPredictionsRequest, BatchPutPredictionsResponse> putAll;

  PredictionCacheClient(Calls calls, Computations.Means means) {
    this.calls = calls;
    this.computations = new Computations<>(new PredictionFace(calls), means);
    this.get = calls.rpc(PredictionCacheServiceGrpc.getGetPredictionMethod());
    this.getAll = calls.batch(PredictionCacheServiceGrpc.getBatchGetPredictionsMethod());
    this.list = calls.rpc(PredictionCacheServiceGrpc.getListPredictionsMethod());
    this.put = calls.rpc(PredictionCacheServiceGrpc.getPutPredictionMethod());
    this.putAll = calls.batch(PredictionCacheServiceGrpc.getBatchPutPredictionsMethod());
  }

  /**
   * The prediction of this key, computed if there is none that can be used; with the default
   * options.
   *
   * @see #getOrCompute(PredictionKey, ComputeOptions, CacheLoader)
   */
  public Prediction getOrCompute(
      PredictionKey key, CacheLoader<PredictionKey, PredictionValue> loader) {
    return getOrCompute(key, ComputeOptions.defaults(), loader);
  }

  /**
   * The prediction of this key, computed if there is none that can be used. Of all callers in all
   * clients one computes, in its own thread; the others wait for what it puts. A stale prediction
   * is given at once, and one caller's client computes it again in the background.
   *
   * <p>If what is computed is invalidated meanwhile, it is computed again, up to three times more.
   * What the loader throws reaches this caller and those in this client who wait with the same read
   * options, and another client may compute at once.
   *
   * @param loader runs in the calling thread, or in a thread of the client if the prediction is
   *     stale; must not ask for this key itself
   * @return the prediction as it is kept; without an etag if it could not be kept, see {@link
   *     ComputeOptions#withComputeWhenUnavailable}
   * @throws LoadFailedException if the loader threw a checked exception; others come as they are
   * @throws BusyException if somebody else computes for longer than this caller waits
   * @throws AbortedException with reason LEASE_LOST if it was invalidated during all computations
   * @throws UnknownOutcomeException if it was computed and may or may not be kept
   * @throws CancelledException if the thread was interrupted while it waited
   * @throws IllegalStateException if the loader asks for the key that it computes
   */
  public Prediction getOrCompute(
      PredictionKey key,
      ComputeOptions options,
      CacheLoader<PredictionKey, PredictionValue> loader) {
    return computations.get(key, options, loader);
  }

  /** What is kept under this key; {@code hit} tells whether it can be used. */
  public GetPredictionResponse get(PredictionKey key) {
    return get(key, ReadOptions.getDefaultInstance());
  }

  /** The same, with other ideas of what is a hit. */
  public GetPredictionResponse get(PredictionKey key, ReadOptions options) {
    return calls.call(
        get, GetPredictionRequest.newBuilder().setKey(key).setOptions(options).build());
  }

  /**
   * What is kept under these keys, in their order; see {@link #getAll(Collection, ReadOptions)}.
   */
  public List<GetPredictionResponse> getAll(Collection<PredictionKey> keys) {
    return getAll(keys, ReadOptions.getDefaultInstance());
  }

  /**
   * What is kept under these keys, in their order, however many they are. More than 500 keys or 4
   * MiB of values take several calls, each with a view of its own.
   */
  public List<GetPredictionResponse> getAll(Collection<PredictionKey> keys, ReadOptions options) {
    return ManyEntries.read(
        keys,
        part ->
            calls
                .call(
                    getAll,
                    BatchGetPredictionsRequest.newBuilder()
                        .addAllKeys(part)
                        .setOptions(options)
                        .build())
                .getResultsList(),
        result -> !result.hasPrediction() && result.getState() != EntryInfo.State.ABSENT);
  }

  /**
   * The entries that pass the request's filter, the one put last first, whatever their state,
   * fetched page by page as the stream is read.
   */
  public Stream<GetPredictionResponse> list(ListPredictionsRequest request) {
    return Pages.stream(
        request.getPageToken(),
        token -> {
          ListPredictionsResponse page =
              calls.call(list, request.toBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getResultsList(), page.getNextPageToken());
        });
  }

  /**
   * Keeps a prediction, whatever there is.
   *
   * @return the prediction with its times and etag
   */
  public Prediction put(Prediction prediction) {
    return put(PutPredictionRequest.newBuilder().setPrediction(prediction).build());
  }

  /**
   * Keeps a prediction if a condition holds.
   *
   * @throws AbortedException with reason LEASE_LOST or ETAG_MISMATCH if it doesn't
   * @throws AlreadyExistsException if there was to be none, and there is
   */
  public Prediction put(Prediction prediction, PutCondition condition) {
    return put(
        PutPredictionRequest.newBuilder()
            .setPrediction(prediction)
            .setCondition(condition)
            .build());
  }

  /** Keeps a prediction, or only checks it; see {@link #put(Prediction, PutCondition)}. */
  public Prediction put(PutPredictionRequest request) {
    return calls.call(put, request);
  }

  /**
   * Keeps predictions, whatever there is. More than 100, or 3.5 MiB, are sent in several calls, one
   * after another, each kept whole or not at all; if one of them fails, those before it are kept.
   *
   * @param predictions of different keys
   * @return the predictions with their times and etags, in the order given
   */
  public List<Prediction> putAll(Collection<Prediction> predictions) {
    List<PredictionPut> puts =
        predictions.stream()
            .map(it -> PredictionPut.newBuilder().setPrediction(it).build())
            .toList();
    List<Prediction> kept = new ArrayList<>(puts.size());
    for (List<PredictionPut> part : Parts.of(puts, MAX_PUTS)) {
      kept.addAll(putAll(BatchPutPredictionsRequest.newBuilder().addAllPuts(part).build()));
    }
    return kept;
  }

  /**
   * Keeps up to 100 predictions of at most 4 MiB in all, each with its condition: all in one commit
   * or none.
   */
  public List<Prediction> putAll(BatchPutPredictionsRequest request) {
    return calls.call(putAll, request).getPredictionsList();
  }
}
