package io.rapport.caching;

import io.rapport.platform.TenantDb;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Callers that wait until nobody computes an entry any more. One query at a time asks for all of a
 * tenant's, because leases end in other servers too, or by themselves.
 */
final class Waiting implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Waiting.class);
  private static final Duration PERIOD = Duration.ofMillis(20);

  private final TenantDb db;
  private final LeaseStore leases;
  private final ConcurrentMap<Place, Pending<UUID>> ends = new ConcurrentHashMap<>();
  private final Semaphore bell = new Semaphore(0);
  private final Thread thread;

  private record Place(UUID tenant, UUID entry) {}

  Waiting(TenantDb db, LeaseStore leases) {
    this.db = db;
    this.leases = leases;
    this.thread = Thread.ofPlatform().name("lease-waiting").daemon().unstarted(this::watch);
  }

  void start() {
    thread.start();
  }

  /** Waits until the entry's lease has ended, or may have; false if the time is over first. */
  boolean awaitEnd(UUID tenant, UUID entry, long nanos) {
    Pending<UUID> end = ends.computeIfAbsent(new Place(tenant, entry), place -> new Pending<>());
    bell.release();
    return end.isGivenWithin(nanos);
  }

  /** Says that a lease has ended. */
  void ended(UUID tenant, UUID entry) {
    Pending<UUID> end = ends.remove(new Place(tenant, entry));
    if (end != null) {
      end.send(entry);
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private void watch() {
    try {
      while (true) {
        bell.acquire();
        bell.drainPermits();
        while (!ends.isEmpty()) {
          Thread.sleep(PERIOD);
          lookSafely();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void lookSafely() {
    Map<UUID, Set<UUID>> entries = new HashMap<>();
    ends.keySet()
        .forEach(place ->
            entries.computeIfAbsent(place.tenant(), id -> new HashSet<>()).add(place.entry()));
    entries.forEach((tenant, ids) -> {
      try {
        Set<UUID> computed = db.read(tenant, dsl -> leases.computed(dsl, tenant, ids));
        ids.stream().filter(id -> !computed.contains(id)).forEach(id -> ended(tenant, id));
      } catch (RuntimeException | Error e) {
        log.debug("leases can't be looked at: {}", e.toString());
      }
    });
  }
}
