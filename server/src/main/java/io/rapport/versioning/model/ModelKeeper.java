package io.rapport.versioning.model;

import io.rapport.versioning.model.KeptVersions.Seen;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jooq.DSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after active versions. Every server does; the one that comes first does what is to be done,
 * and the others find that it is done.
 */
final class ModelKeeper implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ModelKeeper.class);
  private static final Duration PERIOD = Duration.ofSeconds(2);

  private final DSLContext system;
  private final KeptVersions kept;
  private final VersionStore versions = new VersionStore();
  private final Thread thread;
  private boolean fails;

  ModelKeeper(DSLContext system, KeptVersions kept) {
    this.system = system;
    this.kept = kept;
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
        fails = !keepAll() && fails;
        TimeUnit.MILLISECONDS.sleep(PERIOD.toMillis());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean keepAll() {
    return tried(
        "active versions",
        () -> {
          boolean done = true;
          for (UUID tenant : versions.tenantsWithActive(system)) {
            done &= tried("active versions of tenant " + tenant, () -> keep(tenant));
          }
          return done;
        });
  }

  private boolean keep(UUID tenant) {
    boolean done = true;
    for (Seen seen : kept.of(tenant)) {
      String what = "version " + seen.version().name() + " of " + seen.version().modelType();
      done &=
          tried(
              what + " of tenant " + tenant,
              () -> {
                kept.keep(tenant, seen);
                return true;
              });
    }
    return done;
  }

  /** Others don't wait for what can't be done. */
  private boolean tried(String what, BooleanSupplier work) {
    try {
      return work.getAsBoolean();
    } catch (RuntimeException e) {
      if (!fails) {
        log.warn("{} can't be looked after; tried until it succeeds", what, e);
      }
      fails = true;
      return false;
    }
  }
}
