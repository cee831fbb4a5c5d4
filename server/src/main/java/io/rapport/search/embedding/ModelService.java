package io.rapport.search.embedding;

import io.grpc.ServerServiceDefinition;
import io.rapport.platform.Caller;
import io.rapport.platform.NamePage;
import io.rapport.platform.Rpcs;
import io.rapport.search.Embedders;
import io.rapport.search.embedding.KindStore.Kind;
import io.rapport.search.embedding.Kinds.Place;
import io.rapport.search.v1.EmbeddedKind;
import io.rapport.search.v1.EmbeddingCoverage;
import io.rapport.search.v1.EmbeddingModelServiceGrpc;
import io.rapport.search.v1.GetEmbeddingCoverageRequest;
import io.rapport.search.v1.GetEmbeddingCoverageResponse;
import io.rapport.search.v1.ListEmbeddedKindsRequest;
import io.rapport.search.v1.ListEmbeddedKindsResponse;
import io.rapport.search.v1.ListEmbeddingModelsRequest;
import io.rapport.search.v1.ListEmbeddingModelsResponse;
import java.util.List;
import java.util.UUID;

/** The RPCs of models. */
final class ModelService {
  private final Kinds kinds;
  private final Embedders embedders;
  private final Switching switching;
  private final ModelStore models = new ModelStore();
  private final CoverageStore coverage = new CoverageStore();

  ModelService(Kinds kinds, Embedders embedders) {
    this.kinds = kinds;
    this.embedders = embedders;
    this.switching = new Switching(kinds, embedders);
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return rpcs.service(EmbeddingModelServiceGrpc.getServiceDescriptor())
        .unary(EmbeddingModelServiceGrpc.getListEmbeddingModelsMethod(), this::listModels)
        .unary(EmbeddingModelServiceGrpc.getGetEmbeddingCoverageMethod(), this::getCoverage)
        .unary(EmbeddingModelServiceGrpc.getListEmbeddedKindsMethod(), this::listKinds)
        .unary(EmbeddingModelServiceGrpc.getStartEmbeddingModelMethod(), switching::start)
        .unary(EmbeddingModelServiceGrpc.getSwitchEmbeddingModelMethod(), switching::switchOver)
        .unary(EmbeddingModelServiceGrpc.getRetireEmbeddingModelMethod(), switching::retire)
        .build();
  }

  private ListEmbeddingModelsResponse listModels(ListEmbeddingModelsRequest request) {
    if (!request.getKind().isEmpty()) {
      kinds.toRead(request.getKind()); // refuses one that is none
    }
    UUID tenant = Caller.currentTenant().id();
    NamePage<ModelStore.Model> page =
        new NamePage<>(
            request.toBuilder().clearPageSize().clearPageToken().build(),
            request.getPageSize(),
            request.getPageToken(),
            model -> model.kind() + "\n" + model.name());
    String[] after = (page.after() + "\n").split("\n", 2);
    String name = after[1].isEmpty() ? "" : after[1].substring(0, after[1].length() - 1);
    List<ModelStore.Model> found =
        kinds.read(dsl ->
            models.list(
                dsl,
                tenant,
                request.getKind(),
                request.getShowRetired(),
                new String[] {after[0], name},
                page.limit()));
    return ListEmbeddingModelsResponse.newBuilder()
        .addAllModels(page.items(found).stream().map(ModelStore.Model::toProto).toList())
        .setNextPageToken(page.nextToken(found))
        .build();
  }

  private GetEmbeddingCoverageResponse getCoverage(GetEmbeddingCoverageRequest request) {
    for (int i = 0; i < request.getKindsCount(); i++) {
      kinds.toRead(request.getKinds(i), "kinds[" + i + "]");
    }
    UUID tenant = Caller.currentTenant().id();
    GetEmbeddingCoverageResponse.Builder response = GetEmbeddingCoverageResponse.newBuilder();
    kinds
        .read(dsl -> models.inUse(dsl, tenant, request.getKindsList()))
        .forEach(model -> response.addCoverages(coverage(model)));
    return response.build();
  }

  private EmbeddingCoverage coverage(ModelStore.Model model) {
    Place place = kinds.toRead(model.kind());
    return place
        .read(dsl -> coverage.count(dsl, place.owner(), model))
        .setServed(
            embedders
                .find(model.name())
                .filter(it -> it.dimensions() == model.dimensions())
                .isPresent())
        .build();
  }

  private ListEmbeddedKindsResponse listKinds(ListEmbeddedKindsRequest request) {
    NamePage<Kind> page =
        new NamePage<>(
            ListEmbeddedKindsRequest.getDefaultInstance(),
            request.getPageSize(),
            request.getPageToken(),
            Kind::name);
    List<Kind> found =
        kinds.all().values().stream()
            .filter(kind -> kind.name().compareTo(page.after()) > 0)
            .limit(page.limit())
            .toList();
    ListEmbeddedKindsResponse.Builder response =
        ListEmbeddedKindsResponse.newBuilder().setNextPageToken(page.nextToken(found));
    page.items(found)
        .forEach(kind ->
            response.addKinds(
                EmbeddedKind.newBuilder()
                    .setKind(kind.name())
                    .addAllTextFields(kind.textFields())
                    .setGlobal(kind.global())));
    return response.build();
  }
}
