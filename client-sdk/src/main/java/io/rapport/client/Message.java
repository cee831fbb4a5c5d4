package io.rapport.client;

import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.IngestEventsRequest;
import java.util.ArrayList;
import java.util.List;

/** Events that go to the service together, in the order in which they were written. */
final class Message {
  /** Room for the sequence and its tag. */
  static final int HEAD_BYTES = 16;

  private final long first;
  private final List<Event> events = new ArrayList<>();
  private int bytes = HEAD_BYTES;
  private long sequence;
  private boolean sent;

  Message(long first) {
    this.first = first;
  }

  void add(Event event, int size) {
    events.add(event);
    bytes += size;
  }

  /** The position of its first event. */
  long first() {
    return first;
  }

  /** The position after its last event. */
  long end() {
    return first + events.size();
  }

  int size() {
    return events.size();
  }

  int bytes() {
    return bytes;
  }

  List<Event> events() {
    return events;
  }

  long sequence() {
    return sequence;
  }

  /** Marks it as sent under this number; tells whether it was sent before. */
  boolean depart(long number) {
    boolean again = sent;
    sequence = number;
    sent = true;
    return again;
  }

  IngestEventsRequest request() {
    return IngestEventsRequest.newBuilder().setSequence(sequence).addAllEvents(events).build();
  }

  /**
   * Its two halves, to find out which event the service doesn't take; only of two events or more.
   */
  List<Message> halves() {
    int middle = events.size() / 2;
    return List.of(part(0, middle), part(middle, events.size()));
  }

  private Message part(int from, int to) {
    Message part = new Message(first + from);
    for (Event event : events.subList(from, to)) {
      part.add(event, Parts.size(event));
    }
    part.sent = sent;
    return part;
  }
}
