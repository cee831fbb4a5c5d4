package io.rapport.search.embedding;

import io.grpc.ServerServiceDefinition;
import io.rapport.platform.Caller;
import io.rapport.platform.PageTokens;
import io.rapport.platform.Reply;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TimePlace;
import io.rapport.platform.Times;
import io.rapport.search.embedding.Kinds.Place;
import io.rapport.search.v1.EmbeddingServiceGrpc;
import io.rapport.search.v1.GetEmbeddingsRequest;
import io.rapport.search.v1.GetEmbeddingsResponse;
import io.rapport.search.v1.IngestEmbeddingsRequest;
import io.rapport.search.v1.IngestEmbeddingsResponse;
import io.rapport.search.v1.ListStaleEmbeddingsRequest;
import io.rapport.search.v1.ListStaleEmbeddingsResponse;
import io.rapport.search.v1.PutEmbeddingsRequest;
import io.rapport.search.v1.PutEmbeddingsResponse;
import io.rapport.search.v1.StaleEmbedding;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** The RPCs of vectors. */
final class EmbeddingService {
  private static final int WINDOW = 2;

  private final Kinds kinds;
  private final Claims claims;
  private final ModelStore models = new ModelStore();
  private final VectorStore vectors = new VectorStore();
  private final StaleStore stale = new StaleStore();
  private final Puts puts = new Puts();

  EmbeddingService(Kinds kinds) {
    this.kinds = kinds;
    this.claims = new Claims(kinds);
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return rpcs.service(EmbeddingServiceGrpc.getServiceDescriptor())
        .unary(EmbeddingServiceGrpc.getGetEmbeddingsMethod(), this::getEmbeddings)
        .unary(EmbeddingServiceGrpc.getListStaleEmbeddingsMethod(), this::listStaleEmbeddings)
        .bulk(EmbeddingServiceGrpc.getPutEmbeddingsMethod(), this::putEmbeddings)
        .pipelined(EmbeddingServiceGrpc.getIngestEmbeddingsMethod(), WINDOW, this::ingestEmbeddings)
        .unary(EmbeddingServiceGrpc.getClaimStaleEmbeddingsMethod(), claims::claim)
        .unary(EmbeddingServiceGrpc.getRenewEmbeddingClaimMethod(), claims::renew)
        .unary(EmbeddingServiceGrpc.getReleaseEmbeddingClaimMethod(), claims::release)
        .unary(EmbeddingServiceGrpc.getReportEmbeddingFailuresMethod(), claims::reportFailures)
        .unary(EmbeddingServiceGrpc.getRetryFailedEmbeddingsMethod(), claims::retry)
        .build();
  }

  private GetEmbeddingsResponse getEmbeddings(GetEmbeddingsRequest request) {
    Place place = kinds.requireReadable(kinds.toRead(request.getKind()));
    List<UUID> ids = request.getIdsList().stream().map(UUID::fromString).distinct().toList();
    return find(place, request.getModel())
        .map(model ->
            GetEmbeddingsResponse.newBuilder()
                .addAllEmbeddings(
                    place.read(dsl -> vectors.list(dsl, place.owner(), place.name(), model, ids)))
                .build())
        .orElseGet(GetEmbeddingsResponse::getDefaultInstance);
  }

  /** The model that is named, which must be there, or the active one, if there is one. */
  private Optional<ModelStore.Model> find(Place place, String name) {
    Optional<ModelStore.Model> model =
        place.read(dsl -> models.find(dsl, place.owner(), place.name(), name));
    if (model.isEmpty() && !name.isEmpty()) {
      throw ServiceException.notFound("embedding_model").with("model", name);
    }
    return model;
  }

  private ListStaleEmbeddingsResponse listStaleEmbeddings(ListStaleEmbeddingsRequest request) {
    Caller.Tenant tenant = Caller.currentTenant();
    Place place = kinds.toRead(request.getKind());
    ListStaleEmbeddingsRequest arguments =
        request.toBuilder().clearPageSize().clearPageToken().build();
    int size = PageTokens.size(request.getPageSize());
    TimePlace after =
        PageTokens.decode(tenant, arguments, request.getPageToken())
            .map(TimePlace::ofCursor)
            .orElse(null);
    Optional<ModelStore.Model> model = find(place, request.getModel());
    if (model.isEmpty()) {
      return ListStaleEmbeddingsResponse.getDefaultInstance();
    }
    List<StaleEmbedding> found =
        place.read(dsl ->
            stale.list(dsl, place.owner(), model.get(), request.getStatesList(), after, size + 1));
    ListStaleEmbeddingsResponse.Builder response =
        ListStaleEmbeddingsResponse.newBuilder()
            .addAllStaleEmbeddings(found.stream().limit(size).toList());
    if (found.size() > size) {
      StaleEmbedding last = found.get(size - 1);
      TimePlace end =
          new TimePlace(Times.instant(last.getMarkedAt()), UUID.fromString(last.getId()));
      response.setNextPageToken(PageTokens.encode(tenant, arguments, end.toCursor()));
    }
    return response.build();
  }

  private void putEmbeddings(PutEmbeddingsRequest request, Reply<PutEmbeddingsResponse> reply) {
    Place place = kinds.toWrite(request.getKind());
    reply.send(
        place
            .work()
            .write(
                request,
                PutEmbeddingsResponse.parser(),
                tx ->
                    PutEmbeddingsResponse.newBuilder()
                        .addAllResults(
                            puts.putAll(
                                tx.dsl(),
                                place.texts(),
                                request.getModel(),
                                request.getEmbeddingsList()))
                        .build()));
  }

  private void ingestEmbeddings(
      IngestEmbeddingsRequest request, Reply<IngestEmbeddingsResponse> reply) {
    Place place = kinds.toWrite(request.getKind());
    reply.send(
        place
            .work()
            .write(
                request,
                IngestEmbeddingsResponse.parser(),
                tx ->
                    IngestEmbeddingsResponse.newBuilder()
                        .addAllResults(
                            puts.putSound(
                                tx.dsl(),
                                place.texts(),
                                request.getModel(),
                                request.getEmbeddingsList()))
                        .build()));
  }
}
