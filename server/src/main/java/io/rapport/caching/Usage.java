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
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.BiConsumer;
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
  private final ConcurrentMap<Place, Used> entries = new ConcurrentHashMap<>();
  private final ConcurrentMap<Type, Total> types = new ConcurrentHashMap<>();

  private record Place(UUID tenant, UUID entry) {}

  private record Type(UUID tenant, String cache, String type) {}

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
    if (entry != null && entries.size() < MOST) {
      Instant time = clock.instant();
      entries.compute(
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
    types.compute(
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
    Map<UUID, List<Used>> used = new HashMap<>();
    drain(entries, (place, count) -> of(used, place.tenant()).add(count));
    Map<UUID, List<Total>> totals = new HashMap<>();
    drain(types, (type, count) -> of(totals, type.tenant()).add(count));
    Set<UUID> tenants = new HashSet<>(used.keySet());
    tenants.addAll(totals.keySet());
    for (UUID tenant : tenants) {
      write(tenant, of(used, tenant), of(totals, tenant));
    }
  }

  /** Takes each count out as it is at that moment: none is lost, and none is taken twice. */
  private static <K, V> void drain(ConcurrentMap<K, V> counts, BiConsumer<K, V> taker) {
    for (K key : counts.keySet()) {
      V count = counts.remove(key);
      if (count != null) {
        taker.accept(key, count);
      }
    }
  }

  private static <V> List<V> of(Map<UUID, List<V>> byTenant, UUID tenant) {
    return byTenant.computeIfAbsent(tenant, id -> new ArrayList<>());
  }

  private void write(UUID tenant, List<Used> used, List<Total> totals) {
    try {
      db.write(
          tenant,
          tx -> {
            store.addUsed(tx, tenant, used);
            return store.addTotals(tx, tenant, totals);
          });
    } catch (RuntimeException | Error e) {
      log.warn("how {} entries were used can't be written: {}", used.size(), e.toString());
    }
  }
}
