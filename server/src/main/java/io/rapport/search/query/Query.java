package io.rapport.search.query;

import io.rapport.search.v1.Shortfall.Cause;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a caller wants to find.
 *
 * @param words what texts must have; null if it isn't about words
 * @param meaning whether it is about meaning
 * @param meaningWeight what the hits by meaning count, where there are both
 */
record Query(
    @Nullable String words,
    boolean meaning,
    double meaningWeight,
    double wordsWeight,
    Map<Kind, NearestStore.Direction> directions,
    Map<Kind, Cause> leftOut,
    Map<Kind, Set<UUID>> excluded) {

  static Query ofWords(String words) {
    return new Query(words, false, 0, 1, Map.of(), Map.of(), Map.of());
  }

  /** By meaning alone, with directions still to be found. */
  static Query ofMeaning() {
    return new Query(null, true, 1, 0, new HashMap<>(), new HashMap<>(), new HashMap<>());
  }

  Query joined(String with, double meaningCounts, double wordsCount) {
    return new Query(with, true, meaningCounts, wordsCount, directions, leftOut, excluded);
  }

  /** What tells its vectors and their models from those of other queries. */
  String mark() {
    int hash = 0;
    for (var each : new TreeMap<>(directions).entrySet()) {
      NearestStore.Direction direction = each.getValue();
      hash =
          31 * hash + Objects.hash(direction.model(), Arrays.hashCode(direction.vector().values()));
    }
    return Integer.toHexString(hash);
  }

  boolean isHybrid() {
    return meaning && words != null;
  }

  void exclude(Kind kind, UUID id) {
    excluded.computeIfAbsent(kind, it -> new HashSet<>()).add(id);
  }

  /** Has kinds searched by the one vector of a model, if that is theirs. */
  void direct(List<Source> sources, Map<String, String> active, String model, Embedding vector) {
    for (Source source : sources) {
      String own = active.get(source.kind().name());
      if (own == null) {
        leftOut.put(source.kind(), Cause.NO_MODEL);
      } else if (!own.equals(model)) {
        leftOut.put(source.kind(), Cause.OTHER_MODEL);
      } else {
        directions.put(source.kind(), new NearestStore.Direction(model, vector));
      }
    }
  }
}
