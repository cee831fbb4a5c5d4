package io.rapport.caching;

import com.google.protobuf.Duration;
import io.rapport.caching.UsageStore.Total;
import io.rapport.caching.UsageStore.Used;
import io.rapport.caching.v1.EntryInfo;
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
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts how entries are used, and writes it now and then: a read must not write. What wasn't
 * written when a server ends by force is not counted.
 */
final class Usage implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Usage.class);
  private static final long PERIOD_MILLIS = 1_000;

  /** Entries that are counted at a time; uses of others count for their type only. */
  private static final int MOST = 100_000;

  private final TenantDb db;
  private final UsageStore store = new UsageStore();
  private final Clock clock;
  private final Thread thread;
  private volatile Counts counts = new Counts();

  private record Place(UUID tenant, UUID entry) {}

  private record Type(UUID tenant, String cache, String type) {}

  /** What was counted since it was last written. */
  private static final class Counts {
    private final ConcurrentMap<Place, Used> entries = new ConcurrentHashMap<>();
    private final ConcurrentMap<Type, Total> types = new ConcurrentHashMap<>();
  }

  Usage(TenantDb db, Clock clock) {
    this.db = db;
    this.clock = clock;
    this.thread = Thread.ofPlatform().name("cache-usage").daemon().unstarted(this::writeOn);
  }

  void start() {
    thread.start();
  }

  /** Counts a read. Never blocks. */
  void read(UUID tenant, EntryKey key, Reading reading) {
    Entry entry = reading.entry();
    double saved = reading.hit() && entry != null ? generationMillis(entry.info()) : 0;
    boolean stale = reading.state() == EntryInfo.State.STALE;
    add(tenant, key, total -> total.read(reading.hit(), stale, saved));
    Counts now = counts;
    if (entry != null && now.entries.size() < MOST) {
      Instant time = clock.instant();
      now.entries.compute(
          new Place(tenant, key.id()),
          (place, used) ->
              (used == null ? Used.none(key.id()) : used).read(reading.hit(), saved, time));
    }
  }

  /** Counts a value that was put. */
  void put(UUID tenant, EntryKey key, EntryInfo info) {
    add(tenant, key, total -> total.put(generationMillis(info)));
  }

  void leaseTaken(UUID tenant, EntryKey key) {
    add(tenant, key, Total::leaseTaken);
  }

  void leaseLost(UUID tenant, EntryKey key) {
    add(tenant, key, Total::leaseLost);
  }

  private void add(UUID tenant, EntryKey key, UnaryOperator<Total> change) {
    counts.types.compute(
        new Type(tenant, key.cache(), key.type()),
        (type, total) ->
            change.apply(total == null ? Total.none(type.cache(), type.type()) : total));
  }

  private static double generationMillis(EntryInfo info) {
    Duration time = info.getGenerationTime();
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
    Counts taken = counts;
    if (taken.types.isEmpty()) {
      return;
    }
    counts = new Counts();
    Map<UUID, List<Used>> entries = new HashMap<>();
    taken.entries.forEach((place, used) ->
        entries.computeIfAbsent(place.tenant(), id -> new ArrayList<>()).add(used));
    Map<UUID, List<Total>> types = new HashMap<>();
    taken.types.forEach(
        (type, total) -> types.computeIfAbsent(type.tenant(), id -> new ArrayList<>()).add(total));
    types.forEach(
        (tenant, totals) -> write(tenant, entries.getOrDefault(tenant, List.of()), totals));
  }

  private void write(UUID tenant, List<Used> entries, List<Total> types) {
    try {
      db.write(
          tenant,
          tx -> {
            store.addUsed(tx, tenant, entries);
            return store.addTotals(tx, tenant, types);
          });
    } catch (RuntimeException e) {
      log.warn("how {} entries were used can't be written: {}", entries.size(), e.toString());
    }
  }
}
