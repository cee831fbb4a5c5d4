package io.rapport.client;

import com.google.protobuf.MessageLite;
import java.util.ArrayList;
import java.util.List;

/** Items that go to the service together, in the order in which they were written. */
final class Message<E extends MessageLite> {
  /** Room for the sequence and its tag. */
  static final int HEAD_BYTES = 16;

  private final long first;
  private final List<E> items = new ArrayList<>();
  private int bytes = HEAD_BYTES;
  private long sequence;
  private boolean sent;

  Message(long first) {
    this.first = first;
  }

  void add(E item, int size) {
    items.add(item);
    bytes += size;
  }

  /** The position of its first item. */
  long first() {
    return first;
  }

  /** The position after its last item. */
  long end() {
    return first + items.size();
  }

  int size() {
    return items.size();
  }

  int bytes() {
    return bytes;
  }

  List<E> items() {
    return items;
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

  /** Its two halves, to find out which item the service doesn't take; only of two items or more. */
  List<Message<E>> halves() {
    int middle = items.size() / 2;
    return List.of(part(0, middle), part(middle, items.size()));
  }

  private Message<E> part(int from, int to) {
    Message<E> part = new Message<>(first + from);
    for (E item : items.subList(from, to)) {
      part.add(item, Parts.size(item));
    }
    part.sent = sent;
    return part;
  }
}
