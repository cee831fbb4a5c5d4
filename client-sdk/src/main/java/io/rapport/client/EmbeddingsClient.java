package io.rapport.client;

import com.google.protobuf.ByteString;
import io.rapport.search.v1.ClaimStaleEmbeddingsRequest;
import io.rapport.search.v1.ClaimStaleEmbeddingsResponse;
import io.rapport.search.v1.EmbeddedKind;
import io.rapport.search.v1.Embedding;
import io.rapport.search.v1.EmbeddingCoverage;
import io.rapport.search.v1.EmbeddingModel;
import io.rapport.search.v1.EmbeddingModelServiceGrpc;
import io.rapport.search.v1.EmbeddingResult;
import io.rapport.search.v1.EmbeddingServiceGrpc;
import io.rapport.search.v1.GetEmbeddingCoverageRequest;
import io.rapport.search.v1.GetEmbeddingCoverageResponse;
import io.rapport.search.v1.GetEmbeddingsRequest;
import io.rapport.search.v1.GetEmbeddingsResponse;
import io.rapport.search.v1.ListEmbeddedKindsRequest;
import io.rapport.search.v1.ListEmbeddedKindsResponse;
import io.rapport.search.v1.ListEmbeddingModelsRequest;
import io.rapport.search.v1.ListEmbeddingModelsResponse;
import io.rapport.search.v1.ListStaleEmbeddingsRequest;
import io.rapport.search.v1.ListStaleEmbeddingsResponse;
import io.rapport.search.v1.NewEmbedding;
import io.rapport.search.v1.PutEmbeddingsRequest;
import io.rapport.search.v1.PutEmbeddingsResponse;
import io.rapport.search.v1.ReleaseEmbeddingClaimRequest;
import io.rapport.search.v1.ReleaseEmbeddingClaimResponse;
import io.rapport.search.v1.RenewEmbeddingClaimRequest;
import io.rapport.search.v1.RenewEmbeddingClaimResponse;
import io.rapport.search.v1.ReportEmbeddingFailuresRequest;
import io.rapport.search.v1.ReportEmbeddingFailuresResponse;
import io.rapport.search.v1.RetireEmbeddingModelRequest;
import io.rapport.search.v1.RetryFailedEmbeddingsRequest;
import io.rapport.search.v1.RetryFailedEmbeddingsResponse;
import io.rapport.search.v1.StaleEmbedding;
import io.rapport.search.v1.StartEmbeddingModelRequest;
import io.rapport.search.v1.SwitchEmbeddingModelRequest;
import io.rapport.search.v1.SwitchEmbeddingModelResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The vectors by which entities are found, and the models that make them. Every method may throw a
 * {@link RapportException}.
 */
public final class EmbeddingsClient {
  private static final int MAX_EMBEDDINGS = 500;

  private final Calls calls;
  private final Rpc<GetEmbeddingsRequest, GetEmbeddingsResponse> get;
  private final Rpc<ListStaleEmbeddingsRequest, ListStaleEmbeddingsResponse> stale;
  private final Rpc<PutEmbeddingsRequest, PutEmbeddingsResponse> put;
  private final Rpc<ClaimStaleEmbeddingsRequest, ClaimStaleEmbeddingsResponse> claim;
  private final Rpc<RenewEmbeddingClaimRequest, RenewEmbeddingClaimResponse> renew;
  private final Rpc<ReleaseEmbeddingClaimRequest, ReleaseEmbeddingClaimResponse> release;
  private final Rpc<ReportEmbeddingFailuresRequest, ReportEmbeddingFailuresResponse> fail;
  private final Rpc<RetryFailedEmbeddingsRequest, RetryFailedEmbeddingsResponse> retry;
  private final Rpc<ListEmbeddingModelsRequest, ListEmbeddingModelsResponse> models;
  private final Rpc<GetEmbeddingCoverageRequest, GetEmbeddingCoverageResponse> coverage;
  private final Rpc<ListEmbeddedKindsRequest, ListEmbeddedKindsResponse> kinds;
  private final Rpc<StartEmbeddingModelRequest, EmbeddingModel> start;
  private final Rpc<SwitchEmbeddingModelRequest, SwitchEmbeddingModelResponse> switchOver;
  private final Rpc<RetireEmbeddingModelRequest, EmbeddingModel> retire;

