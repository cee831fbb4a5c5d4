package io.rapport.caching;

import com.google.protobuf.Duration;
import io.rapport.platform.TenantDb;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts how entries are used, and writes it now and then: a read must not write. What wasn't
 * written when a server ends by force is not counted.
 */
final class Usage implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Usage.class);
  private static final long PERIOD_MILLIS = 1_000;

  /** Entries that are counted at a time; uses of others are left out. */
  private static final int MOST = 100_000;

  private final TenantDb db;
  private final UsageStore store = new UsageStore();
  private final Clock clock;
  private final Thread thread;
  private volatile ConcurrentMap<Place, Count> counts = new ConcurrentHashMap<>();

  private record Place(UUID tenant, UUID entry) {}

  /** How an entry was used since it was last written. */
  static final class Count {
    private long hits;
    private long accesses;
    private double savedMillis;
    private Instant last = Instant.EPOCH;

    private synchronized void add(boolean hit, double millis, Instant now) {
      accesses++;
      last = now;
      if (hit) {
        hits++;
        savedMillis += millis;
      }
    }

    synchronized UsageStore.Used of(UUID entry) {
      return new UsageStore.Used(entry, hits, accesses, savedMillis, last);
    }
  }

  Usage(TenantDb db, Clock clock) {
    this.db = db;
    this.clock = clock;
    this.thread = Thread.ofPlatform().name("cache-usage").daemon().unstarted(this::writeOn);
  }

  void start() {
    thread.start();
  }

  /** Counts a read, if there was an entry. Never blocks. */
  void count(UUID tenant, Reading reading) {
    Entry entry = reading.entry();
    ConcurrentMap<Place, Count> now = counts;
    if (entry != null && now.size() < MOST) {
      now.computeIfAbsent(new Place(tenant, entry.key().id()), place -> new Count())
          .add(reading.hit(), millis(entry.info().getGenerationTime()), clock.instant());
    }
  }

  private static double millis(Duration time) {
    return time.getSeconds() * 1e3 + time.getNanos() / 1e6;
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private void writeOn() {
    try {
      while (true) {
        Thread.sleep(PERIOD_MILLIS);
        write();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void write() {
    ConcurrentMap<Place, Count> taken = counts;
    if (taken.isEmpty()) {
      return;
    }
    counts = new ConcurrentHashMap<>();
    Map<UUID, List<UsageStore.Used>> byTenant = new HashMap<>();
    taken.forEach((place, count) ->
        byTenant
            .computeIfAbsent(place.tenant(), id -> new ArrayList<>())
            .add(count.of(place.entry())));
    byTenant.forEach(this::write);
  }

  private void write(UUID tenant, List<UsageStore.Used> used) {
    try {
      db.read(tenant, dsl -> store.add(dsl, tenant, used));
    } catch (RuntimeException e) {
      log.warn("how {} entries were used can't be written: {}", used.size(), e.toString());
    }
  }
}
