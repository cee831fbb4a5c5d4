package io.rapport.search.query;

import java.util.List;
import java.util.UUID;

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

  /** The ids of those of a kind. */
  static List<UUID> ids(List<Ranked> ranked, Kind kind) {
    return candidates(ranked).stream()
        .filter(it -> it.kind().equals(kind))
        .map(Candidate::id)
        .toList();
  }

  static List<Candidate> candidates(List<Ranked> ranked) {
    return ranked.stream().map(Ranked::candidate).toList();
  }
}
