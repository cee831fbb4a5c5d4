package io.rapport.search.audit;

import io.rapport.search.IndexSearches;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;

/** Keeps one in so many searches until they are audited; what doesn't fit is let go. */
final class Samples implements IndexSearches {
  private static final int KEPT = 200;

  /** Nobody reads further, and an exact search of more would cost more than it tells. */
  private static final int MOST_NEIGHBOURS = 100;

  private final int oneIn;
  private final Queue<Sampled> kept = new ArrayBlockingQueue<>(KEPT);

  /**
   * @param oneIn how many searches one is taken of; 0: none is
   */
  Samples(int oneIn) {
    this.oneIn = oneIn;
  }

  @Override
  public void searched(UUID tenant, String kind, String model, float[] vector, int neighbours) {
    if (oneIn > 0 && ThreadLocalRandom.current().nextInt(oneIn) == 0) {
      int most = Math.min(neighbours, MOST_NEIGHBOURS);
      boolean _ =
          kept.offer(new Sampled(new Subject(tenant, kind, model), Arrays.toString(vector), most));
    }
  }

  /** Those that were kept, which aren't any more. */
  List<Sampled> take() {
    List<Sampled> taken = new ArrayList<>();
    for (Sampled next = kept.poll(); next != null; next = kept.poll()) {
      taken.add(next);
    }
    return taken;
  }
}
