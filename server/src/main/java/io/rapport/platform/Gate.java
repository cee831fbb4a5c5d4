package io.rapport.platform;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.rapport.platform.v1.ErrorReason;
import java.time.Duration;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Lets so many calls of a lane in at a time, of all tenants and of each. */
final class Gate {
  private static final Duration SOON = Duration.ofMillis(250);

  private final Shares places;
  private final Counter admitted;
  private final Counter refusedByLimit;
  private final Counter refusedByShare;

  Gate(String lane, int limit, MeterRegistry metrics) {
    this.places = new Shares(limit);
    this.admitted =
        Counter.builder("rapport.admission.admitted")
            .description("Calls that were let in")
            .tag("lane", lane)
            .register(metrics);
    this.refusedByLimit = refused("limit", lane, metrics);
    this.refusedByShare = refused("share", lane, metrics);
    Gauge.builder("rapport.admission.in.flight", this, Gate::inFlight)
        .description("Calls under way")
        .tag("lane", lane)
        .register(metrics);
    Gauge.builder("rapport.admission.limit", () -> limit)
        .description("Calls that may be under way")
        .tag("lane", lane)
        .register(metrics);
  }

  private static Counter refused(String reason, String lane, MeterRegistry metrics) {
    return Counter.builder("rapport.admission.refused")
        .description("Calls beyond the limit of all, or the share of their tenant")
        .tag("lane", lane)
        .tag("reason", reason)
        .register(metrics);
  }

  /** Lets a call in, for which {@link #leave} must follow, or says why not. */
  @Nullable ServiceException enter(UUID tenant) {
    boolean full;
    synchronized (places) {
      if (places.mayTake(tenant)) {
        places.take(tenant);
        admitted.increment();
        return null;
      }
      full = places.isFull();
    }
    (full ? refusedByLimit : refusedByShare).increment();
    return full
        ? overloaded("the service has as many calls under way as it takes", "limit")
        : overloaded("the tenant has as many calls under way as its share allows", "share");
  }

  private static ServiceException overloaded(String message, String bound) {
    return ServiceException.unavailable(
            ErrorReason.OVERLOADED, message + "; nothing was done", SOON)
        .with("bound", bound);
  }

  void leave(UUID tenant) {
    synchronized (places) {
      places.giveBack(tenant);
    }
  }

  private int inFlight() {
    synchronized (places) {
      return places.total();
    }
  }
}
