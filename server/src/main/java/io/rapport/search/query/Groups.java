package io.rapport.search.query;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Lets no value of the field that groups have too many candidates. */
final class Groups {
  private final int size;
  private final Map<@Nullable String, Integer> taken = new HashMap<>();

  /**
   * @param grouping null: everything is let through
   */
  Groups(Lookup.@Nullable Grouping grouping) {
    this.size = grouping == null ? Integer.MAX_VALUE : grouping.size();
  }

  boolean hasRoom(Candidate candidate) {
    return size == Integer.MAX_VALUE || taken.getOrDefault(candidate.group(), 0) < size;
  }

  void take(Candidate candidate) {
    taken.merge(candidate.group(), 1, Integer::sum);
  }

  /** The first ones that are let through. */
  static List<Candidate> limit(
      List<Candidate> candidates, Lookup.@Nullable Grouping grouping, int count) {
    Groups groups = new Groups(grouping);
    List<Candidate> kept = new ArrayList<>();
    for (Candidate candidate : candidates) {
      if (kept.size() < count && groups.hasRoom(candidate)) {
        groups.take(candidate);
        kept.add(candidate);
      }
    }
    return kept;
  }
}
