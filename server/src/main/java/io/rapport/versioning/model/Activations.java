package io.rapport.versioning.model;

import io.rapport.platform.Change.Op;
import io.rapport.versioning.Writing;
import io.rapport.versioning.model.ActivationStore.Activation;
import io.rapport.versioning.training.Trainings;
import io.rapport.versioning.v1.ModelActivation.Cause;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Makes another version the active one, with all that follows, in the transaction it is given. */
final class Activations {
  private final VersionStore versions = new VersionStore();
  private final ActivationStore activations = new ActivationStore();
  private final SplitStore splits = new SplitStore();
  private final Trainings trainings;
  private final SupersededModels superseded;

  /**
   * What is to become active.
   *
   * @param previous what a rollback of it returns to
   * @param overrides the reasons of overridden gates as JSON
   */
  record Next(
      Version version,
      Cause cause,
      String reason,
      @Nullable UUID previous,
      @Nullable String overrides) {}

  Activations(Trainings trainings, SupersededModels superseded) {
    this.trainings = trainings;
    this.superseded = superseded;
  }

  /** That of the version that is active. */
  Optional<Activation> current(Writing write, String modelType) {
    return activations.current(write.dsl(), write.tenant(), modelType);
  }

  /** Says that what is active does too badly. */
  void degraded(Writing write, String modelType) {
    UUID id = current(write, modelType).orElseThrow().id();
    long revision = activations.degraded(write.dsl(), write.tenant(), id);
    write.changed(ActivationStore.KIND, Op.UPDATED, id, revision);
  }

  /** Replaces what is active, if anything is; returns the id of the activation that begins. */
  UUID replace(Writing write, @Nullable Activation current, Next next) {
    Version version = next.version();
    Instant now = activations.now(write.dsl(), current == null ? null : current.since());
    if (current != null) {
      end(write, current, now, next.cause() != Cause.PROMOTION);
    }
    long revision = versions.activate(write.dsl(), write.tenant(), version.id(), now);
    write.changed(VersionStore.KIND, Op.UPDATED, version.id(), revision);
    UUID id =
        activations.insert(
            write.dsl(),
            write.tenant(),
            new ActivationStore.New(
                version.modelType(),
                version.id(),
                now,
                write.position(),
                next.cause(),
                next.reason(),
                write.by(),
                current == null ? null : current.version(),
                next.previous(),
                next.overrides()));
    write.changed(ActivationStore.KIND, Op.CREATED, id, 1);
    follow(write, version);
    return id;
  }

  private void end(Writing write, Activation current, Instant now, boolean rollback) {
    long ended = activations.end(write.dsl(), write.tenant(), current.id(), now, write.position());
    write.changed(ActivationStore.KIND, Op.UPDATED, current.id(), ended);
    Version old = versions.lock(write.dsl(), write.tenant(), current.version()).orElseThrow();
    long revision = versions.deactivate(write.dsl(), write.tenant(), old.id(), rollback ? 1 : 0);
    write.changed(VersionStore.KIND, Op.UPDATED, old.id(), revision);
    superseded.superseded(
        write.dsl(), write.tenant(), old.modelType(), old.version(), write.position(), write.by());
  }

  private void follow(Writing write, Version version) {
    SplitStore.Split split =
        splits.activated(write.dsl(), write.tenant(), version.modelType(), version.id());
    write.changed(SplitStore.KIND, Op.UPDATED, split.id(), split.revision());
    if (version.training() != null) {
      trainings.deployed(write, version.training());
    }
  }
}