  EmbeddingsClient(Calls calls) {
    this.calls = calls;
    this.get = calls.rpc(EmbeddingServiceGrpc.getGetEmbeddingsMethod());
    this.stale = calls.rpc(EmbeddingServiceGrpc.getListStaleEmbeddingsMethod());
    this.put = calls.batch(EmbeddingServiceGrpc.getPutEmbeddingsMethod());
    this.claim = calls.rpc(EmbeddingServiceGrpc.getClaimStaleEmbeddingsMethod());
    this.renew = calls.rpc(EmbeddingServiceGrpc.getRenewEmbeddingClaimMethod());
    this.release = calls.rpc(EmbeddingServiceGrpc.getReleaseEmbeddingClaimMethod());
    this.fail = calls.rpc(EmbeddingServiceGrpc.getReportEmbeddingFailuresMethod());
    this.retry = calls.rpc(EmbeddingServiceGrpc.getRetryFailedEmbeddingsMethod());
    this.models = calls.rpc(EmbeddingModelServiceGrpc.getListEmbeddingModelsMethod());
    this.coverage = calls.rpc(EmbeddingModelServiceGrpc.getGetEmbeddingCoverageMethod());
    this.kinds = calls.rpc(EmbeddingModelServiceGrpc.getListEmbeddedKindsMethod());
    this.start = calls.rpc(EmbeddingModelServiceGrpc.getStartEmbeddingModelMethod());
    this.switchOver = calls.rpc(EmbeddingModelServiceGrpc.getSwitchEmbeddingModelMethod());
    this.retire = calls.rpc(EmbeddingModelServiceGrpc.getRetireEmbeddingModelMethod());
  }

  /**
   * A vector to be put.
   *
   * @param id UUID of the entity
   * @param contentHash SHA-256 of the text that it was made from, in UTF-8
   */
  public static NewEmbedding embedding(String id, ByteString contentHash, float[] vector) {
    ByteBuffer bytes =
        ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(vector);
    return NewEmbedding.newBuilder()
        .setId(id)
        .setContentHash(contentHash)
        .setPackedVector(ByteString.copyFrom(bytes))
        .build();
  }

  /**
   * Writes up to 500 vectors of a kind, in one commit; one result for each.
   *
   * @throws InvalidArgumentException if one breaks a rule; then none is written
   * @throws NotFoundException if the model was not started
   */
  public List<EmbeddingResult> put(String kind, String model, List<NewEmbedding> embeddings) {
    return calls
        .call(
            put,
            PutEmbeddingsRequest.newBuilder()
                .setKind(kind)
                .setModel(model)
                .addAllEmbeddings(embeddings)
                .build())
        .getResultsList();
  }

  /** Writes any number of vectors of a kind, 500 in a commit, and closes the stream. */
  public EmbeddingSummary putAll(String kind, String model, Stream<NewEmbedding> embeddings) {
    Map<EmbeddingResult.Result, Long> tally = new EnumMap<>(EmbeddingResult.Result.class);
    try (embeddings) {
      Iterator<NewEmbedding> left = embeddings.iterator();
      while (left.hasNext()) {
        List<NewEmbedding> part = new ArrayList<>();
        while (left.hasNext() && part.size() < MAX_EMBEDDINGS) {
          part.add(left.next());
        }
        put(kind, model, part).forEach(it -> tally.merge(it.getResult(), 1L, Long::sum));
      }
    }
    return new EmbeddingSummary(
        tally.getOrDefault(EmbeddingResult.Result.WRITTEN, 0L),
        tally.getOrDefault(EmbeddingResult.Result.UNCHANGED, 0L),
        tally.getOrDefault(EmbeddingResult.Result.STALE, 0L),
        tally.getOrDefault(EmbeddingResult.Result.NOT_FOUND, 0L));
  }

  /** The vectors of the active model of up to 500 entities, by their ids. */
  public Map<String, Embedding> get(String kind, Collection<String> ids) {
    return get(GetEmbeddingsRequest.newBuilder().setKind(kind).addAllIds(ids).build());
  }

  /** The same as the request says. */
  public Map<String, Embedding> get(GetEmbeddingsRequest request) {
    return calls.call(get, request).getEmbeddingsList().stream()
        .collect(Collectors.toUnmodifiableMap(Embedding::getId, it -> it));
  }

  /** The texts without a vector, the longest waiting first, fetched page by page. */
  public Stream<StaleEmbedding> stale(ListStaleEmbeddingsRequest request) {
    return Pages.stream(
        request.getPageToken(),
        token -> {
          ListStaleEmbeddingsResponse page =
              calls.call(stale, request.toBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getStaleEmbeddingsList(), page.getNextPageToken());
        });
  }

