package io.rapport.server;

import io.grpc.BindableService;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jooq.DSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says whether the service can do its work: whether the database answers. */
final class Health implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Health.class);
  private static final Duration PERIOD = Duration.ofSeconds(1);

  private final HealthStatusManager statuses = new HealthStatusManager();
  private final List<String> services;
  private final DSLContext database;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(Thread.ofVirtual().name("health").factory());
  private ServingStatus last = ServingStatus.UNKNOWN;

  /**
   * @param services what to speak for, beside the server as a whole
   * @param database on connections that no call can use up
   */
  Health(List<String> services, DSLContext database) {
    this.services = services;
    this.database = database;
  }

  BindableService service() {
    return statuses.getHealthService();
  }

  void start() {
    probe();
    ScheduledFuture<?> _ =
        timer.scheduleWithFixedDelay(
            this::probe, PERIOD.toMillis(), PERIOD.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void probe() {
    ServingStatus now = answers() ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
    if (now != last) {
      log.info("health: {}", now);
      last = now;
      statuses.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, now);
      services.forEach(service -> statuses.setStatus(service, now));
    }
  }

  private boolean answers() {
    try {
      database.selectOne().fetch();
      return true;
    } catch (RuntimeException e) {
      return false;
    }
  }

  /** From now on, and whatever the database does: not serving. */
  @Override
  public void close() {
    timer.shutdownNow();
    statuses.enterTerminalState();
  }
}
