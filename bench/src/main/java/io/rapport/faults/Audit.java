package io.rapport.faults;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Compares what clients were told with what is there. What was done must be there once, what was
 * refused must not; of the rest, either is right, but not twice.
 *
 * @param lost done, and not there
 * @param refusedButPresent refused, and there
 * @param duplicated there more than once
 * @param strange there, and nobody wrote it
 * @param unknown that a client couldn't tell
 * @param unknownPresent that are there nevertheless
 */
record Audit(
    List<String> lost,
    List<String> refusedButPresent,
    List<String> duplicated,
    List<String> strange,
    int unknown,
    int unknownPresent) {

  /**
   * @param effects how often each key is there
   */
  static Audit of(History history, Map<String, Integer> effects) {
    Map<String, Outcome> told = told(history);
    List<String> lost = new ArrayList<>();
    List<String> refusedButPresent = new ArrayList<>();
    int unknown = 0;
    int unknownPresent = 0;
    for (Map.Entry<String, Outcome> each : told.entrySet()) {
      boolean present = effects.getOrDefault(each.getKey(), 0) > 0;
      switch (each.getValue()) {
        case OK -> addIf(!present, lost, each.getKey());
        case REFUSED -> addIf(present, refusedButPresent, each.getKey());
        case UNKNOWN -> {
          unknown++;
          unknownPresent += present ? 1 : 0;
        }
      }
    }
    List<String> duplicated =
        effects.entrySet().stream().filter(it -> it.getValue() > 1).map(Map.Entry::getKey).toList();
    Set<String> strange = new HashSet<>(effects.keySet());
    strange.removeAll(told.keySet());
    return new Audit(
        lost, refusedButPresent, duplicated, List.copyOf(strange), unknown, unknownPresent);
  }

  /** What is known in the end of a key that was written by several calls. */
  private static Map<String, Outcome> told(History history) {
    Map<String, Outcome> told = new HashMap<>();
    history.operations().forEach(it -> told.merge(it.key(), it.outcome(), Audit::stronger));
    return told;
  }

  private static Outcome stronger(Outcome a, Outcome b) {
    if (a == Outcome.OK || b == Outcome.OK) {
      return Outcome.OK;
    }
    return a == Outcome.UNKNOWN || b == Outcome.UNKNOWN ? Outcome.UNKNOWN : Outcome.REFUSED;
  }

  private static void addIf(boolean holds, List<String> keys, String key) {
    if (holds) {
      keys.add(key);
    }
  }

  /** How often what a client was told is not so. */
  int misclassified() {
    return lost.size() + refusedButPresent.size();
  }

  boolean clean() {
    return misclassified() == 0 && duplicated.isEmpty() && strange.isEmpty();
  }
}
