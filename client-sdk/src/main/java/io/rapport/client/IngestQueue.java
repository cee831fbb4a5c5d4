package io.rapport.client;

import com.google.protobuf.MessageLite;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Where the threads of one writer meet: those that write put items in, the sender takes messages
 * out, the stream's answers settle them. Who waits for what is decided here, what lies where in the
 * {@link IngestBacklog}, which this lock guards.
 */
final class IngestQueue<E extends MessageLite> {
  /** What the sender does next. */
  enum Step {
    SEND,
    RECOVER,
    FINISH,
    STOP
  }

  /** Instead of a position: the writer has failed. */
  static final long FAILED = -1;

  private final IngestBacklog<E> backlog;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private final Condition changed = lock.newCondition();

  private boolean closing;
  private boolean ended;
  private @Nullable RuntimeException failure;

  IngestQueue(IngestOptions options, Function<E, String> ids) {
    this.backlog = new IngestBacklog<>(options, ids);
  }

  // What writing threads call.

  /** Puts an item in as soon as there is room; returns its position, or {@link #FAILED}. */
  long put(E item, int size) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (open() && backlog.full(size)) {
        changed.await();
      }
      if (failure != null) {
        return FAILED;
      }
      if (closing) {
        throw new IllegalStateException("the writer is closed");
      }
      if (backlog.add(item, size)) {
        work.signal();
      }
      return backlog.written() - 1;
    } finally {
      lock.unlock();
    }
  }

  /** Waits until everything put in before is decided, or the writer has failed. */
  void flush() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      long target = backlog.written();
      backlog.flush();
      work.signal();
      while (backlog.decided() < target && failure == null) {
        changed.await();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Takes no more and waits until the sender has ended. */
  void close() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      closing = true;
      backlog.flush();
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
    return locked(() -> failure);
  }

  IngestSummary summary() {
    return locked(backlog::summary);
  }

  List<String> undecided() {
    return locked(backlog::undecided);
  }

  // What the sender calls.

  /** Waits for something to do. */
  Step await(@Nullable IngestStream<E, ?, ?> stream) throws InterruptedException {
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
  Message<E> take() {
    return locked(backlog::take);
  }

  /**
   * Makes everything in flight ready to be sent again.
   *
   * @return whether there was anything
   */
  boolean requeue() {
    return locked(backlog::requeue);
  }

  /**
   * Sends what is ready one message at a time, because one of them breaks the stream and it is not
   * known which.
   *
   * @return whether that was so already: then it is the first that does
   */
  boolean sendAlone() {
    return locked(backlog::sendAlone);
  }

  /** Cuts the first message in two; returns it instead if it is a single item. */
  @Nullable Message<E> splitFirst() {
    return locked(backlog::splitFirst);
  }

  /** How many items are decided: it grows when the service gets on. */
  long decided() {
    return locked(backlog::decided);
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
  void awaitEnd(IngestStream<E, ?, ?> stream, Duration most) throws InterruptedException {
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
  Message<E> answered(long number) {
    return locked(() -> backlog.answered(number));
  }

  /** The first message in flight is decided. */
  void settle(Tally outcome) {
    lock.lock();
    try {
      backlog.settle(outcome);
      work.signal();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private @Nullable Step next(@Nullable IngestStream<E, ?, ?> stream) {
    if (failure != null) {
      return Step.STOP;
    }
    if (stream != null && stream.ended()) {
      return Step.RECOVER;
    }
    if (closing && backlog.decided() == backlog.written()) {
      return Step.FINISH;
    }
    return backlog.sendable() && (stream == null || stream.ready()) ? Step.SEND : null;
  }

  private <T extends @Nullable Object> T locked(Supplier<T> look) {
    lock.lock();
    try {
      return look.get();
    } finally {
      lock.unlock();
    }
  }

  private boolean open() {
    return failure == null && !closing;
  }
}
