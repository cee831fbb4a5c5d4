package io.rapport.versioning.model;

import io.rapport.platform.Change.Op;
import io.rapport.platform.TenantDb;
import io.rapport.versioning.ServiceWrites;
import io.rapport.versioning.Writing;
import io.rapport.versioning.model.ActivationStore.Activation;
import io.rapport.versioning.model.KeptStore.Kept;
import io.rapport.versioning.model.LivePerformance.Figure;
import io.rapport.versioning.training.Trainings;
import io.rapport.versioning.v1.ModelActivation.Cause;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells how active versions do, and does something about those that do too badly: rolls them back,
 * or says so where there is none to return to, and asks for a training.
 */
final class KeptVersions {
  private static final Logger log = LoggerFactory.getLogger(KeptVersions.class);

  private final TenantDb db;
  private final ServiceWrites writes;
  private final Activations activations;
  private final Rollbacks rollbacks;
  private final Trainings trainings;
  private final LivePerformance live;
  private final PoorVersions poor;
  private final VersionStore versions = new VersionStore();
  private final KeptStore kept = new KeptStore();

  /** Undoes a write, because somebody else came first. */
  private static final class NoLongerPoorException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NoLongerPoorException() {
      super(null, null, false, false);
    }
  }

  KeptVersions(
      TenantDb db,
      ServiceWrites writes,
      Activations activations,
      Trainings trainings,
      ModelFeature.Others others) {
    this.db = db;
    this.writes = writes;
    this.activations = activations;
    this.rollbacks = new Rollbacks(activations);
    this.trainings = trainings;
    this.live = others.live();
    this.poor = others.poor();
  }

  /** A version, and how it does. */
  record Seen(Kept version, Optional<Figure> live) {
    /** What comes true goes before what was recorded, if there is enough of it. */
    Optional<Figure> figure() {
      return live.or(() ->
          Optional.ofNullable(version.recorded())
              .map(value -> new Figure(value, version.recordedSamples())));
    }

    /** Whether what came true is other than what was told of the version a while ago. */
    boolean isNews() {
      return version.due()
          && live.filter(it -> !it.equals(new Figure(known(), version.recordedSamples())))
              .isPresent();
    }

    private double known() {
      return version.recorded() == null ? Double.NaN : version.recorded();
    }

    /** Why it does too badly; empty if it doesn't. */
    Optional<String> reason() {
      Double baseline = version.baseline();
      if (!version.automatic() || baseline == null || baseline <= 0) {
        return Optional.empty();
      }
      return figure()
          .filter(it -> it.samples() >= version.minimumSamples())
          .filter(it -> it.value() < version.share() * baseline)
          .map(it ->
              String.format(
                  Locale.ROOT,
                  "performance %.6g of %d samples is less than %.6g x the baseline %.6g",
                  it.value(),
                  it.samples(),
                  version.share(),
                  baseline));
    }
  }

  /** The tenant's active versions. */
  List<Seen> of(UUID tenant) {
    return db.read(
        tenant, dsl -> kept.list(dsl, tenant).stream().map(it -> look(dsl, tenant, it)).toList());
  }

  private Seen look(DSLContext dsl, UUID tenant, Kept it) {
    var question = new LivePerformance.Question(it.modelType(), it.name(), it.metric(), it.from());
    return new Seen(
        it,
        live.since(dsl, tenant, question).filter(found -> found.samples() >= it.minimumSamples()));
  }

  /** Does what is to be done about a version. */
  void keep(UUID tenant, Seen seen) {
    Kept it = seen.version();
    Optional<String> reason = seen.reason();
    if (reason.isPresent() && it.replaceable()) {
      rollBack(tenant, it);
    } else if (reason.isPresent() && !it.told()) {
      alarm(tenant, it, reason.get());
    } else if (seen.isNews()) {
      var _ =
          writes.write(
              tenant,
              write -> {
                seen.live().ifPresent(figure -> measure(write, it, figure, KeptStore.TOLD_EVERY));
                return true;
              });
    }
  }

  private void measure(Writing write, Kept it, Figure figure, Duration age) {
    versions
        .measure(write.dsl(), write.tenant(), it.version(), figure, age)
        .ifPresent(
            revision -> write.changed(VersionStore.KIND, Op.UPDATED, it.version(), revision));
  }

  private void rollBack(UUID tenant, Kept it) {
    if (writes.write(tenant, write -> rollBack(write, it.version()))) {
      log.warn(
          "version {} of model type {} of tenant {} did too badly and was rolled back",
          it.name(),
          it.modelType(),
          tenant);
    }
  }

  /** Decides again, now that no other commit comes between. */
  private boolean rollBack(Writing write, UUID version) {
    Optional<Seen> seen = again(write, version).filter(it -> it.version().replaceable());
    if (seen.isEmpty()) {
      return false;
    }
    String type = seen.get().version().modelType();
    String reason = seen.get().reason().orElseThrow();
    seen.get().live().ifPresent(it -> measure(write, seen.get().version(), it, Duration.ZERO));
    Activation current = activations.current(write, type).orElseThrow();
    rollbacks.rollBack(write, current, type, Cause.AUTOMATIC_ROLLBACK, reason);
    trainings.rolledBack(write, type, reason);
    return true;
  }

  /** The version, if it is active and does too badly. */
  private Optional<Seen> again(Writing write, UUID version) {
    return kept.find(write.dsl(), write.tenant(), version)
        .map(it -> look(write.dsl(), write.tenant(), it))
        .filter(it -> it.reason().isPresent());
  }

  private void alarm(UUID tenant, Kept it, String reason) {
    var found = new PoorVersions.Poor(it.modelType(), it.name(), reason);
    try {
      writes.write(
          tenant,
          (dsl, changes) -> poor.found(dsl, tenant, found, changes),
          write -> alarm(write, it.version()));
      log.warn(
          "version {} of model type {} of tenant {} does too badly, and there is no other",
          it.name(),
          it.modelType(),
          tenant);
    } catch (NoLongerPoorException e) {
      log.debug("another server has said so", e);
    }
  }

  private boolean alarm(Writing write, UUID version) {
    Seen seen =
        again(write, version)
            .filter(it -> !it.version().replaceable() && !it.version().told())
            .orElseThrow(NoLongerPoorException::new);
    String type = seen.version().modelType();
    seen.live().ifPresent(it -> measure(write, seen.version(), it, Duration.ZERO));
    activations.degraded(write, type);
    trainings.degraded(write, type, seen.reason().orElseThrow());
    return true;
  }
}
