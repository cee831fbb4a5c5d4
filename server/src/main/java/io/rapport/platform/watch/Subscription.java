package io.rapport.platform.watch;

import java.util.UUID;

/** A watch as the feed knows it. What changes is guarded by the lock of its tenant's feed. */
final class Subscription {
  final UUID tenant;
  final Runnable wake;
  Selection selection;
  Place place;

  Subscription(UUID tenant, Selection selection, Place place, Runnable wake) {
    this.tenant = tenant;
    this.selection = selection;
    this.place = place;
    this.wake = wake;
  }
}
