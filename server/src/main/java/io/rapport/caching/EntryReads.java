package io.rapport.caching;

import io.rapport.caching.v1.ReadOptions;
import io.rapport.platform.Caller;
import io.rapport.platform.MappedReply;
import io.rapport.platform.Positions;
import io.rapport.platform.Reply;
import io.rapport.platform.Times;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Reads entries: from this server's memory if that is fresh enough, else from the database. */
final class EntryReads {
  private final NearCache near;
  private final EntryReader reader;
  private final Usage usage;
  private final Clock clock;

  EntryReads(NearCache near, EntryReader reader, Usage usage, Clock clock) {
    this.near = near;
    this.reader = reader;
    this.usage = usage;
    this.clock = clock;
  }

  /** The entry out of this server's memory; null if that doesn't have it or isn't fresh enough. */
  @Nullable Reading near(Caller.Tenant tenant, EntryKey key, ReadOptions options) {
    Reading reading = peek(tenant, key, options);
    return reading == null ? null : counted(tenant, key, reading);
  }

  /** The same without being counted. */
  @Nullable Reading peek(Caller.Tenant tenant, EntryKey key, ReadOptions options) {
    if (options.getConsistency() == ReadOptions.Consistency.STRONG) {
      return null;
    }
    Entry entry = near.get(tenant.id(), key, Positions.atLeast());
    return entry == null ? null : Reading.of(entry, nowMicros(), options);
  }

  /** One reading for each key, in their order. Never blocks. */
  void read(
      Caller.Tenant tenant, List<EntryKey> keys, ReadOptions options, Reply<List<Reading>> reply) {
    Map<UUID, Reading> known = new HashMap<>();
    Set<UUID> unknown = new HashSet<>();
    for (EntryKey key : keys) {
      Reading reading = near(tenant, key, options);
      if (reading == null) {
        unknown.add(key.id());
      } else {
        known.put(key.id(), reading);
      }
    }
    if (unknown.isEmpty()) {
      reply.send(keys.stream().map(key -> known.get(key.id())).toList());
      return;
    }
    reader.read(
        tenant.id(),
        unknown,
        new MappedReply<>(reply, found -> all(tenant, keys, options, known, found.entries())));
  }

  private List<Reading> all(
      Caller.Tenant tenant,
      List<EntryKey> keys,
      ReadOptions options,
      Map<UUID, Reading> known,
      Map<UUID, Entry> entries) {
    List<Reading> readings = new ArrayList<>(keys.size());
    for (EntryKey key : keys) {
      Reading before = known.get(key.id());
      readings.add(
          before == null
              ? counted(tenant, key, Reading.of(matching(entries, key), nowMicros(), options))
              : before);
    }
    return readings;
  }

  /** What the database says of a key now. May block. */
  Reading strong(Caller.Tenant tenant, EntryKey key, ReadOptions options) {
    Entry entry = matching(read(tenant, Set.of(key.id())).entries(), key);
    return Reading.of(entry, nowMicros(), options);
  }

  /** The same of an entry whose key isn't known. */
  Reading strong(Caller.Tenant tenant, UUID id, ReadOptions options) {
    Entry entry = read(tenant, Set.of(id)).entries().get(id);
    Reading reading = Reading.of(entry, nowMicros(), options);
    return reading.entry() == null ? reading : counted(tenant, reading.entry().key(), reading);
  }

  /** The number of the tenant's last commit. May block. */
  long head(Caller.Tenant tenant) {
    return read(tenant, Set.of()).head();
  }

  private EntryStore.Found read(Caller.Tenant tenant, Set<UUID> ids) {
    Pending<EntryStore.Found> found = new Pending<>();
    reader.read(tenant.id(), ids, found);
    return found.await();
  }

  private static @Nullable Entry matching(Map<UUID, Entry> entries, EntryKey key) {
    Entry entry = entries.get(key.id());
    return entry != null && entry.key().digest().equals(key.digest()) ? entry : null;
  }

  Reading counted(Caller.Tenant tenant, EntryKey key, Reading reading) {
    usage.read(tenant.id(), key, reading);
    return reading;
  }

  long nowMicros() {
    return Times.micros(clock.instant());
  }
}
