package io.rapport.search.query;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Maximal marginal relevance (Carbonell and Goldstein, 1998). */
final class Diversity {
  private final double lambda;
  private final Map<Kind, VectorStore.Direction> directions;

  /**
   * @param directions by which model each kind was searched: vectors of two can't be compared
   */
  Diversity(double lambda, Map<Kind, VectorStore.Direction> directions) {
    this.lambda = lambda;
    this.directions = directions;
  }

  /** Chooses hits one after another, each relevant and unlike those before. */
  List<Ranked> choose(List<Ranked> ranked, Lookup.@Nullable Grouping grouping, int count) {
    List<Ranked> left = new ArrayList<>(ranked);
    List<Ranked> chosen = new ArrayList<>();
    double[] nearest = new double[ranked.size()];
    Arrays.fill(nearest, Double.NEGATIVE_INFINITY);
    List<Integer> index = new ArrayList<>();
    for (int i = 0; i < ranked.size(); i++) {
      index.add(i);
    }
    Groups groups = new Groups(grouping);
    while (chosen.size() < count && !left.isEmpty()) {
      int best = best(left, index, nearest, groups);
      if (best < 0) {
        break;
      }
      Ranked next = left.remove(best);
      index.subList(best, best + 1).clear();
      chosen.add(next);
      groups.take(next.candidate());
      for (int i = 0; i < left.size(); i++) {
        int at = index.get(i);
        nearest[at] = Math.max(nearest[at], similarity(left.get(i).candidate(), next.candidate()));
      }
    }
    return chosen;
  }

  private int best(List<Ranked> left, List<Integer> index, double[] nearest, Groups groups) {
    int best = -1;
    double most = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < left.size(); i++) {
      Ranked it = left.get(i);
      double similar = nearest[index.get(i)];
      double value =
          lambda * it.score() - (similar == Double.NEGATIVE_INFINITY ? 0 : (1 - lambda) * similar);
      if (value > most && groups.hasRoom(it.candidate())) {
        most = value;
        best = i;
      }
    }
    return best;
  }

  private double similarity(Candidate a, Candidate b) {
    Embedding one = a.embedding();
    Embedding other = b.embedding();
    return one == null || other == null || !model(a).equals(model(b)) ? 0 : one.cosine(other);
  }

  private String model(Candidate candidate) {
    VectorStore.Direction direction = directions.get(candidate.kind());
    return direction == null ? "" : direction.model();
  }
}
