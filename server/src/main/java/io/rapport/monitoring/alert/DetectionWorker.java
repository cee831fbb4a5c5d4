package io.rapport.monitoring.alert;

import io.rapport.platform.Change;
import io.rapport.platform.ChangeLog;
import io.rapport.platform.TenantDb;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks for anomalies by itself, model by model, and resolves alerts that have been quiet for long.
 * How far it has got stands in the database, so it goes on after a restart or in another server.
 */
final class DetectionWorker implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(DetectionWorker.class);
  private static final Duration PERIOD = Duration.ofSeconds(5);

  private final TenantDb db;
  private final ChangeLog changes;
  private final Detector detector;
  private final DetectionWorkStore work;
  private final Thread thread;
  private boolean failing;

  /**
   * @param system the database as the system role sees it
   */
  DetectionWorker(TenantDb db, TenantDb system, ChangeLog changes, Detector detector) {
    this.db = db;
    this.changes = changes;
    this.detector = detector;
    this.work = new DetectionWorkStore(system);
    this.thread = Thread.ofVirtual().name("anomaly-detection").unstarted(this::workOn);
  }

  void start() {
    thread.start();
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private void workOn() {
    try {
      while (true) {
        work();
        TimeUnit.MILLISECONDS.sleep(PERIOD.toMillis());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void work() {
    try {
      work.due().forEach(this::detect);
      work.quietTenants().forEach(this::resolveQuiet);
      failing = false;
    } catch (RuntimeException e) {
      if (!failing) {
        log.warn("can't look for anomalies; tried every {} s", PERIOD.toSeconds(), e);
      }
      failing = true;
    }
  }

  private void detect(DetectionWorkStore.Due due) {
    try {
      long position =
          db.write(
              due.tenant(),
              tx -> {
                if (!work.takeTurn(tx, due)) {
                  return 0L;
                }
                Detector.Found found = detector.detect(tx, due.tenant(), due.model(), false);
                return changes.append(tx, due.tenant(), found.changes());
              });
      if (position > 0) {
        changes.committed(due.tenant());
      }
    } catch (RuntimeException e) {
      log.warn("can't look for anomalies of a model of tenant {}; tried again", due.tenant(), e);
    }
  }

  private void resolveQuiet(UUID tenant) {
    try {
      long position =
          db.write(
              tenant,
              tx -> {
                List<Change> resolved = work.resolveQuiet(tx, tenant);
                return changes.append(tx, tenant, resolved);
              });
      if (position > 0) {
        changes.committed(tenant);
      }
    } catch (RuntimeException e) {
      log.warn("can't resolve quiet alerts of tenant {}; tried again", tenant, e);
    }
  }
}
