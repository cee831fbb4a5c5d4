package io.rapport.tracking.event;

import io.rapport.platform.Uuids;
import java.util.Comparator;
import java.util.UUID;

/** What tells an event from all others: ids are a tenant's own. In PostgreSQL's order. */
record EventKey(UUID tenant, UUID event) implements Comparable<EventKey> {
  private static final Comparator<EventKey> ORDER =
      Comparator.comparing(EventKey::tenant, Uuids.ORDER)
          .thenComparing(EventKey::event, Uuids.ORDER);

  @Override
  public int compareTo(EventKey other) {
    return ORDER.compare(this, other);
  }
}
