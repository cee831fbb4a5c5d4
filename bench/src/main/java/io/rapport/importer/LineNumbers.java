package io.rapport.importer;

import java.util.TreeMap;

/** Finds the line of an event; small as long as few lines are broken. */
final class LineNumbers {
  private final TreeMap<Long, Long> ahead = new TreeMap<>();
  private long last = Long.MIN_VALUE;

  /** The event written at this position stood in this line. */
  synchronized void note(long position, long line) {
    if (line - position != last) {
      last = line - position;
      ahead.put(position, last);
    }
  }

  synchronized long line(long position) {
    var entry = ahead.floorEntry(position);
    return position + (entry == null ? 1 : entry.getValue());
  }
}
