package io.rapport.versioning.model;

import io.rapport.platform.Caller;
import io.rapport.platform.Change.Op;
import io.rapport.platform.Etags;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.Times;
import io.rapport.platform.Transaction;
import io.rapport.platform.resource.Resource;
import io.rapport.platform.resource.StructJson;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.versioning.Writing;
import io.rapport.versioning.model.SplitStore.Split;
import io.rapport.versioning.v1.ModelVersion;
import io.rapport.versioning.v1.PromotionGate;
import io.rapport.versioning.v1.ResolveModelVersionRequest;
import io.rapport.versioning.v1.ResolveModelVersionResponse;
import io.rapport.versioning.v1.ResolveModelVersionResponse.Choice;
import io.rapport.versioning.v1.SetTrafficSplitRequest;
import io.rapport.versioning.v1.TrafficSplit;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/** Shares a type's users between the active version and a candidate. */
final class TrafficSplits {
  private static final double BY_PERCENT = UserShare.WHOLE / 100.0;

  private final TenantDb db;
  private final Resource<ModelVersion> resource;
  private final GateCheck check;
  private final VersionStore versions = new VersionStore();
  private final SplitStore splits = new SplitStore();

  TrafficSplits(TenantDb db, Resource<ModelVersion> resource, GateCheck check) {
    this.db = db;
    this.resource = resource;
    this.check = check;
  }

  TrafficSplit get(String modelType) {
    UUID tenant = Caller.currentTenant().id();
    Optional<Split> split = db.read(tenant, dsl -> splits.find(dsl, tenant, modelType));
    return proto(modelType, split.orElse(null));
  }

  /** A split as callers see it; null is none. */
  static TrafficSplit proto(String modelType, @Nullable Split split) {
    TrafficSplit.Builder proto = TrafficSplit.newBuilder().setModelType(modelType);
    if (split != null) {
      proto.setPercent(split.share() / BY_PERCENT);
      proto.setEtag(Etags.of(split.revision()));
      proto.setLastUpdatedAt(Times.proto(split.changedAt()));
      if (split.candidate() != null) {
        proto.setCandidateVersionId(split.candidate().toString());
      }
      if (split.overrides() != null) {
        proto.setOverrides(StructJson.read(split.overrides()));
      }
      proto.setReason(split.reason() == null ? "" : split.reason());
      proto.setSetBy(split.by() == null ? "" : split.by());
    }
    return proto.build();
  }

  TrafficSplit set(Transaction tx, SetTrafficSplitRequest request) {
    Writing write = Writing.of(tx);
    String type = request.getModelType();
    Split before = splits.find(tx.dsl(), tx.tenant(), type).orElse(null);
    Etags.require(
        "traffic_split",
        type,
        before == null ? "" : Etags.of(before.revision()),
        request.getEtag());
    if (versions.active(tx.dsl(), tx.tenant(), type).isEmpty()) {
      throw ModelVersionService.noneActive(type);
    }
    Version candidate = candidate(write, request);
    int share = candidate == null ? 0 : (int) Math.round(request.getPercent() * BY_PERCENT);
    Split own = candidate == null ? null : ifOf(candidate, before);
    if (candidate == null || share <= (own == null ? 0 : own.share())) {
      return put(write, request, share, own == null ? null : own.overrides());
    }
    List<PromotionGate> gates = check.results(write, candidate, request.getOverridesList());
    TrafficSplit split =
        GateCheck.passed(tx, gates)
            ? put(write, request, share, GateCheck.reasons(gates, request.getOverridesList()))
            : proto(type, before);
    return split.toBuilder().addAllGates(gates).build();
  }

  /** The split, if it is to this candidate. */
  private static @Nullable Split ifOf(Version candidate, @Nullable Split split) {
    return split != null && candidate.id().equals(split.candidate()) ? split : null;
  }

  private TrafficSplit put(
      Writing write, SetTrafficSplitRequest request, int share, @Nullable String overrides) {
    String candidate = request.getCandidateVersionId();
    Split split =
        splits.put(
            write.dsl(),
            write.tenant(),
            new SplitStore.New(
                request.getModelType(),
                candidate.isEmpty() ? null : UUID.fromString(candidate),
                share,
                request.getReason(),
                write.by(),
                overrides));
    write.changed(SplitStore.KIND, Op.UPDATED, split.id(), split.revision());
    return proto(request.getModelType(), split);
  }

  private @Nullable Version candidate(Writing write, SetTrafficSplitRequest request) {
    if (request.getCandidateVersionId().isEmpty()) {
      if (request.getPercent() > 0) {
        throw refused("is required if percent is more than 0");
      }
      return null;
    }
    UUID id = UUID.fromString(request.getCandidateVersionId());
    Version version =
        versions
            .lock(write.dsl(), write.tenant(), id)
            .orElseThrow(() -> ServiceException.notFound("model_version", id.toString()));
    if (!version.modelType().equals(request.getModelType())) {
      throw refused("is a version of another model type");
    }
    if (version.isActive()) {
      throw refused("is the active version already");
    }
    return version;
  }

  private static ServiceException refused(String description) {
    return ServiceException.invalid("candidate_version_id", ErrorReason.INVALID_FIELD, description);
  }

  ResolveModelVersionResponse resolve(ResolveModelVersionRequest request) {
    UUID tenant = Caller.currentTenant().id();
    return db.read(tenant, dsl -> resolve(dsl, tenant, request));
  }

  private ResolveModelVersionResponse resolve(
      DSLContext dsl, UUID tenant, ResolveModelVersionRequest request) {
    String type = request.getModelType();
    int place = UserShare.of(tenant, type, UUID.fromString(request.getUserId()));
    Split split = splits.find(dsl, tenant, type).orElse(null);
    UUID candidate = split == null || place >= split.share() ? null : split.candidate();
    UUID chosen =
        candidate != null
            ? candidate
            : versions
                .active(dsl, tenant, type)
                .orElseThrow(() -> ModelVersionService.noneActive(type))
                .id();
    List<ModelVersion> found = resource.findAll(dsl, tenant, List.of(chosen));
    return ResolveModelVersionResponse.newBuilder()
        .setModelVersion(found.getFirst())
        .setChoice(candidate != null ? Choice.CANDIDATE : Choice.ACTIVE)
        .setUserPercent(place / BY_PERCENT)
        .setSplit(proto(type, split))
        .build();
  }
}
