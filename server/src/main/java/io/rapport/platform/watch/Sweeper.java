package io.rapport.platform.watch;

import io.rapport.platform.TenantDb;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Forgets what is too old: the log's entries, and the answers to requests. */
public final class Sweeper implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Sweeper.class);
  private static final Duration PERIOD = Duration.ofMinutes(10);
  private static final Duration PAUSE = Duration.ofMillis(10);

  /** What the contract promises for a `request_id`. */
  private static final Duration REQUESTS = Duration.ofDays(7);

  private static final int CHUNK = 1000;

  private final SweepStore store;
  private final Duration retention;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(Thread.ofVirtual().name("sweeper").factory());

  /**
   * @param system the database as the system role sees it
   * @param retention how long changes are kept
   */
  public Sweeper(TenantDb system, Duration retention) {
    this.store = new SweepStore(system);
    this.retention = retention;
  }

  /** Sweeps now, and from time to time. */
  public void start() {
    ScheduledFuture<?> _ =
        timer.scheduleWithFixedDelay(this::sweep, 0, PERIOD.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void sweep() {
    try {
      while (store.forgetRequests(REQUESTS, CHUNK)) {
        pause();
      }
      UUID last = null;
      for (List<UUID> tenants = store.tenants(null, retention);
          !tenants.isEmpty();
          tenants = store.tenants(last, retention)) {
        for (UUID tenant : tenants) {
          trim(tenant);
        }
        last = tenants.getLast();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      log.warn("what is too old can't be forgotten; tried again in {} min", PERIOD.toMinutes(), e);
    }
  }

  private void trim(UUID tenant) throws InterruptedException {
    while (store.trim(tenant, retention, CHUNK)) {
      pause();
    }
  }

  /** Leaves the disk to others. */
  private static void pause() throws InterruptedException {
    TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
