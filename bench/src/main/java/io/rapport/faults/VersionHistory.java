package io.rapport.faults;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/** When changes of a source were acknowledged, and which of its versions reads then gave. */
final class VersionHistory {
  private final Queue<Change> changes = new ConcurrentLinkedQueue<>();
  private final Queue<Hit> hits = new ConcurrentLinkedQueue<>();

  private record Change(long version, long acknowledged) {}

  private record Hit(long version, long begun, boolean strong) {}

  void changed(long version, long acknowledged) {
    changes.add(new Change(version, acknowledged));
  }

  /** A read gave a version. */
  void hit(long version, long begun, boolean strong) {
    hits.add(new Hit(version, begun, strong));
  }

  /**
   * For each hit by reads of a sort, for how many nanoseconds a newer version had been acknowledged
   * when the read began; 0: there was none.
   */
  List<Long> lags(boolean strong) {
    NavigableMap<Long, Long> newer = firstAcknowledged(changes);
    return hits.stream()
        .filter(hit -> hit.strong() == strong)
        .map(hit -> lag(hit, newer.higherEntry(hit.version())))
        .toList();
  }

  /** For each version, when it or a later one was first acknowledged. */
  private static NavigableMap<Long, Long> firstAcknowledged(Collection<Change> changes) {
    NavigableMap<Long, Long> first = new TreeMap<>();
    changes.forEach(it -> first.merge(it.version(), it.acknowledged(), Math::min));
    long earliest = Long.MAX_VALUE;
    for (Map.Entry<Long, Long> version : first.descendingMap().entrySet()) {
      earliest = Math.min(earliest, version.getValue());
      version.setValue(earliest);
    }
    return first;
  }

  private static long lag(Hit hit, Map.Entry<Long, Long> newer) {
    return newer == null ? 0 : Math.max(0, hit.begun() - newer.getValue());
  }
}
