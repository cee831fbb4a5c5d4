package io.rapport.versioning.training;

import io.rapport.platform.Change.Op;
import io.rapport.versioning.ServiceWrites;
import io.rapport.versioning.Writing;
import io.rapport.versioning.training.TrainingStore.Changed;
import io.rapport.versioning.training.TrainingStore.Reaped;
import io.rapport.versioning.v1.TrainingEvent.Status;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jooq.DSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends the attempts of workers that let their leases run out. Every server does; who comes second
 * finds nothing to do.
 */
final class TrainingReaper implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(TrainingReaper.class);
  private static final Duration PERIOD = Duration.ofMillis(500);

  private final DSLContext system;
  private final ServiceWrites writes;
  private final TrainedDatasets datasets;
  private final TrainingStore store = new TrainingStore();
  private final Thread thread;
  private boolean fails;

  TrainingReaper(DSLContext system, ServiceWrites writes, TrainedDatasets datasets) {
    this.system = system;
    this.writes = writes;
    this.datasets = datasets;
    this.thread = Thread.ofVirtual().name("training-reaper").unstarted(this::reapOn);
  }

  void start() {
    thread.start();
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private void reapOn() {
    try {
      while (true) {
        reapSafely();
        TimeUnit.MILLISECONDS.sleep(PERIOD.toMillis());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void reapSafely() {
    try {
      boolean done = true;
      for (UUID tenant : store.tenantsWithLost(system)) {
        done &= tried(tenant);
      }
      fails = fails && !done;
    } catch (RuntimeException e) {
      warn("lost workers can't be looked for", e);
    }
  }

  /** Others don't wait for a tenant whose trainings can't be written. */
  private boolean tried(UUID tenant) {
    try {
      int lost = writes.write(tenant, this::reap);
      if (lost > 0) { // and no other server was faster
        log.info("{} trainings of tenant {} had lost their workers", lost, tenant);
      }
      return true;
    } catch (RuntimeException e) {
      warn("lost workers of tenant " + tenant + " can't be replaced", e);
      return false;
    }
  }

  private void warn(String what, RuntimeException e) {
    if (!fails) {
      log.warn("{}; tried until it succeeds", what, e);
    }
    fails = true;
  }

  private int reap(Writing write) {
    List<Reaped> reaped = store.reap(write.dsl(), write.tenant());
    for (Reaped it : reaped) {
      Changed changed = it.changed();
      write.changed(TrainingStore.KIND, Op.UPDATED, changed.id(), changed.revision());
      if (it.status() == Status.FAILED) {
        datasets.notTrained(write.dsl(), write.tenant(), it.dataset(), write.changes());
      }
    }
    return reaped.size();
  }
}
