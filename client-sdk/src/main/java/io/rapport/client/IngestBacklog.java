package io.rapport.client;

import com.google.protobuf.MessageLite;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The items of one writer between {@code write} and the service's answer. An item stays here until
 * it is decided, so that it can be sent again, and that is what bounds the writer's memory. For one
 * thread at a time.
 *
 * <p>Three places, in the order of writing: <i>in flight</i> (sent, not answered), <i>ready</i>
 * (full, or to be sent again), and <i>filling</i>. A message that is not full goes out when nothing
 * is in flight, so an idle stream has no delay and a busy one full messages, without a timer.
 */
final class IngestBacklog<E extends MessageLite> {
  private final IngestOptions options;
  private final Function<E, String> ids;
  private final Deque<Message<E>> inFlight = new ArrayDeque<>();
  private final Deque<Message<E>> ready = new ArrayDeque<>();
  private Message<E> filling = new Message<>(0);

  private long written;
  private long decided;
  private long undecidedBytes;
  private long flushTo;
  private long sequence;
  private long alonePosition;
  private long resent;
  private Tally tally = Tally.NONE;

  /**
   * @param ids the id of an item
   */
  IngestBacklog(IngestOptions options, Function<E, String> ids) {
    this.options = options;
    this.ids = ids;
  }

  /** How many items were put in. */
  long written() {
    return written;
  }

  /** How many of them are decided. */
  long decided() {
    return decided;
  }

  /** Whether an item of this size must wait. */
  boolean full(int size) {
    long undecided = written - decided;
    return undecided >= options.bufferEvents()
        || (undecided > 0 && undecidedBytes + size > options.bufferBytes());
  }

  /**
   * Puts an item in.
   *
   * @return whether there may be a message to send that there wasn't before
   */
  boolean add(E item, int size) {
    boolean sealed = filling.size() > 0 && filling.bytes() + size > options.messageBytes();
    if (sealed) {
      seal();
    }
    filling.add(item, size);
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

  Message<E> take() {
    if (ready.isEmpty()) {
      seal();
    }
    Message<E> message = ready.removeFirst();
    if (message.depart(++sequence)) {
      resent += message.size();
    }
    inFlight.addLast(message);
    return message;
  }

  private void seal() {
    ready.addLast(filling);
    filling = new Message<>(written);
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

  @Nullable Message<E> splitFirst() {
    Message<E> head = ready.removeFirst();
    if (head.size() == 1) {
      inFlight.addFirst(head);
      return head;
    }
    List<Message<E>> halves = head.halves();
    ready.addFirst(halves.get(1));
    ready.addFirst(halves.get(0));
    return null;
  }

  Message<E> answered(long number) {
    Message<E> head = inFlight.peekFirst();
    if (head == null || head.sequence() != number) {
      throw Tally.broken("message " + number + " is answered out of order");
    }
    return head;
  }

  void settle(Tally outcome) {
    Message<E> head = inFlight.removeFirst();
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

  /** The ids of the items that are not decided, in the order of writing. */
  List<String> undecided() {
    List<String> undecided = new ArrayList<>();
    inFlight.forEach(m -> m.items().forEach(e -> undecided.add(ids.apply(e))));
    ready.forEach(m -> m.items().forEach(e -> undecided.add(ids.apply(e))));
    filling.items().forEach(e -> undecided.add(ids.apply(e)));
    return undecided;
  }
}
