package io.rapport.versioning.model;

import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.versioning.Writing;
import io.rapport.versioning.model.ActivationStore.Activation;
import io.rapport.versioning.v1.ModelActivation.Cause;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Makes the version active again that was before the active one was promoted. */
final class Rollbacks {
  private final VersionStore versions = new VersionStore();
  private final ActivationStore store = new ActivationStore();
  private final Activations activations;

  Rollbacks(Activations activations) {
    this.activations = activations;
  }

  /** What the active version's rollback returns to. */
  Optional<Activation> previous(Writing write, @Nullable Activation current) {
    return current == null || current.previous() == null
        ? Optional.empty()
        : store.find(write.dsl(), write.tenant(), current.previous());
  }

  /** Returns the id of the activation that begins. */
  UUID rollBack(
      Writing write, @Nullable Activation current, String modelType, Cause cause, String reason) {
    Activation previous =
        previous(write, current)
            .orElseThrow(() ->
                ServiceException.failedPrecondition(
                    ErrorReason.NO_PREVIOUS_VERSION, "there is no version to roll back to"));
    Version version = versions.lock(write.dsl(), write.tenant(), previous.version()).orElseThrow();
    return activations.replace(
        write, current, new Activations.Next(version, cause, reason, previous.previous(), null));
  }
}
