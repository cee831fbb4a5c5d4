package io.rapport.tracking.event;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** How many events of each user and type there are, and when the last of them happened. */
final class EventTotals {
  private record Group(UUID user, String type) {}

  private static final class Total {
    private int count;
    private long lastMicros = Long.MIN_VALUE;
  }

  private final Map<Group, Total> totals;

  private EventTotals(Map<Group, Total> totals) {
    this.totals = totals;
  }

  /**
   * @param recordedMicros when an event happened that doesn't say when
   */
  static EventTotals of(List<EventBatch.Entry> entries, long recordedMicros) {
    Map<Group, Total> totals = new LinkedHashMap<>();
    for (EventBatch.Entry entry : entries) {
      Group group = new Group(entry.user(), entry.event().type());
      Total total = totals.computeIfAbsent(group, it -> new Total());
      Long micros = entry.event().occurredMicros();
      total.count++;
      total.lastMicros = Math.max(total.lastMicros, micros == null ? recordedMicros : micros);
    }
    return new EventTotals(totals);
  }

  UUID[] users() {
    return totals.keySet().stream().map(Group::user).toArray(UUID[]::new);
  }

  String[] types() {
    return totals.keySet().stream().map(Group::type).toArray(String[]::new);
  }

  Integer[] counts() {
    return totals.values().stream().map(it -> it.count).toArray(Integer[]::new);
  }

  Long[] lastMicros() {
    return totals.values().stream().map(it -> it.lastMicros).toArray(Long[]::new);
  }
}
