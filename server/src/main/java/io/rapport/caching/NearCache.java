package io.rapport.caching;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Entries that this server has read, for reads that may miss what was committed very lately.
 *
 * <p>{@link NearFeed} tells, of each tenant in use, what has changed up to which commit, and when
 * that was so. An entry is given only while that was a short time ago. One that was read before
 * something that is told of already isn't taken in, for it may lack that.
 */
final class NearCache {
  /** What a read may miss at most. */
  static final long BOUND_NANOS = 100_000_000;

  private final Cache<Place, Near> entries;
  private final Cache<Place, Mark> marks = Caffeine.newBuilder().weakValues().build();
  private final ConcurrentMap<UUID, Tenant> tenants = new ConcurrentHashMap<>();
  private final LongSupplier nanos;

  private record Place(UUID tenant, UUID id) {}

  /** Something that entries depend on, and the commit that last changed it. */
  private static final class Mark {
    private volatile long position;
  }

  private record Near(Entry entry, List<Mark> marks) {
    boolean isMarked() {
      for (Mark mark : marks) {
        if (mark.position > entry.readPosition()) {
          return true;
        }
      }
      return false;
    }
  }

  /** How much is known of a tenant. */
  static final class Tenant {
    private long position;
    private long knownNanos;
    private volatile long usedNanos;

    private Tenant(long position, long nanos) {
      this.position = position;
      this.knownNanos = nanos;
      this.usedNanos = nanos;
    }

    synchronized long position() {
      return position;
    }

    private synchronized boolean isKnown(long atLeast, long nowNanos) {
      return position >= atLeast && nowNanos - knownNanos <= BOUND_NANOS;
    }
  }

  /**
   * @param maxBytes roughly what it may take in memory
   * @param nanos a clock such as {@link System#nanoTime}
   */
  NearCache(long maxBytes, LongSupplier nanos) {
    this.nanos = nanos;
    this.entries =
        Caffeine.newBuilder()
            .maximumWeight(maxBytes)
            .weigher((Place place, Near near) -> near.entry().weight())
            .executor(Runnable::run)
            .build();
  }

  /**
   * The entry, if it is known to be as it was a short time ago.
   *
   * @param atLeast the commit that must be seen
   */
  @Nullable Entry get(UUID tenant, EntryKey key, long atLeast) {
    Tenant known = tenants.get(tenant);
    long now = nanos.getAsLong();
    if (known == null || !known.isKnown(atLeast, now)) {
      return null;
    }
    known.usedNanos = now;
    Near near = entries.getIfPresent(new Place(tenant, key.id()));
    return near == null || near.isMarked() || !near.entry().key().digest().equals(key.digest())
        ? null
        : near.entry();
  }

  /**
   * Takes in what was read.
   *
   * @param head the last commit that the read saw
   * @param startNanos when it began
   */
  void put(UUID tenant, long head, long startNanos, Iterable<Entry> read) {
    Tenant known = tenants.computeIfAbsent(tenant, id -> new Tenant(head, startNanos));
    synchronized (known) {
      if (known.position > head || tenants.get(tenant) != known) {
        return;
      }
      for (Entry entry : read) {
        if (entry.invalid() == null) {
          entries.put(new Place(tenant, entry.key().id()), near(tenant, entry));
        }
      }
    }
  }

  private Near near(UUID tenant, Entry entry) {
    List<Mark> own =
        entry.marks().stream()
            .map(id -> marks.get(new Place(tenant, id), place -> new Mark()))
            .toList();
    return new Near(entry, own);
  }

  /** The tenants that are in use, and up to which commit they are known. */
  Map<UUID, Tenant> tenants() {
    return tenants;
  }

  /** Says that nothing has changed up to a time. */
  void known(UUID tenant, long position, long startNanos) {
    Tenant known = tenants.get(tenant);
    if (known != null) {
      synchronized (known) {
        if (known.position == position) {
          known.knownNanos = startNanos;
        }
      }
    }
  }

  /** Says what has changed up to a commit. */
  void changed(UUID tenant, long position, long startNanos, NearStore.Changes changes) {
    Tenant known = tenants.get(tenant);
    if (known == null) {
      return;
    }
    synchronized (known) {
      changes.marks().forEach((id, number) -> mark(new Place(tenant, id), number));
      changes.entries().forEach(id -> entries.invalidate(new Place(tenant, id)));
      known.position = Math.max(known.position, position);
      known.knownNanos = startNanos;
    }
  }

  private void mark(Place place, long number) {
    Mark mark = marks.getIfPresent(place);
    if (mark != null) {
      mark.position = Math.max(mark.position, number);
    }
  }

  /** Forgets a tenant. */
  void forget(UUID tenant) {
    Tenant known = tenants.get(tenant);
    if (known != null) {
      synchronized (known) {
        tenants.remove(tenant);
        entries.asMap().keySet().removeIf(place -> place.tenant().equals(tenant));
      }
    }
  }

  /** Whether nobody has asked for a tenant for so long. */
  boolean isIdle(Tenant tenant, long idleNanos) {
    return nanos.getAsLong() - tenant.usedNanos > idleNanos;
  }
}
