package io.rapport.client;

import io.rapport.tracking.v1.Event;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The events of one writer between {@code write} and the service's answer. An event stays here
 * until it is decided, so that it can be sent again, and that is what bounds the writer's memory.
 * For one thread at a time.
 *
 * <p>Three places, in the order of writing: <i>in flight</i> (sent, not answered), <i>ready</i>
 * (full, or to be sent again), and <i>filling</i>. A message that is not full goes out when nothing
 * is in flight, so an idle stream has no delay and a busy one full messages, without a timer.
 */
final class IngestBacklog {
  private final IngestOptions options;
  private final Deque<Message> inFlight = new ArrayDeque<>();
  private final Deque<Message> ready = new ArrayDeque<>();
  private Message filling = new Message(0);

  private long written;
  private long decided;
  private long undecidedBytes;
  private long flushTo;
  private long sequence;
  private long alonePosition;
  private long resent;
  private Tally tally = Tally.NONE;

  IngestBacklog(IngestOptions options) {
    this.options = options;
  }

  /** How many events were put in. */
  long written() {
    return written;
  }

  /** How many of them are decided. */
  long decided() {
    return decided;
  }

  /** Whether an event of this size must wait. */
  boolean full(int size) {
    long undecided = written - decided;
    return undecided >= options.bufferEvents()
        || (undecided > 0 && undecidedBytes + size > options.bufferBytes());
  }

  /**
   * Puts an event in.
   *
   * @return whether there may be a message to send that there wasn't before
   */
  boolean add(Event event, int size) {
    boolean sealed = filling.size() > 0 && filling.bytes() + size > options.messageBytes();
    if (sealed) {
      seal();
    }
    filling.add(event, size);
    undecidedBytes += size;
    written++;
    if (filling.size() == options.messageEvents()) {
      seal();
      return true;
    }
    return sealed || (filling.size() == 1 && inFlight.isEmpty());
  }

  /** What is in may go out in a message that is not full. */
  void flush() {
    flushTo = written;
  }

  /** Whether there is a message to send now. */
  boolean sendable() {
    if (inFlight.size() >= (alone() ? 1 : options.inFlight())) {
      return false;
    }
    return !ready.isEmpty() || (filling.size() > 0 && partialDue());
  }

  private boolean partialDue() {
    return inFlight.isEmpty() || flushTo > filling.first();
  }

  private boolean alone() {
    return decided < alonePosition;
  }

  Message take() {
    if (ready.isEmpty()) {
      seal();
    }
    Message message = ready.removeFirst();
    if (message.depart(++sequence)) {
      resent += message.size();
    }
    inFlight.addLast(message);
    return message;
  }

  private void seal() {
    ready.addLast(filling);
    filling = new Message(written);
  }

  boolean requeue() {
    boolean any = !inFlight.isEmpty();
    while (!inFlight.isEmpty()) {
      ready.addFirst(inFlight.removeLast());
    }
    return any;
  }

  boolean sendAlone() {
    boolean already = alone() || ready.size() <= 1;
    alonePosition = Math.max(alonePosition, ready.isEmpty() ? 0 : ready.getLast().end());
    return already;
  }

  @Nullable Message splitFirst() {
    Message head = ready.removeFirst();
    if (head.size() == 1) {
      inFlight.addFirst(head);
      return head;
    }
    List<Message> halves = head.halves();
    ready.addFirst(halves.get(1));
    ready.addFirst(halves.get(0));
    return null;
  }

  Message answered(long number) {
    Message head = inFlight.peekFirst();
    if (head == null || head.sequence() != number) {
      throw Tally.broken("message " + number + " is answered out of order");
    }
    return head;
  }

  void settle(Tally outcome) {
    Message head = inFlight.removeFirst();
    decided = head.end();
    undecidedBytes -= head.bytes() - Message.HEAD_BYTES;
    tally = tally.plus(outcome);
  }

  IngestSummary summary() {
    return new IngestSummary(
        written,
        tally.recorded(),
        tally.duplicate(),
        tally.conflict(),
        tally.refused(),
        tally.quarantined(),
        resent);
  }

  /** The ids of the events that are not decided, in the order of writing. */
  List<String> undecided() {
    List<String> ids = new ArrayList<>();
    inFlight.forEach(m -> m.events().forEach(e -> ids.add(e.getId())));
    ready.forEach(m -> m.events().forEach(e -> ids.add(e.getId())));
    filling.events().forEach(e -> ids.add(e.getId()));
    return ids;
  }
}
