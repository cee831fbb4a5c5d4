package io.rapport.faults;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a watcher was told, compared with what is there, both in their order.
 *
 * @param missed there, and not told
 * @param repeated told more often than it is there
 * @param reordered told after something that it comes before
 */
record Telling(int missed, int repeated, int reordered) {
  static final Telling RIGHT = new Telling(0, 0, 0);

  static Telling of(List<String> there, List<String> told) {
    List<String> expected = numbered(there);
    Map<String, Integer> places = new HashMap<>();
    for (int i = 0; i < expected.size(); i++) {
      places.put(expected.get(i), i);
    }
    int repeated = 0;
    int reordered = 0;
    int furthest = -1;
    for (String each : numbered(told)) {
      Integer place = places.remove(each);
      if (place == null) {
        repeated++;
      } else {
        reordered += place < furthest ? 1 : 0;
        furthest = Math.max(furthest, place);
      }
    }
    return new Telling(places.size(), repeated, reordered);
  }

  /** The same without regard to the order. */
  static Telling ofSet(List<String> there, List<String> told) {
    Telling telling = of(there, told);
    return new Telling(telling.missed(), telling.repeated(), 0);
  }

  /** Tells what is the same apart by how often it came before. */
  private static List<String> numbered(List<String> items) {
    Map<String, Integer> times = new HashMap<>();
    List<String> numbered = new ArrayList<>(items.size());
    for (String item : items) {
      numbered.add(item + " " + times.merge(item, 1, Integer::sum));
    }
    return numbered;
  }

  Telling plus(Telling other) {
    return new Telling(
        missed + other.missed, repeated + other.repeated, reordered + other.reordered);
  }
}