  /** Texts to embed, with a lease; {@link #work} does all of it. */
  public ClaimStaleEmbeddingsResponse claim(ClaimStaleEmbeddingsRequest request) {
    return calls.call(claim, request);
  }

  /**
   * Extends the lease of what is left of a claim.
   *
   * @throws AbortedException with reason LEASE_LOST if nothing is
   */
  public RenewEmbeddingClaimResponse renew(RenewEmbeddingClaimRequest request) {
    return calls.call(renew, request);
  }

  /** Gives texts back; returns how many. */
  public int release(ReleaseEmbeddingClaimRequest request) {
    return calls.call(release, request).getTexts();
  }

  /** Says which texts couldn't be embedded. */
  public ReportEmbeddingFailuresResponse reportFailures(ReportEmbeddingFailuresRequest request) {
    return calls.call(fail, request);
  }

  /** Has all texts that have failed for the active model tried again; returns how many. */
  public long retryFailed(String kind) {
    return retryFailed(RetryFailedEmbeddingsRequest.newBuilder().setKind(kind).build());
  }

  /** Has texts that have failed tried again; returns how many. */
  public long retryFailed(RetryFailedEmbeddingsRequest request) {
    return calls.call(retry, request).getTexts();
  }

  /**
   * How many texts have a vector.
   *
   * @param ofKinds none: all
   */
  public List<EmbeddingCoverage> coverage(String... ofKinds) {
    return calls
        .call(
            coverage,
            GetEmbeddingCoverageRequest.newBuilder().addAllKinds(List.of(ofKinds)).build())
        .getCoveragesList();
  }

  /** The models in use, fetched page by page. */
  public Stream<EmbeddingModel> models() {
    return models(ListEmbeddingModelsRequest.getDefaultInstance());
  }

  /** The models that the request asks for, fetched page by page. */
  public Stream<EmbeddingModel> models(ListEmbeddingModelsRequest request) {
    return Pages.stream(
        request.getPageToken(),
        token -> {
          ListEmbeddingModelsResponse page =
              calls.call(models, request.toBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getModelsList(), page.getNextPageToken());
        });
  }

  /** The kinds of entities that have texts, fetched page by page. */
  public Stream<EmbeddedKind> kinds() {
    return Pages.stream(
        "",
        token -> {
          ListEmbeddedKindsResponse page =
              calls.call(kinds, ListEmbeddedKindsRequest.newBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getKindsList(), page.getNextPageToken());
        });
  }

  /**
   * Starts a model for a kind: the first is active at once, a further one is coming.
   *
   * @param dimensions how many numbers its vectors have, 1 to 1,536
   * @throws FailedPreconditionException with reason EMBEDDING_MODEL_STATE if another one is coming
   */
  public EmbeddingModel start(String kind, String model, int dimensions) {
    return calls.call(
        start,
        StartEmbeddingModelRequest.newBuilder()
            .setKind(kind)
            .setModel(model)
            .setDimensions(dimensions)
            .build());
  }

  /**
   * Has searches go by a model that is coming, if all texts have a vector of it.
   *
   * @throws FailedPreconditionException with reason EMBEDDING_MODEL_STATE if they don't
   */
  public EmbeddingModel switchTo(String kind, String model) {
    return switchTo(SwitchEmbeddingModelRequest.newBuilder().setKind(kind).setModel(model).build())
        .getModel();
  }

  /** The same as the request says. */
  public SwitchEmbeddingModelResponse switchTo(SwitchEmbeddingModelRequest request) {
    return calls.call(switchOver, request);
  }

  /** Takes a model that is coming out of use; its vectors are removed. */
  public EmbeddingModel retire(String kind, String model) {
    return retire(RetireEmbeddingModelRequest.newBuilder().setKind(kind).setModel(model).build());
  }

  /** Takes a model out of use, the active one too if the request says so. */
  public EmbeddingModel retire(RetireEmbeddingModelRequest request) {
    return calls.call(retire, request);
  }

  /** Embeds the texts of a kind by its active model from now on, in a thread of the worker's. */
  public EmbeddingWorker work(String kind, TextEmbedder embedder) {
    return work(kind, "", embedder);
  }

  /**
   * Embeds the texts of a kind from now on.
   *
   * @param model the model that the embedder is of; empty: the active one
   */
  public EmbeddingWorker work(String kind, String model, TextEmbedder embedder) {
    EmbeddingWorker worker = new EmbeddingWorker(this, kind, model, embedder);
    worker.start();
    return worker;
  }
}
