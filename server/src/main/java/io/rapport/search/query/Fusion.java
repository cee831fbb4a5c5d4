package io.rapport.search.query;

import io.rapport.platform.Uuids;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reciprocal rank fusion of two legs (Cormack, Clarke and Büttcher, 2009). */
final class Fusion {
  private static final double K = 60;
  private static final Comparator<Ranked> ORDER =
      Comparator.comparingDouble(Ranked::score)
          .reversed()
          .thenComparing(it -> it.candidate().kind())
          .thenComparing(it -> it.candidate().id(), Uuids.ORDER);

  private final double meaningWeight;
  private final double wordsWeight;

  Fusion(double meaningWeight, double wordsWeight) {
    this.meaningWeight = meaningWeight;
    this.wordsWeight = wordsWeight;
  }

  /** Both, each the best first; what only counts nothing is left out. */
  List<Ranked> fuse(List<Candidate> meaning, List<Candidate> words) {
    Map<Candidate.Key, Ranked> fused = new LinkedHashMap<>();
    for (int i = 0; i < meaning.size(); i++) {
      fused.put(
          meaning.get(i).key(), new Ranked(meaning.get(i), meaningWeight / (K + i + 1), i + 1, 0));
    }
    for (int i = 0; i < words.size(); i++) {
      int rank = i + 1;
      double score = wordsWeight / (K + rank);
      Candidate found = words.get(i);
      fused.merge(
          found.key(),
          new Ranked(found, score, 0, rank),
          (first, second) ->
              new Ranked(first.candidate(), first.score() + score, first.meaningRank(), rank));
    }
    List<Ranked> ranked = new ArrayList<>(fused.values());
    ranked.removeIf(it -> it.score() == 0);
    ranked.sort(ORDER);
    return ranked;
  }
}
