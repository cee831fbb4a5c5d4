package io.rapport.search.query;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What quotas of kinds and sizes of groups leave room for. */
final class Room {
  private final Map<Kind, Integer> left = new HashMap<>();
  private final Groups groups;

  /**
   * @param grouping null: there are no groups
   */
  Room(List<Source> sources, Lookup.@Nullable Grouping grouping) {
    for (Source source : sources) {
      left.put(source.kind(), source.quota() == 0 ? Integer.MAX_VALUE : source.quota());
    }
    this.groups = new Groups(grouping);
  }

  boolean isFor(Candidate candidate) {
    return left.getOrDefault(candidate.kind(), 0) > 0 && groups.hasRoom(candidate);
  }

  void take(Candidate candidate) {
    left.merge(candidate.kind(), -1, Integer::sum);
    groups.take(candidate);
  }

  /** Those that there is room for, the first first. */
  List<Ranked> fill(List<Ranked> ranked) {
    List<Ranked> taken = new ArrayList<>();
    for (Ranked it : ranked) {
      if (isFor(it.candidate())) {
        take(it.candidate());
        taken.add(it);
      }
    }
    return taken;
  }
}
