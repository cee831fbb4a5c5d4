package io.rapport.delivery;

import io.rapport.platform.Change;
import io.rapport.platform.ChangeLog;
import io.rapport.platform.TenantDb;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jooq.DSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Works out issues anew whose statuses mean something else since, in small transactions. What this
 * or another server has left, it finds and goes on with; servers at the same tenant take different
 * statuses.
 */
final class FlowWorker implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(FlowWorker.class);
  private static final Duration PERIOD = Duration.ofSeconds(2);

  private final TenantDb db;
  private final DSLContext system;
  private final ChangeLog changes;
  private final FlowStore flow = new FlowStore();
  private final MeaningStore meanings = new MeaningStore();
  private final Thread thread = Thread.ofVirtual().name("flow-worker").unstarted(this::workOn);

  /**
   * @param system the database as the system role sees it
   */
  FlowWorker(TenantDb db, DSLContext system, ChangeLog changes) {
    this.db = db;
    this.system = system;
    this.changes = changes;
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
      meanings.unfinishedTenants(system).forEach(this::work);
    } catch (RuntimeException e) {
      log.warn("issues can't be worked out anew; tried again in {} s", PERIOD.toSeconds(), e);
    }
  }

  /** One that fails leaves the others their turn. */
  private void work(UUID tenant) {
    try {
      while (!Thread.currentThread().isInterrupted() && db.write(tenant, tx -> next(tx, tenant))) {
        changes.committed(tenant);
      }
    } catch (RuntimeException e) {
      log.warn(
          "issues of tenant {} can't be worked out anew; tried again in {} s",
          tenant,
          PERIOD.toSeconds(),
          e);
    }
  }

  /** Works out some; false if there are no more. */
  private boolean next(DSLContext tx, UUID tenant) {
    meanings.hold(tx, tenant);
    Optional<MeaningStore.Unfinished> next = meanings.next(tx, tenant);
    if (next.isEmpty()) {
      return false;
    }
    List<UUID> issues = meanings.advance(tx, tenant, next.get());
    List<Change> changed = flow.workOut(tx, tenant, issues, List.of());
    changes.append(tx, tenant, changed);
    return true;
  }
}
