package io.rapport.client;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.MessageLite;
import io.rapport.tracking.v1.Event;
import java.util.ArrayList;
import java.util.List;

/** Cuts a list into parts that the service takes in one message. */
final class Parts {
  static final int MAX_EVENTS = 10_000;
  static final int MAX_BYTES = 3_670_016;

  private Parts() {}

  static List<List<Event>> of(List<Event> events) {
    return of(events, MAX_EVENTS);
  }

  static <T extends MessageLite> List<List<T>> of(List<T> items, int most) {
    List<List<T>> parts = new ArrayList<>();
    int start = 0;
    long bytes = 0;
    for (int i = 0; i < items.size(); i++) {
      int size = size(items.get(i));
      if (i > start && (i - start == most || bytes + size > MAX_BYTES)) {
        parts.add(items.subList(start, i));
        start = i;
        bytes = 0;
      }
      bytes += size;
    }
    if (start < items.size()) {
      parts.add(items.subList(start, items.size()));
    }
    return parts;
  }

  /** Bytes that the item takes up in a message. */
  static int size(MessageLite item) {
    int bytes = item.getSerializedSize();
    return 1 + CodedOutputStream.computeUInt32SizeNoTag(bytes) + bytes;
  }
}
