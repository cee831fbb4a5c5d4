package io.rapport.demo;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/** What people did in which week, and what can be said of them after a week. */
final class Histories {
  /** What is known of a person after a week, in this order. */
  static final List<String> FEATURES =
      List.of(
          "commits_this_week",
          "commits_of_4_weeks",
          "commits_of_12_weeks",
          "weeks_active_of_12",
          "weeks_since_the_last",
          "lines_of_4_weeks",
          "weeks_since_the_first");

  /** Who did nothing for so long is not asked about. */
  private static final int SPAN = 12;

  private static final int MONTH = 4;

  private final Map<String, NavigableMap<Long, Week>> people = new HashMap<>();

  private record Week(int commits, double lines) {
    private Week plus(Commit commit) {
      return new Week(commits + 1, lines + commit.lines());
    }
  }

  /**
   * A person after a week.
   *
   * @param features in the order of {@link #FEATURES}
   * @param active whether the person commits in the week that follows
   */
  record Case(String user, long week, List<Double> features, boolean active) {}

  Histories(Collection<Commit> commits) {
    commits.forEach(this::add);
  }

  void add(Commit commit) {
    people
        .computeIfAbsent(commit.user(), user -> new TreeMap<>())
        .merge(commit.week(), new Week(1, commit.lines()), (known, one) -> known.plus(commit));
  }

  long lastWeek() {
    return people.values().stream().mapToLong(NavigableMap::lastKey).max().orElseThrow();
  }

  long firstWeek() {
    return people.values().stream().mapToLong(NavigableMap::firstKey).min().orElseThrow();
  }

  /** Those who were active lately, after each of the weeks; the last is not among them. */
  List<Case> cases(long from, long to) {
    List<Case> cases = new ArrayList<>();
    for (long week = from; week < to; week++) {
      for (Map.Entry<String, NavigableMap<Long, Week>> person : people.entrySet()) {
        NavigableMap<Long, Week> weeks = person.getValue();
        Long last = weeks.floorKey(week);
        if (last != null && week - last < SPAN) {
          cases.add(
              new Case(
                  person.getKey(), week, features(weeks, week, last), weeks.containsKey(week + 1)));
        }
      }
    }
    return cases;
  }

  private static List<Double> features(NavigableMap<Long, Week> weeks, long week, long last) {
    NavigableMap<Long, Week> month = weeks.subMap(week - MONTH, false, week, true);
    NavigableMap<Long, Week> span = weeks.subMap(week - SPAN, false, week, true);
    return List.of(
        Math.log1p(commits(weeks.subMap(week, true, week, true))),
        Math.log1p(commits(month)),
        Math.log1p(commits(span)),
        span.size() / (double) SPAN,
        (week - last) / (double) SPAN,
        Math.log1p(month.values().stream().mapToDouble(Week::lines).sum()) / SPAN,
        Math.log1p((double) (week - weeks.firstKey())) / SPAN);
  }

  private static int commits(NavigableMap<Long, Week> weeks) {
    return weeks.values().stream().mapToInt(Week::commits).sum();
  }
}
