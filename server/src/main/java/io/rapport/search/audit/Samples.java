package io.rapport.search.audit;

import io.rapport.search.IndexSearches;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/** Keeps one in so many searches until they are audited; what doesn't fit is let go. */
final class Samples implements IndexSearches {
  private static final int KEPT = 200;

  /** So that others' find room, however much one searches. */
  private static final int KEPT_OF_TENANT = 20;

  /** Nobody reads further, and an exact search of more would cost more than it tells. */
  private static final int MOST_NEIGHBOURS = 100;

  private final int oneIn;
  private final List<Sampled> kept = new ArrayList<>();
  private final Map<UUID, Integer> ofTenants = new HashMap<>();

  /**
   * @param oneIn how many searches one is taken of; 0: none is
   */
  Samples(int oneIn) {
    this.oneIn = oneIn;
  }

  @Override
  public void searched(UUID tenant, String kind, String model, float[] vector, int neighbours) {
    if (oneIn > 0 && ThreadLocalRandom.current().nextInt(oneIn) == 0) {
      keep(tenant, kind, model, vector, Math.min(neighbours, MOST_NEIGHBOURS));
    }
  }

  private synchronized void keep(
      UUID tenant, String kind, String model, float[] vector, int neighbours) {
    int ofTenant = ofTenants.getOrDefault(tenant, 0);
    if (kept.size() < KEPT && ofTenant < KEPT_OF_TENANT) {
      ofTenants.put(tenant, ofTenant + 1);
      kept.add(new Sampled(new Subject(tenant, kind, model), Arrays.toString(vector), neighbours));
    }
  }

  /** Those that were kept, which aren't any more. */
  synchronized List<Sampled> take() {
    List<Sampled> taken = List.copyOf(kept);
    kept.clear();
    ofTenants.clear();
    return taken;
  }
}
