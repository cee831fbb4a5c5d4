package io.rapport.tracking.event;

import java.util.Comparator;
import java.util.UUID;

/**
 * What tells an event from all others: ids are a tenant's own. They are ordered as PostgreSQL
 * orders them, by their bytes, which is not how Java does it.
 */
record EventKey(UUID tenant, UUID event) implements Comparable<EventKey> {
  private static final Comparator<UUID> BYTES =
      (a, b) -> {
        int high = Long.compareUnsigned(a.getMostSignificantBits(), b.getMostSignificantBits());
        return high != 0
            ? high
            : Long.compareUnsigned(a.getLeastSignificantBits(), b.getLeastSignificantBits());
      };
  private static final Comparator<EventKey> ORDER =
      Comparator.comparing(EventKey::tenant, BYTES).thenComparing(EventKey::event, BYTES);

  @Override
  public int compareTo(EventKey other) {
    return ORDER.compare(this, other);
  }
}
