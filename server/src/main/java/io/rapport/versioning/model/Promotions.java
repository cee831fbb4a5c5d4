package io.rapport.versioning.model;

import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toSet;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.grpc.Status.Code;
import io.rapport.platform.Etags;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Transaction;
import io.rapport.platform.resource.Resource;
import io.rapport.platform.resource.StructJson;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.versioning.Writing;
import io.rapport.versioning.model.ActivationStore.Activation;
import io.rapport.versioning.v1.GateOverride;
import io.rapport.versioning.v1.ModelActivation;
import io.rapport.versioning.v1.ModelActivation.Cause;
import io.rapport.versioning.v1.ModelVersion;
import io.rapport.versioning.v1.PromoteModelVersionRequest;
import io.rapport.versioning.v1.PromoteModelVersionResponse;
import io.rapport.versioning.v1.PromotionGate;
import io.rapport.versioning.v1.RollbackModelVersionRequest;
import io.rapport.versioning.v1.RollbackModelVersionResponse;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Promotes versions and rolls them back, for callers. */
final class Promotions {
  private final VersionStore versions = new VersionStore();
  private final PolicyStore policies = new PolicyStore();
  private final Activations activations;
  private final Rollbacks rollbacks;
  private final OpenAlerts alerts;
  private final Resource<ModelVersion> resource;
  private final Resource<ModelActivation> shown;

  Promotions(
      Activations activations,
      OpenAlerts alerts,
      Resource<ModelVersion> resource,
      Resource<ModelActivation> shown) {
    this.activations = activations;
    this.rollbacks = new Rollbacks(activations);
    this.alerts = alerts;
    this.resource = resource;
    this.shown = shown;
  }

  PromoteModelVersionResponse promote(Transaction tx, PromoteModelVersionRequest request) {
    Writing write = Writing.of(tx);
    Version version = lock(write, request.getModelVersionId());
    Etags.require(
        "model_version", version.id().toString(), Etags.of(version.revision()), request.getEtag());
    Activation current = activations.current(write, version.modelType()).orElse(null);
    requireExpected(current, request.getExpectedActiveVersionId());
    if (current != null && current.version().equals(version.id())) {
      return answer(tx, version, current.id()).build();
    }
    List<PromotionGate> gates = gates(write, version, request.getOverridesList());
    if (!Gates.failed(gates).isEmpty()) {
      requireTrial(tx, gates);
      return PromoteModelVersionResponse.newBuilder()
          .addAllGates(gates)
          .setModelVersion(resource.get(tx, version.id()))
          .build();
    }
    String overrides = overrides(gates, request.getOverridesList());
    UUID previous = current == null ? null : current.id();
    Activations.Next next =
        new Activations.Next(version, Cause.PROMOTION, request.getReason(), previous, overrides);
    UUID activation = activations.replace(write, current, next);
    return answer(tx, version, activation).addAllGates(gates).build();
  }

  private PromoteModelVersionResponse.Builder answer(
      Transaction tx, Version version, UUID activation) {
    return PromoteModelVersionResponse.newBuilder()
        .setModelVersion(resource.get(tx, version.id()))
        .setActivation(shown.get(tx, activation));
  }

  private Version lock(Writing write, String id) {
    return versions
        .lock(write.dsl(), write.tenant(), UUID.fromString(id))
        .orElseThrow(() -> ServiceException.notFound("model_version", id));
  }

  private static void requireExpected(@Nullable Activation current, String expected) {
    if (expected.isEmpty()
        || (current != null && current.version().equals(UUID.fromString(expected)))) {
      return;
    }
    throw ServiceException.of(
            Code.ABORTED,
            ErrorReason.ACTIVE_VERSION_CHANGED,
            "another version is active than the one that was expected")
        .with("expected_active_version_id", expected)
        .with("active_version_id", current == null ? "" : current.version().toString());
  }

  private List<PromotionGate> gates(Writing write, Version version, List<GateOverride> overrides) {
    Set<PromotionGate.Gate> overridden = new HashSet<>();
    for (int i = 0; i < overrides.size(); i++) {
      if (!overridden.add(overrides.get(i).getGate())) {
        throw ServiceException.invalid(
            "overrides[" + i + "].gate", ErrorReason.INVALID_FIELD, "is overridden twice");
      }
    }
    String type = version.modelType();
    return new Gates(policies.find(write.dsl(), write.tenant(), type), overridden)
        .results(
            version,
            versions.active(write.dsl(), write.tenant(), type).orElse(null),
            alerts.critical(write.dsl(), write.tenant(), type));
  }

  private static void requireTrial(Transaction tx, List<PromotionGate> gates) {
    if (tx.isTrial()) {
      return;
    }
    List<PromotionGate> failed = Gates.failed(gates);
    String names = failed.stream().map(it -> it.getGate().name()).collect(joining(","));
    throw ServiceException.failedPrecondition(
            ErrorReason.PROMOTION_GATES_FAILED,
            "the version fails gates: " + names,
            failed.stream()
                .map(it ->
                    ServiceException.violation(
                        "gates." + it.getGate().name(),
                        ErrorReason.PROMOTION_GATES_FAILED,
                        it.getDetail()))
                .toList())
        .with("gates", names);
  }

  /** The reasons of those overrides that were needed. */
  private static @Nullable String overrides(
      List<PromotionGate> gates, List<GateOverride> overrides) {
    Set<PromotionGate.Gate> needed =
        gates.stream()
            .filter(PromotionGate::getOverridden)
            .map(PromotionGate::getGate)
            .collect(toSet());
    Struct.Builder reasons = Struct.newBuilder();
    for (GateOverride override : overrides) {
      if (needed.contains(override.getGate())) {
        reasons.putFields(
            override.getGate().name(),
            Value.newBuilder().setStringValue(override.getReason()).build());
      }
    }
    return reasons.getFieldsCount() == 0 ? null : StructJson.write(reasons.build(), "overrides");
  }

  RollbackModelVersionResponse rollBack(Transaction tx, RollbackModelVersionRequest request) {
    Writing write = Writing.of(tx);
    Activation current = activations.current(write, request.getModelType()).orElse(null);
    requireExpected(current, request.getExpectedActiveVersionId());
    UUID id =
        rollbacks.rollBack(
            write, current, request.getModelType(), Cause.ROLLBACK, request.getReason());
    ModelActivation activation = shown.get(tx, id);
    return RollbackModelVersionResponse.newBuilder()
        .setModelVersion(resource.get(tx, UUID.fromString(activation.getModelVersionId())))
        .setRolledBack(resource.get(tx, UUID.fromString(activation.getReplacedVersionId())))
        .setActivation(activation)
        .build();
  }
}
