package io.rapport.search.query;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.rapport.search.Effort;
import io.rapport.search.IndexSearches;
import io.rapport.search.v1.KindReport.Mode;
import io.rapport.search.v1.Shortfall;
import io.rapport.search.v1.Shortfall.Cause;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * Finds the entities of one kind whose vectors point into a direction. Few candidates are compared
 * one by one; among many the graph is asked, and if it gives too few, all are compared after all,
 * as for the pages after the first.
 */
final class MeaningSearch {
  /** Up to how many candidates are compared one by one, however few there are (docs/adr/0016). */
  static final int FEW = 5_000;

  /** And up to how many, if they are so small a share of the graph. */
  private static final int STILL_FEW = 20_000;

  private static final double SMALL_SHARE = 0.02;

  /** How many more the graph is asked for where some will be passed over. */
  private static final int GROUP_FACTOR = 5;

  private final NearestStore store = new NearestStore();
  private final KindSizeStore sizes = new KindSizeStore();

  /** Who has many vectors: those aren't counted each time. It only decides how to search. */
  private final Cache<Many, Boolean> many =
      Caffeine.newBuilder().maximumSize(10_000).expireAfterWrite(Duration.ofMinutes(1)).build();

  private final IndexSearches graphSearches;

  /**
   * @param graphSearches is told of searches by the graph
   */
  MeaningSearch(IndexSearches graphSearches) {
    this.graphSearches = graphSearches;
  }

  private record Many(UUID tenant, Kind kind, String model) {}

  /** How a caller wants it done. */
  record Manner(boolean exact, int effort) {
    /** The effort for so many candidates. */
    int effortFor(int count) {
      return effort > 0 ? effort : Effort.of(count);
    }
  }

  Leg find(
      Connection db, Lookup lookup, NearestStore.Direction direction, Manner manner, Steps steps)
      throws SQLException {
    String kind = lookup.kind().name();
    if (manner.exact()) {
      return exact(db, lookup, direction, steps, Mode.EXACT, "asked for");
    }
    if (lookup.after() != null) { // what the graph missed would be lost for good
      return exact(db, lookup, direction, steps, Mode.EXACT, "a later page");
    }
    Many key = new Many(lookup.source().tenant(), lookup.kind(), direction.model());
    boolean filtered = lookup.source().isFiltered();
    if (filtered || many.getIfPresent(key) == null) {
      int few = few(db, lookup.kind());
      Found narrow =
          steps.timed(
              kind,
              "narrow",
              filtered ? "few may pass" : "there may be few",
              () -> store.narrow(db, lookup, direction, few));
      if (narrow.counted() <= few) {
        return leg(db, Mode.EXACT, lookup, direction, Near.of(narrow, lookup), steps);
      }
      if (!filtered) {
        many.put(key, true);
      }
    }
    return byGraph(db, lookup, direction, manner, steps);
  }

  private int few(Connection db, Kind kind) throws SQLException {
    return (int) Math.clamp(SMALL_SHARE * sizes.vectors(db, kind), FEW, STILL_FEW);
  }

  private Leg byGraph(
      Connection db, Lookup lookup, NearestStore.Direction direction, Manner manner, Steps steps)
      throws SQLException {
    int wanted =
        lookup.grouping() == null
            ? lookup.count()
            : Math.min(Effort.MOST, GROUP_FACTOR * lookup.count());
    String kind = lookup.kind().name();
    int effort = manner.effortFor(wanted);
    Near near = graph(db, lookup, direction, new Reach(wanted, effort), steps);
    graphSearches.searched(
        lookup.source().tenant(), kind, direction.model(), direction.vector().values(), wanted);
    if (near.isCut() && effort < Effort.MOST) {
      near = graph(db, lookup, direction, new Reach(wanted, Effort.MOST), steps);
    }
    int kept = near.kept().size();
    if (kept >= lookup.count() || near.isCut()) {
      return leg(db, Mode.HNSW, lookup, direction, near, steps);
    }
    String reason = "the graph gave %d of %d".formatted(kept, lookup.count());
    return exact(db, lookup, direction, steps, Mode.HNSW_THEN_EXACT, reason);
  }

  /** How far to go along the graph: for so many, with so many kept at a time. */
  private record Reach(int wanted, int effort) {}

  private Near graph(
      Connection db, Lookup lookup, NearestStore.Direction direction, Reach reach, Steps steps)
      throws SQLException {
    steps.effort(reach.effort());
    Found found =
        steps.timed(
            lookup.kind().name(),
            "graph",
            "many candidates, of which it keeps " + reach.effort(),
            () -> store.graph(db, lookup.wanting(reach.wanted()), direction, reach.effort()));
    return Near.of(found, lookup);
  }

  private Leg exact(
      Connection db,
      Lookup lookup,
      NearestStore.Direction direction,
      Steps steps,
      Mode mode,
      String reason)
      throws SQLException {
    Found all =
        steps.timed(
            lookup.kind().name(), "exact", reason, () -> store.exact(db, lookup, direction));
    return leg(db, mode, lookup, direction, Near.of(all, lookup), steps);
  }

  /**
   * What is near enough.
   *
   * @param kept those that groups have room for, as many as are looked for
   * @param isCut whether these are too few, though farther ones were found
   */
  private record Near(List<Candidate> kept, boolean isCut, long matching) {
    private static Near of(Found found, Lookup lookup) {
      List<Candidate> near =
          found.candidates().stream().filter(it -> it.distance() <= lookup.maxDistance()).toList();
      List<Candidate> kept = Groups.limit(near, lookup.grouping(), lookup.count());
      boolean cut = kept.size() < lookup.count() && near.size() < found.candidates().size();
      return new Near(kept, cut, found.matching());
    }
  }

  private Leg leg(
      Connection db,
      Mode mode,
      Lookup lookup,
      NearestStore.Direction direction,
      Near near,
      Steps steps)
      throws SQLException {
    boolean first = lookup.after() == null; // later pages don't look at what was before
    long matching = first ? near.matching() : -1;
    List<Shortfall> shortfalls = new ArrayList<>();
    int missing = lookup.wanted() - near.kept().size();
    if (missing > 0 && first) {
      shortfalls.add(shortfall(cause(near, lookup), missing));
      if (mode != Mode.HNSW) {
        countUnembedded(db, lookup.source(), direction.model(), shortfalls, steps);
      }
    }
    return new Leg(
        lookup.kind(), mode, direction.model(), matching, matching, near.kept(), shortfalls);
  }

  private static Cause cause(Near near, Lookup lookup) {
    if (near.isCut()) {
      return Cause.BELOW_MIN_SCORE;
    }
    return lookup.grouping() != null && near.matching() > near.kept().size()
        ? Cause.GROUPED
        : Cause.FEWER_MATCH;
  }

  private void countUnembedded(
      Connection db, Source source, String model, List<Shortfall> shortfalls, Steps steps)
      throws SQLException {
    long without =
        steps.timed(
            source.kind().name(),
            "count",
            "of those without a vector",
            () -> store.withoutVector(db, source, model));
    if (without > 0) {
      shortfalls.add(shortfall(Cause.NOT_EMBEDDED, without));
    }
  }

  static Shortfall shortfall(Cause cause, long count) {
    return Shortfall.newBuilder().setCause(cause).setCount(count).build();
  }
}
