package io.rapport.tracking.event;

import io.rapport.platform.Times;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** How many events of each user and type there are, and when the last of them happened. */
record EventTotals(UUID[] users, String[] types, Integer[] counts, String[] lastTimes) {
  private record Group(UUID user, String type) {}

  private static final class Total {
    private int count;
    private long lastMicros = Long.MIN_VALUE;
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
    return new EventTotals(
        totals.keySet().stream().map(Group::user).toArray(UUID[]::new),
        totals.keySet().stream().map(Group::type).toArray(String[]::new),
        totals.values().stream().map(it -> it.count).toArray(Integer[]::new),
        totals.values().stream()
            .map(it -> Times.instant(it.lastMicros).toString())
            .toArray(String[]::new));
  }
}
