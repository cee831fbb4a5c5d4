package io.rapport.platform;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.rapport.platform.v1.ErrorReason;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A stream in which each message is answered by one message, in order.
 *
 * <p>Answers may come in any order and from any thread; they are held back until those before them
 * are sent. A further message is read only when an answer has left and the caller takes more, so
 * neither a caller that sends faster than its messages are done nor one that doesn't read its
 * answers makes the stream hold more than its window.
 */
final class PipelinedCall<Q, R> extends ServerCall.Listener<Parsed<Q>> {
  private final ServerCall<Parsed<Q>, R> call;
  private final BiConsumer<Q, Reply<R>> handler;
  private final Clock clock;
  private final Deque<Slot> slots = new ArrayDeque<>();
  private int owed;
  private boolean halfClosed;
  private boolean closed;

  private PipelinedCall(
      ServerCall<Parsed<Q>, R> call, Clock clock, BiConsumer<Q, Reply<R>> handler) {
    this.call = call;
    this.clock = clock;
    this.handler = handler;
  }

  static <Q, R> ServerCallHandler<Parsed<Q>, R> handler(
      int window, Clock clock, BiConsumer<Q, Reply<R>> handler) {
    return (call, headers) -> {
      call.sendHeaders(new Metadata());
      call.request(window);
      return new PipelinedCall<>(call, clock, handler);
    };
  }

  @Override
  public void onMessage(Parsed<Q> message) {
    Slot slot = new Slot();
    synchronized (this) {
      slots.add(slot);
    }
    try {
      requireValidCaller();
      handler.accept(message.orThrow(), slot);
    } catch (Throwable t) {
      slot.fail(t);
    }
  }

  /** A token that was good when the stream began may have ended since. */
  private void requireValidCaller() {
    if (Caller.current().expiresAt().isBefore(clock.instant())) {
      throw ServiceException.of(
          Code.UNAUTHENTICATED, ErrorReason.TOKEN_EXPIRED, "the token's time is over");
    }
  }

  @Override
  public synchronized void onHalfClose() {
    halfClosed = true;
    sendWhatIsDone();
  }

  @Override
  public synchronized void onReady() {
    if (owed > 0 && !closed) {
      call.request(owed);
      owed = 0;
    }
  }

  @Override
  public synchronized void onCancel() {
    closed = true;
    slots.clear();
  }

  private synchronized void sendWhatIsDone() {
    while (!closed && !slots.isEmpty() && slots.getFirst().isDone()) {
      slots.removeFirst().deliver();
    }
    if (!closed && halfClosed && slots.isEmpty()) {
      close(Status.OK, new Metadata());
    }
  }

  private void readOn() {
    owed++;
    if (call.isReady()) {
      call.request(owed);
      owed = 0;
    }
  }

  private void close(Status status, Metadata trailers) {
    closed = true;
    slots.clear();
    call.close(status, trailers);
  }

  /** The place of one answer in the order. */
  private final class Slot implements Reply<R> {
    private @Nullable R response;
    private @Nullable ServiceException failure;

    @Override
    public void send(R answer) {
      synchronized (PipelinedCall.this) {
        response = answer;
        sendWhatIsDone();
      }
    }

    @Override
    public void fail(Throwable thrown) {
      ServiceException told = Failures.of(thrown);
      synchronized (PipelinedCall.this) {
        failure = told;
        sendWhatIsDone();
      }
    }

    private boolean isDone() {
      return response != null || failure != null;
    }

    private void deliver() {
      if (failure != null) {
        var closing = Failures.Closing.of(failure);
        close(closing.status(), closing.trailers());
      } else if (response != null) {
        call.sendMessage(response);
        readOn();
      }
    }
  }
}
