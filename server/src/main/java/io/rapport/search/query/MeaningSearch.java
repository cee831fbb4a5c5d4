package io.rapport.search.query;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
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

  private static final int MAX_EFFORT = 1000;
  private static final int MIN_EFFORT = 100;

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
      return effort > 0 ? effort : Math.clamp(2L * count, MIN_EFFORT, MAX_EFFORT);
    }
  }

  Leg find(
      Connection db, Lookup lookup, NearestStore.Direction direction, Manner manner, Steps steps)
      throws SQLException {
    String kind = lookup.kind().name();
    if (manner.exact() || lookup.after() != null) { // what the graph missed would be lost for good
      Found all =
          steps.timed(
              kind,
              "exact",
              "asked for, or a later page",
              () -> store.exact(db, lookup, direction));
      return leg(db, Mode.EXACT, lookup, direction, all, all.matching());
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
        return leg(db, Mode.EXACT, lookup, direction, narrow, narrow.matching());
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
            : Math.min(MAX_EFFORT, GROUP_FACTOR * lookup.count());
    String kind = lookup.kind().name();
    int effort = manner.effortFor(wanted);
    Found graph = graph(db, lookup.wanting(wanted), direction, effort, steps);
    graphSearches.searched(
        lookup.source().tenant(), kind, direction.model(), direction.vector().values(), wanted);
    if (isCut(graph, lookup) && effort < MAX_EFFORT) {
      graph = graph(db, lookup.wanting(wanted), direction, MAX_EFFORT, steps);
    }
    List<Candidate> kept = kept(graph, lookup);
    if (kept.size() >= lookup.count() || isCut(graph, lookup)) {
      return leg(db, Mode.HNSW, lookup, direction, new Found(-1, -1, graph.candidates()), -1);
    }
    Found all =
        steps.timed(
            kind,
            "exact",
            "the graph gave %d of %d".formatted(kept.size(), lookup.count()),
            () -> store.exact(db, lookup, direction));
    return leg(db, Mode.HNSW_THEN_EXACT, lookup, direction, all, all.matching());
  }

  private Found graph(
      Connection db, Lookup lookup, NearestStore.Direction direction, int effort, Steps steps)
      throws SQLException {
    steps.effort(effort);
    return steps.timed(
        lookup.kind().name(),
        "graph",
        "many candidates, of which it keeps " + effort,
        () -> store.graph(db, lookup, direction, effort));
  }

  /** Whether it has too few that are near enough, though it went on beyond them. */
  private static boolean isCut(Found found, Lookup lookup) {
    return kept(found, lookup).size() < lookup.count()
        && near(found.candidates(), lookup.maxDistance()).size() < found.candidates().size();
  }

  private static List<Candidate> kept(Found found, Lookup lookup) {
    return Groups.limit(
        near(found.candidates(), lookup.maxDistance()), lookup.grouping(), lookup.count());
  }

  private static List<Candidate> near(List<Candidate> candidates, double maxDistance) {
    return candidates.stream().filter(it -> it.distance() <= maxDistance).toList();
  }

  private Leg leg(
      Connection db,
      Mode mode,
      Lookup lookup,
      NearestStore.Direction direction,
      Found found,
      long compared)
      throws SQLException {
    List<Candidate> near = near(found.candidates(), lookup.maxDistance());
    List<Candidate> kept = kept(found, lookup);
    List<Shortfall> shortfalls = new ArrayList<>();
    int missing = lookup.wanted() - kept.size();
    if (missing > 0 && lookup.after() == null) {
      if (near.size() < found.candidates().size()) {
        shortfalls.add(shortfall(Cause.BELOW_MIN_SCORE, missing));
      } else if (lookup.grouping() != null && found.matching() > kept.size()) {
        shortfalls.add(shortfall(Cause.GROUPED, missing));
      } else {
        shortfalls.add(shortfall(Cause.FEWER_MATCH, missing));
      }
      long without =
          mode == Mode.HNSW ? 0 : store.withoutVector(db, lookup.source(), direction.model());
      if (without > 0) {
        shortfalls.add(shortfall(Cause.NOT_EMBEDDED, without));
      }
    }
    boolean first = lookup.after() == null; // later pages don't look at what was before
    return new Leg(
        lookup.kind(),
        mode,
        direction.model(),
        first ? compared : -1,
        first ? found.matching() : -1,
        kept,
        shortfalls);
  }

  static Shortfall shortfall(Cause cause, long count) {
    return Shortfall.newBuilder().setCause(cause).setCount(count).build();
  }
}
