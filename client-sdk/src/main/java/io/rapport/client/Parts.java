package io.rapport.client;

import com.google.protobuf.CodedOutputStream;
import io.rapport.tracking.v1.Event;
import java.util.ArrayList;
import java.util.List;

/** Cuts a list of events into parts that the service takes in one message. */
final class Parts {
  static final int MAX_EVENTS = 10_000;
  static final int MAX_BYTES = 3_670_016;

  private Parts() {}

  static List<List<Event>> of(List<Event> events) {
    List<List<Event>> parts = new ArrayList<>();
    int start = 0;
    long bytes = 0;
    for (int i = 0; i < events.size(); i++) {
      int size = size(events.get(i));
      if (i > start && (i - start == MAX_EVENTS || bytes + size > MAX_BYTES)) {
        parts.add(events.subList(start, i));
        start = i;
        bytes = 0;
      }
      bytes += size;
    }
    if (start < events.size()) {
      parts.add(events.subList(start, events.size()));
    }
    return parts;
  }

  /** Bytes that the event takes up in a message. */
  static int size(Event event) {
    int bytes = event.getSerializedSize();
    return 1 + CodedOutputStream.computeUInt32SizeNoTag(bytes) + bytes;
  }
}
