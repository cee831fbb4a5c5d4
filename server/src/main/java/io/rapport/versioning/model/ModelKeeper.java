package io.rapport.versioning.model;

import io.rapport.platform.TenantDb;
import io.rapport.versioning.ServiceWrites;
import io.rapport.versioning.Writing;
import io.rapport.versioning.model.ActivationStore.Activation;
import io.rapport.versioning.model.KeptStore.Kept;
import io.rapport.versioning.training.Trainings;
import io.rapport.versioning.v1.ModelActivation.Cause;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jooq.DSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Rolls active versions back that do too badly, and asks for a training. Every server looks; the
 * one that comes first does it, and the others find another version active.
 */
final class ModelKeeper implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ModelKeeper.class);
  private static final Duration PERIOD = Duration.ofSeconds(2);

  private final TenantDb db;
  private final DSLContext system;
  private final ServiceWrites writes;
  private final Activations activations;
  private final Rollbacks rollbacks;
  private final Trainings trainings;
  private final LivePerformance live;
  private final VersionStore versions = new VersionStore();
  private final KeptStore kept = new KeptStore();
  private final Thread thread;
  private boolean fails;

  ModelKeeper(
      TenantDb db,
      DSLContext system,
      ServiceWrites writes,
      Activations activations,
      Trainings trainings,
      LivePerformance live) {
    this.db = db;
    this.system = system;
    this.writes = writes;
    this.activations = activations;
    this.rollbacks = new Rollbacks(activations);
    this.trainings = trainings;
    this.live = live;
    this.thread = Thread.ofVirtual().name("model-keeper").unstarted(this::keepOn);
  }

  void start() {
    thread.start();
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private void keepOn() {
    try {
      while (true) {
        keepSafely();
        TimeUnit.MILLISECONDS.sleep(PERIOD.toMillis());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void keepSafely() {
    try {
      versions.withActive(system).keySet().forEach(this::keep);
      fails = false;
    } catch (RuntimeException e) {
      if (!fails) {
        log.warn("active versions can't be looked at; tried until it succeeds", e);
      }
      fails = true;
    }
  }

  private void keep(UUID tenant) {
    for (Kept version : tooBad(tenant)) {
      if (writes.write(tenant, write -> rollBack(write, version))) {
        log.warn(
            "version {} of model type {} of tenant {} did too badly and was rolled back",
            version.name(),
            version.modelType(),
            tenant);
      }
    }
  }

  private List<Kept> tooBad(UUID tenant) {
    return db.read(
        tenant,
        dsl ->
            kept.list(dsl, tenant).stream()
                .filter(it -> reason(dsl, tenant, it).isPresent())
                .toList());
  }

  /** Why it is to be rolled back; empty if it isn't. What is measured live comes first. */
  private Optional<String> reason(DSLContext dsl, UUID tenant, Kept it) {
    LivePerformance.Figure figure =
        live.since(dsl, tenant, it.modelType(), it.name(), it.from())
            .or(() ->
                Optional.ofNullable(it.recorded())
                    .map(value -> new LivePerformance.Figure(value, it.recordedSamples())))
            .orElse(null);
    if (figure == null
        || figure.samples() < it.minimumSamples()
        || figure.value() >= it.share() * it.baseline()) {
      return Optional.empty();
    }
    return Optional.of(
        String.format(
            Locale.ROOT,
            "performance %.6g of %d samples is less than %.6g x the baseline %.6g",
            figure.value(),
            figure.samples(),
            it.share(),
            it.baseline()));
  }

  /** Decides again, now that no other commit comes between. */
  private boolean rollBack(Writing write, Kept version) {
    Optional<String> reason =
        kept.list(write.dsl(), write.tenant()).stream()
            .filter(it -> it.version().equals(version.version()))
            .findFirst()
            .flatMap(it -> reason(write.dsl(), write.tenant(), it));
    if (reason.isEmpty()) {
      return false;
    }
    Activation current = activations.current(write, version.modelType()).orElseThrow();
    rollbacks.rollBack(write, current, version.modelType(), Cause.AUTOMATIC_ROLLBACK, reason.get());
    trainings.rolledBack(write, version.modelType(), reason.get());
    return true;
  }
}
