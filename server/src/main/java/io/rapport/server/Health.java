package io.rapport.server;

import io.grpc.BindableService;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says whether the service can do its work: whether the database answers. */
final class Health implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Health.class);

  private final HealthStatusManager statuses = new HealthStatusManager();
  private final List<String> services;
  private final Pulse pulse;

  /**
   * @param services what to speak for, beside the server as a whole
   */
  Health(List<String> services, Pulse pulse) {
    this.services = services;
    this.pulse = pulse;
  }

  BindableService service() {
    return statuses.getHealthService();
  }

  void start() {
    pulse.add(answers -> tell());
    tell();
  }

  private synchronized void tell() {
    ServingStatus now = pulse.answers() ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
    log.info("health: {}", now);
    statuses.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, now);
    services.forEach(service -> statuses.setStatus(service, now));
  }

  /** From now on, and whatever the database does: not serving. */
  @Override
  public void close() {
    statuses.enterTerminalState();
  }
}
