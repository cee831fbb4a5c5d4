package io.rapport.search.query;

import java.util.List;

/**
 * A candidate and how good it is.
 *
 * @param meaningRank its rank by meaning where there are both legs; 0 if that didn't find it
 * @param wordsRank the same by words
 */
record Ranked(Candidate candidate, double score, int meaningRank, int wordsRank) {
  /** By its cosine. */
  static Ranked byMeaning(Candidate candidate) {
    return new Ranked(candidate, 1 - candidate.distance(), 0, 0);
  }

  static Ranked byWords(Candidate candidate) {
    return new Ranked(candidate, -candidate.distance(), 0, 0);
  }

  static List<Candidate> candidates(List<Ranked> ranked) {
    return ranked.stream().map(Ranked::candidate).toList();
  }
}
