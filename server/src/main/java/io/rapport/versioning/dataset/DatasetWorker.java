package io.rapport.versioning.dataset;

import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.ChangeLog;
import io.rapport.platform.CommitListener;
import io.rapport.platform.TenantDb;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Assesses datasets whose threshold was reached, and makes counts anew that don't fit their
 * sources. What there is to do stands in the database, so it is done after a restart too, by one
 * server. It looks after commits of this server, a few times a second at most, and now and then for
 * others.
 */
final class DatasetWorker implements CommitListener, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(DatasetWorker.class);
  private static final Duration PERIOD = Duration.ofSeconds(5);
  private static final Duration PAUSE = Duration.ofMillis(200);

  private final TenantDb db;
  private final DSLContext system;
  private final DatasetStore datasets;
  private final CountStore counts;
  private final Assessments assessments;
  private final Semaphore bell = new Semaphore(0);
  private volatile @Nullable Thread thread;
  private boolean failing;

  /**
   * @param db allows statements that take minutes
   * @param system the database as the system role sees it
   */
  DatasetWorker(
      TenantDb db,
      DSLContext system,
      DatasetStore datasets,
      CountStore counts,
      Assessments assessments) {
    this.db = db;
    this.system = system;
    this.datasets = datasets;
    this.counts = counts;
    this.assessments = assessments;
  }

  void start(ChangeLog changes) {
    thread = Thread.ofVirtual().name("dataset-worker").start(() -> workOn(changes));
  }

  @Override
  public void committed(UUID tenant) {
    if (bell.availablePermits() == 0) {
      bell.release();
    }
  }

  @Override
  public void close() {
    Thread running = thread;
    if (running != null) {
      running.interrupt();
    }
  }

  private void workOn(ChangeLog changes) {
    try {
      while (true) {
        boolean done = work(changes);
        TimeUnit.MILLISECONDS.sleep((done ? PAUSE : PERIOD).toMillis());
        bell.tryAcquire(PERIOD.toMillis(), TimeUnit.MILLISECONDS);
        bell.drainPermits();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean work(ChangeLog changes) {
    try {
      boolean done = true;
      for (UUID tenant : counts.tenantsWithWork(system)) {
        List<UUID> toCount = db.read(tenant, dsl -> counts.toCount(dsl, tenant));
        for (UUID dataset : toCount) {
          done &= tried(tenant, dataset, () -> count(tenant, dataset, changes));
        }
        List<UUID> toAssess = db.read(tenant, dsl -> counts.toAssess(dsl, tenant));
        for (UUID dataset : toAssess) {
          done &= tried(tenant, dataset, () -> assess(tenant, dataset, changes));
        }
      }
      failing = failing && !done;
      return done;
    } catch (RuntimeException e) {
      warn("can't look for datasets that are to be assessed", e);
      return false;
    }
  }

  private boolean tried(UUID tenant, UUID dataset, Runnable work) {
    try {
      work.run();
      return true;
    } catch (RuntimeException e) {
      warn("dataset " + dataset + " of tenant " + tenant + " can't be counted or assessed yet", e);
      return false;
    }
  }

  private void warn(String what, RuntimeException e) {
    if (!failing) {
      log.warn("{}; tried every {} s until it succeeds", what, PERIOD.toSeconds(), e);
    }
    failing = true;
  }

  private void count(UUID tenant, UUID dataset, ChangeLog changes) {
    write(
        tenant,
        changes,
        tx -> {
          if (!counts.claim(tx, tenant, dataset)) {
            return List.of();
          }
          Optional<CountStore.Basis> basis = counts.recountBasis(tx, tenant, dataset);
          CountStore.Counted counted = counts.count(tx, tenant, dataset);
          datasets.shareTurn(tx, tenant);
          datasets.lockHead(tx, tenant);
          if (basis.isEmpty() || !counts.recountBasis(tx, tenant, dataset).equals(basis)) {
            return List.of(); // somebody else has counted, or by now it is another count
          }
          counts.set(tx, tenant, dataset, counted);
          counts.checkThreshold(tx, tenant, dataset);
          long revision = datasets.require(tx, tenant, dataset).revision();
          return List.of(new Change(DatasetStore.KIND, Op.UPDATED, dataset, null, revision));
        });
  }

  /** Does work that tells what it has changed; if nothing, somebody else does what is left. */
  private void write(UUID tenant, ChangeLog changes, Function<DSLContext, List<Change>> work) {
    boolean changed =
        db.write(
            tenant,
            tx -> {
              List<Change> made = work.apply(tx);
              changes.append(tx, tenant, made);
              return !made.isEmpty();
            });
    if (changed) {
      changes.committed(tenant);
    }
  }

  private void assess(UUID tenant, UUID dataset, ChangeLog changes) {
    write(
        tenant,
        changes,
        tx -> {
          if (!counts.claim(tx, tenant, dataset) || !counts.isDue(tx, tenant, dataset)) {
            return List.of();
          }
          Dataset assessed = datasets.require(tx, tenant, dataset);
          List<Change> changed = new ArrayList<>();
          long sample = assessed.proto().getSampleSize();
          assessments.keep(
              tx, tenant, assessments.look(tx, tenant, assessed, sample), changed::add);
          return changed;
        });
  }
}
