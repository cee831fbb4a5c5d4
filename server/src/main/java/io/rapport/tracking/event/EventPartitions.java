package io.rapport.tracking.event;

import static io.rapport.db.generated.tracking.Routines.ensureEventPartitions;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jooq.DSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sees to it that there are partitions for the events of the months to come. */
public final class EventPartitions implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EventPartitions.class);
  private static final int MONTHS_AHEAD = 3;
  private static final Duration PERIOD = Duration.ofHours(6);

  private final DSLContext system;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofVirtual().name("event-partitions").factory());

  /**
   * @param system the database as the system role sees it
   */
  public EventPartitions(DSLContext system) {
    this.system = system;
  }

  /** Makes what is missing now, and from time to time. */
  public void start() {
    ensure();
    ScheduledFuture<?> _ =
        timer.scheduleWithFixedDelay(
            this::ensureAgain, PERIOD.toMillis(), PERIOD.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void ensure() {
    Integer made = ensureEventPartitions(system.configuration(), MONTHS_AHEAD);
    if (made != null && made > 0) {
      log.info(
          "made {} partitions, so that there are all for this month and the next {}",
          made,
          MONTHS_AHEAD);
    }
  }

  private void ensureAgain() {
    try {
      ensure();
    } catch (RuntimeException e) {
      log.error(
          "can't make sure that there are partitions for events of this month and the next {}. Those"
              + " made before are used on; when a month begins that has none, no event can be"
              + " recorded. The cause follows: remove it before the month ends, and don't restart"
              + " the server until then, because it would not start. Tried again in {} h",
          MONTHS_AHEAD,
          PERIOD.toHours(),
          e);
    }
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
