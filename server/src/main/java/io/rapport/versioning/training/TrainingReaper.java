package io.rapport.versioning.training;

import io.rapport.platform.Change.Op;
import io.rapport.versioning.ServiceWrites;
import io.rapport.versioning.Writing;
import java.time.Duration;
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
  private final TrainingStore store = new TrainingStore();
  private final Thread thread;
  private boolean fails;

  TrainingReaper(DSLContext system, ServiceWrites writes) {
    this.system = system;
    this.writes = writes;
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
      for (UUID tenant : store.tenantsWithLost(system)) {
        int lost = writes.write(tenant, this::reap);
        if (lost > 0) { // and no other server was faster
          log.info("{} trainings of tenant {} had lost their workers", lost, tenant);
        }
      }
      fails = false;
    } catch (RuntimeException e) {
      if (!fails) {
        log.warn("lost workers can't be looked for; tried until it succeeds", e);
      }
      fails = true;
    }
  }

  private int reap(Writing write) {
    var reaped = store.reap(write.dsl(), write.tenant());
    reaped.forEach(it -> write.changed(TrainingStore.KIND, Op.UPDATED, it.id(), it.revision()));
    return reaped.size();
  }
}
