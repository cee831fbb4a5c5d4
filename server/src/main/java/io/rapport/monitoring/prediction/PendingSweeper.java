package io.rapport.monitoring.prediction;

import io.rapport.platform.TenantDb;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Lets outcomes go whose predictions haven't come for long, a few at a time. */
final class PendingSweeper implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PendingSweeper.class);
  private static final Duration PERIOD = Duration.ofMinutes(10);
  private static final Duration PAUSE = Duration.ofMillis(20);

  private final SweptOutcomesStore store;
  private final Thread thread;

  /**
   * @param system the database as the system role sees it
   */
  PendingSweeper(TenantDb system) {
    this.store = new SweptOutcomesStore(system);
    this.thread = Thread.ofVirtual().name("pending-outcome-sweeper").unstarted(this::sweepOn);
  }

  void start() {
    thread.start();
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private void sweepOn() {
    try {
      while (true) {
        sweep();
        TimeUnit.MILLISECONDS.sleep(PERIOD.toMillis());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void sweep() throws InterruptedException {
    try {
      while (store.remove()) {
        TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
      }
    } catch (RuntimeException e) {
      log.warn("old outcomes can't be removed; tried again in {} s", PERIOD.toSeconds(), e);
    }
  }
}
