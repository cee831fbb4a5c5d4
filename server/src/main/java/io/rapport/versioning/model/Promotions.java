package io.rapport.versioning.model;

import io.grpc.Status.Code;
import io.rapport.platform.Etags;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Transaction;
import io.rapport.platform.resource.Resource;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.versioning.Writing;
import io.rapport.versioning.model.ActivationStore.Activation;
import io.rapport.versioning.v1.ModelActivation;
import io.rapport.versioning.v1.ModelActivation.Cause;
import io.rapport.versioning.v1.ModelVersion;
import io.rapport.versioning.v1.PromoteModelVersionRequest;
import io.rapport.versioning.v1.PromoteModelVersionResponse;
import io.rapport.versioning.v1.PromotionGate;
import io.rapport.versioning.v1.RollbackModelVersionRequest;
import io.rapport.versioning.v1.RollbackModelVersionResponse;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Promotes versions and rolls them back, for callers. */
final class Promotions {
  private final VersionStore versions = new VersionStore();
  private final Activations activations;
  private final Rollbacks rollbacks;
  private final GateCheck check;
  private final Resource<ModelVersion> resource;
  private final Resource<ModelActivation> shown;

  Promotions(
      Activations activations,
      GateCheck check,
      Resource<ModelVersion> resource,
      Resource<ModelActivation> shown) {
    this.activations = activations;
    this.rollbacks = new Rollbacks(activations);
    this.check = check;
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
    List<PromotionGate> gates = check.results(write, version, request.getOverridesList());
    if (!GateCheck.passed(tx, gates)) {
      return PromoteModelVersionResponse.newBuilder()
          .addAllGates(gates)
          .setModelVersion(resource.get(tx, version.id()))
          .build();
    }
    String overrides = GateCheck.reasons(gates, request.getOverridesList());
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
