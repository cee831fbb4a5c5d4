package io.rapport.client;

import io.rapport.tracking.v1.Event;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The events of one writer between {@code write} and the service's answer. Threads that write put
 * them in, the sender takes messages out, the stream's answers settle them; an event stays here
 * until it is decided, so that it can be sent again, and that is what bounds the writer's memory.
 *
 * <p>Three places, in the order of writing: <i>in flight</i> (sent, not answered), <i>ready</i>
 * (full, or to be sent again), and <i>filling</i>. A message that is not full goes out when nothing
 * is in flight, so an idle stream has no delay and a busy one full messages, without a timer.
 */
final class IngestQueue {
  /** What the sender does next. */
  enum Step {
    SEND,
    RECOVER,
    FINISH,
    STOP
  }

  /** Instead of a position: the writer has failed. */
  static final long FAILED = -1;

  private final IngestOptions options;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private final Condition changed = lock.newCondition();

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
  private boolean closing;
  private boolean ended;
  private @Nullable RuntimeException failure;

  IngestQueue(IngestOptions options) {
    this.options = options;
  }

  // What writing threads call.

  /** Puts an event in as soon as there is room; returns its position, or {@link #FAILED}. */
  long put(Event event, int size) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (open() && full(size)) {
        changed.await();
      }
      if (failure != null) {
        return FAILED;
      }
      if (closing) {
        throw new IllegalStateException("the writer is closed");
      }
      if (filling.size() > 0 && filling.bytes() + size > options.messageBytes()) {
        seal();
      }
      filling.add(event, size);
      undecidedBytes += size;
      long position = written++;
      if (filling.size() == options.messageEvents()) {
        seal();
      } else if (filling.size() == 1 && inFlight.isEmpty()) {
        work.signal();
      }
      return position;
    } finally {
      lock.unlock();
    }
  }

  /** Waits until everything put in before is decided, or the writer has failed. */
  void flush() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      long target = written;
      flushTo = Math.max(flushTo, target);
      work.signal();
      while (decided < target && failure == null) {
        changed.await();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Takes no more events and waits until the sender has ended. */
  void close() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      closing = true;
      work.signal();
      changed.signalAll();
      while (!ended) {
        changed.await();
      }
    } finally {
      lock.unlock();
    }
  }

  @Nullable RuntimeException failure() {
    lock.lock();
    try {
      return failure;
    } finally {
      lock.unlock();
    }
  }

  IngestSummary summary() {
    lock.lock();
    try {
      return new IngestSummary(
          written, tally.recorded(), tally.duplicate(), tally.conflict(), tally.refused(), resent);
    } finally {
      lock.unlock();
    }
  }

  List<String> undecided() {
    lock.lock();
    try {
      List<String> ids = new ArrayList<>();
      inFlight.forEach(m -> m.events().forEach(e -> ids.add(e.getId())));
      ready.forEach(m -> m.events().forEach(e -> ids.add(e.getId())));
      filling.events().forEach(e -> ids.add(e.getId()));
      return ids;
    } finally {
      lock.unlock();
    }
  }

  // What the sender calls.

  /** Waits for something to do. */
  Step await(@Nullable IngestStream stream) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (true) {
        Step step = next(stream);
        if (step != null) {
          return step;
        }
        work.await();
      }
    } finally {
      lock.unlock();
    }
  }

  /** The next message to send; from now on it is in flight. */
  Message take() {
    lock.lock();
    try {
      if (ready.isEmpty()) {
        seal();
      }
      Message message = ready.removeFirst();
      if (message.depart(++sequence)) {
        resent += message.size();
      }
      inFlight.addLast(message);
      return message;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Makes everything in flight ready to be sent again.
   *
   * @return whether there was anything
   */
  boolean requeue() {
    lock.lock();
    try {
      boolean any = !inFlight.isEmpty();
      while (!inFlight.isEmpty()) {
        ready.addFirst(inFlight.removeLast());
      }
      return any;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Sends what is ready one message at a time, because one of them breaks the stream and it is not
   * known which.
   *
   * @return whether that was so already: then it is the first that does
   */
  boolean sendAlone() {
    lock.lock();
    try {
      boolean already = alone() || ready.size() <= 1;
      alonePosition = Math.max(alonePosition, ready.isEmpty() ? 0 : ready.getLast().end());
      return already;
    } finally {
      lock.unlock();
    }
  }

  /** Cuts the first message in two; returns it instead if it is a single event. */
  @Nullable Message splitFirst() {
    lock.lock();
    try {
      Message head = ready.removeFirst();
      if (head.size() == 1) {
        inFlight.addFirst(head);
        return head;
      }
      List<Message> halves = head.halves();
      ready.addFirst(halves.get(1));
      ready.addFirst(halves.get(0));
      return null;
    } finally {
      lock.unlock();
    }
  }

  /** How many events are decided: it grows when the service gets on. */
  long decided() {
    lock.lock();
    try {
      return decided;
    } finally {
      lock.unlock();
    }
  }

  /** Waits. */
  void pause(Duration time) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      long left = time.toNanos();
      while (left > 0 && failure == null) {
        left = work.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Waits for the end of a stream. */
  void awaitEnd(IngestStream stream, Duration most) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      long left = most.toNanos();
      while (!stream.ended() && left > 0) {
        left = work.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Ends the writer with a failure; the first one counts. */
  void fail(RuntimeException cause) {
    lock.lock();
    try {
      if (failure == null) {
        failure = cause;
      }
      work.signal();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Tells that the sender has ended. */
  void end() {
    lock.lock();
    try {
      ended = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  // What the stream calls.

  /** The sender should look again. */
  void wake() {
    lock.lock();
    try {
      work.signal();
    } finally {
      lock.unlock();
    }
  }

  /** The message that an answer with this number must be about. */
  Message answered(long number) {
    lock.lock();
    try {
      Message head = inFlight.peekFirst();
      if (head == null || head.sequence() != number) {
        throw Tally.broken("message " + number + " is answered out of order");
      }
      return head;
    } finally {
      lock.unlock();
    }
  }

  /** The first message in flight is decided. */
  void settle(Tally outcome) {
    lock.lock();
    try {
      Message head = inFlight.removeFirst();
      decided = head.end();
      undecidedBytes -= head.bytes() - Message.HEAD_BYTES;
      tally = tally.plus(outcome);
      work.signal();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private @Nullable Step next(@Nullable IngestStream stream) {
    if (failure != null) {
      return Step.STOP;
    }
    if (stream != null && stream.ended()) {
      return Step.RECOVER;
    }
    if (closing && decided == written) {
      return Step.FINISH;
    }
    return sendable() && (stream == null || stream.ready()) ? Step.SEND : null;
  }

  private boolean sendable() {
    if (inFlight.size() >= (alone() ? 1 : options.inFlight())) {
      return false;
    }
    return !ready.isEmpty() || (filling.size() > 0 && partialDue());
  }

  private boolean partialDue() {
    return inFlight.isEmpty() || closing || flushTo > filling.first();
  }

  private boolean alone() {
    return decided < alonePosition;
  }

  private boolean open() {
    return failure == null && !closing;
  }

  private boolean full(int size) {
    long undecided = written - decided;
    return undecided >= options.bufferEvents()
        || (undecided > 0 && undecidedBytes + size > options.bufferBytes());
  }

  private void seal() {
    ready.addLast(filling);
    filling = new Message(written);
    work.signal();
  }
}
