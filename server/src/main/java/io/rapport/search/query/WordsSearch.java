package io.rapport.search.query;

import io.rapport.search.v1.KindReport.Mode;
import io.rapport.search.v1.Shortfall;
import io.rapport.search.v1.Shortfall.Cause;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/**
 * Finds the entities of one kind whose texts have words. An index finds words that few texts have;
 * those of many are looked for in all texts, of which most must be ranked anyway.
 */
final class WordsSearch {
  private static final int FEW = 10_000;

  private final WordsStore store = new WordsStore();

  Leg find(Connection db, Lookup lookup, String words, Steps steps) throws SQLException {
    String kind = lookup.kind().name();
    if (!lookup.kind().shared()) {
      Found narrow =
          steps.timed(kind, "words", "by the index", () -> store.narrow(db, lookup, words, FEW));
      if (narrow.counted() <= FEW) {
        return leg(lookup, narrow);
      }
    }
    return leg(
        lookup, steps.timed(kind, "words", "text by text", () -> store.exact(db, lookup, words)));
  }

  private static Leg leg(Lookup lookup, Found found) {
    int missing = lookup.wanted() - found.candidates().size();
    boolean grouped = lookup.grouping() != null && found.matching() > found.candidates().size();
    List<Shortfall> shortfalls =
        missing > 0 && lookup.after() == null
            ? List.of(MeaningSearch.shortfall(grouped ? Cause.GROUPED : Cause.FEWER_MATCH, missing))
            : List.of();
    long matching = lookup.after() == null ? found.matching() : -1;
    return new Leg(
        lookup.kind(), Mode.WORDS, "", matching, matching, found.candidates(), shortfalls);
  }
}
