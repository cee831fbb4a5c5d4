package io.rapport.search.query;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Maximal marginal relevance (Carbonell and Goldstein, 1998). */
final class Diversity {
  private final double lambda;
  private final Map<Kind, NearestStore.Direction> directions;
  private final Map<Candidate.Key, Embedding> vectors;

  /**
   * @param directions by which model each kind was searched: vectors of two can't be compared
   * @param vectors of the candidates
   */
  Diversity(
      double lambda,
      Map<Kind, NearestStore.Direction> directions,
      Map<Candidate.Key, Embedding> vectors) {
    this.lambda = lambda;
    this.directions = directions;
    this.vectors = vectors;
  }

  /** Chooses hits one after another, each relevant and unlike those before. */
  List<Ranked> choose(List<Ranked> ranked, Room room, int count) {
    boolean[] taken = new boolean[ranked.size()];
    double[] nearest = new double[ranked.size()];
    Arrays.fill(nearest, Double.NEGATIVE_INFINITY);
    List<Ranked> chosen = new ArrayList<>();
    for (int best = best(ranked, taken, nearest, room);
        best >= 0 && chosen.size() < count;
        best = best(ranked, taken, nearest, room)) {
      Ranked next = ranked.get(best);
      taken[best] = true;
      chosen.add(next);
      room.take(next.candidate());
      for (int i = 0; i < nearest.length; i++) {
        if (!taken[i]) {
          nearest[i] =
              Math.max(nearest[i], similarity(ranked.get(i).candidate(), next.candidate()));
        }
      }
    }
    return chosen;
  }

  private int best(List<Ranked> ranked, boolean[] taken, double[] nearest, Room room) {
    int best = -1;
    double most = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < taken.length; i++) {
      Ranked it = ranked.get(i);
      double similar = nearest[i] == Double.NEGATIVE_INFINITY ? 0 : nearest[i];
      double value = lambda * it.score() - (1 - lambda) * similar;
      if (!taken[i] && value > most && room.isFor(it.candidate())) {
        most = value;
        best = i;
      }
    }
    return best;
  }

  private double similarity(Candidate a, Candidate b) {
    Embedding one = vectors.get(a.key());
    Embedding other = vectors.get(b.key());
    return one == null || other == null || !model(a).equals(model(b)) ? 0 : one.cosine(other);
  }

  private String model(Candidate candidate) {
    NearestStore.Direction direction = directions.get(candidate.kind());
    return direction == null ? "" : direction.model();
  }
}
