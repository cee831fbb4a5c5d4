package io.rapport.search.query;

import io.rapport.platform.Uuids;
import java.util.Comparator;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An entity that may become a hit.
 *
 * @param distance what it is ranked by, the smallest first: 1 - cosine, or - rank of words
 * @param stale whether its vector is of another text
 * @param group its value of the field that groups
 * @param text what it is found by, where it is asked for
 */
record Candidate(
    Kind kind,
    UUID id,
    double distance,
    boolean stale,
    long revision,
    @Nullable String group,
    @Nullable String text) {
  /** The best first. */
  static final Comparator<Candidate> ORDER =
      Comparator.comparingDouble(Candidate::distance)
          .thenComparing(Candidate::kind)
          .thenComparing(Candidate::id, Uuids.ORDER);

  /** What it is. */
  record Key(Kind kind, UUID id) {}

  Key key() {
    return new Key(kind, id);
  }
}
