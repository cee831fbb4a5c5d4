package io.rapport.versioning.model;

import io.grpc.ServerServiceDefinition;
import io.grpc.Status.Code;
import io.rapport.platform.Caller;
import io.rapport.platform.Positions;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.Times;
import io.rapport.platform.resource.Resource;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.versioning.CallerWrites;
import io.rapport.versioning.Writing;
import io.rapport.versioning.model.ActivationStore.Activation;
import io.rapport.versioning.v1.CompareModelVersionsRequest;
import io.rapport.versioning.v1.CompareModelVersionsResponse;
import io.rapport.versioning.v1.GetActiveModelVersionRequest;
import io.rapport.versioning.v1.GetActiveModelVersionResponse;
import io.rapport.versioning.v1.ModelActivation;
import io.rapport.versioning.v1.ModelVersion;
import io.rapport.versioning.v1.ModelVersionServiceGrpc;
import io.rapport.versioning.v1.PromoteModelVersionRequest;
import io.rapport.versioning.v1.PromoteModelVersionResponse;
import io.rapport.versioning.v1.RegisterModelVersionRequest;
import io.rapport.versioning.v1.RollbackModelVersionRequest;
import io.rapport.versioning.v1.RollbackModelVersionResponse;
import io.rapport.versioning.v1.SetTrafficSplitRequest;
import io.rapport.versioning.v1.TrafficSplit;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jooq.DSLContext;

/** The RPCs of versions. */
final class ModelVersionService {
  private static final int TRIES = 10;
  private static final int MAX_COMPARED_BYTES = 2 * 1024 * 1024;
  private static final String IDS = "model_version_ids";

  private final TenantDb db;
  private final CallerWrites work;
  private final Resource<ModelVersion> resource;
  private final Resource<ModelActivation> shown;
  private final Registrations registrations;
  private final Promotions promotions;
  private final TrafficSplits splits;
  private final ActivationStore activations = new ActivationStore();

  ModelVersionService(
      TenantDb db,
      CallerWrites work,
      Resource<ModelVersion> resource,
      Resource<ModelActivation> shown,
      Registrations registrations,
      Promotions promotions,
      TrafficSplits splits) {
    this.db = db;
    this.work = work;
    this.resource = resource;
    this.shown = shown;
    this.registrations = registrations;
    this.promotions = promotions;
    this.splits = splits;
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return resource.serve(
        rpcs.service(ModelVersionServiceGrpc.getServiceDescriptor())
            .unary(ModelVersionServiceGrpc.getRegisterModelVersionMethod(), this::register)
            .unary(ModelVersionServiceGrpc.getPromoteModelVersionMethod(), this::promote)
            .unary(ModelVersionServiceGrpc.getRollbackModelVersionMethod(), this::rollBack)
            .unary(ModelVersionServiceGrpc.getGetActiveModelVersionMethod(), this::getActive)
            .unary(ModelVersionServiceGrpc.getCompareModelVersionsMethod(), this::compare)
            .unary(
                ModelVersionServiceGrpc.getGetTrafficSplitMethod(),
                request -> splits.get(request.getModelType()))
            .unary(ModelVersionServiceGrpc.getSetTrafficSplitMethod(), this::setTrafficSplit)
            .unary(ModelVersionServiceGrpc.getResolveModelVersionMethod(), splits::resolve));
  }

  static ServiceException noneActive(String modelType) {
    return ServiceException.of(
        Code.NOT_FOUND,
        ErrorReason.NO_ACTIVE_VERSION,
        "no version of this model type is, or was then, active");
  }

  private ModelVersion register(RegisterModelVersionRequest request) {
    return work.write(
        request,
        ModelVersion.parser(),
        tx -> resource.get(tx, registrations.register(Writing.of(tx), request)));
  }

  private PromoteModelVersionResponse promote(PromoteModelVersionRequest request) {
    return work.write(
        request, PromoteModelVersionResponse.parser(), tx -> promotions.promote(tx, request));
  }

  private RollbackModelVersionResponse rollBack(RollbackModelVersionRequest request) {
    return work.write(
        request, RollbackModelVersionResponse.parser(), tx -> promotions.rollBack(tx, request));
  }

  private TrafficSplit setTrafficSplit(SetTrafficSplitRequest request) {
    return work.write(request, TrafficSplit.parser(), tx -> splits.set(tx, request));
  }

  /**
   * The activation is read by one statement, the rest by others: if it ended in between, what
   * replaced it is read.
   */
  private GetActiveModelVersionResponse getActive(GetActiveModelVersionRequest request) {
    Caller.Tenant tenant = Caller.currentTenant();
    if (request.hasTime() && !Times.isValid(request.getTime())) {
      throw ServiceException.invalid("time", ErrorReason.INVALID_FIELD, "is no time");
    }
    long position = request.hasPosition() ? Positions.decode(tenant, request.getPosition()) : 0;
    for (int tries = 1; ; tries++) {
      GetActiveModelVersionResponse answer =
          db.read(tenant.id(), dsl -> getActive(dsl, tenant.id(), request, position));
      boolean past = request.getAsOfCase() != GetActiveModelVersionRequest.AsOfCase.ASOF_NOT_SET;
      if (past || answer.getModelVersion().getIsActive() || tries == TRIES) {
        return answer;
      }
    }
  }

  private GetActiveModelVersionResponse getActive(
      DSLContext dsl, UUID tenant, GetActiveModelVersionRequest request, long position) {
    String type = request.getModelType();
    Optional<Activation> found =
        switch (request.getAsOfCase()) {
          case TIME -> activations.at(dsl, tenant, type, Times.instant(request.getTime()));
          case POSITION -> activations.at(dsl, tenant, type, position);
          case ASOF_NOT_SET -> activations.current(dsl, tenant, type);
        };
    Activation activation = found.orElseThrow(() -> noneActive(type));
    return GetActiveModelVersionResponse.newBuilder()
        .setModelVersion(resource.findAll(dsl, tenant, List.of(activation.version())).getFirst())
        .setActivation(shown.findAll(dsl, tenant, List.of(activation.id())).getFirst())
        .build();
  }

  private CompareModelVersionsResponse compare(CompareModelVersionsRequest request) {
    UUID tenant = Caller.currentTenant().id();
    List<UUID> ids = distinct(request.getModelVersionIdsList());
    List<ModelVersion> found = db.read(tenant, dsl -> resource.findAll(dsl, tenant, ids));
    for (UUID id : ids) {
      if (found.stream().noneMatch(it -> it.getId().equals(id.toString()))) {
        throw ServiceException.notFound("model_version", id.toString());
      }
    }
    CompareModelVersionsResponse answer = Comparisons.of(found);
    if (answer.getSerializedSize() > MAX_COMPARED_BYTES) {
      throw ServiceException.invalid(
          IDS, ErrorReason.INVALID_FIELD, "have more than 2 MiB together: compare fewer");
    }
    return answer;
  }

  /** The contract's rule doesn't know that an id can be written in several ways. */
  private static List<UUID> distinct(List<String> texts) {
    Set<UUID> ids = new LinkedHashSet<>();
    for (int i = 0; i < texts.size(); i++) {
      if (!ids.add(UUID.fromString(texts.get(i)))) {
        throw ServiceException.invalid(
            IDS + "[" + i + "]", ErrorReason.INVALID_FIELD, "is there twice");
      }
    }
    return List.copyOf(ids);
  }
}
