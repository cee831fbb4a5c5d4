package io.rapport.platform;

import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/**
 * A number of places that tenants share. A tenant may take a further one while it has fewer than
 * twice what is free. So alone it gets two thirds of them, whoever comes then finds some, and
 * nothing is set aside for tenants that don't call. Not thread-safe.
 */
final class Shares {
  private final int limit;
  private final Map<UUID, Integer> taken = new HashMap<>();
  private int total;

  Shares(int limit) {
    this.limit = limit;
  }

  boolean mayTake(UUID tenant) {
    return taken.getOrDefault(tenant, 0) < 2L * (limit - total);
  }

  /** Takes a place, also beyond the share. */
  void take(UUID tenant) {
    taken.merge(tenant, 1, Integer::sum);
    total++;
  }

  void giveBack(UUID tenant) {
    taken.compute(tenant, (id, count) -> count == null || count == 1 ? null : count - 1);
    total--;
  }

  int total() {
    return total;
  }

  boolean isFull() {
    return total >= limit;
  }
}
