package io.rapport.platform;

import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.rapport.platform.v1.ErrorReason;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One request, many answers. The handler runs on a virtual thread of its own, so that it may wait
 * while the call's events go on; it ends the stream by returning or throwing.
 */
final class StreamingCall<Q, R> extends ServerCall.Listener<Parsed<Q>> implements Outbox<R> {
  /** Woken by every event, and so this is only for what gives no sign. */
  private static final Duration READY_CHECK = Duration.ofSeconds(10);

  private final ServerCall<Parsed<Q>, R> call;
  private final OpenStreams streams;
  private final BiConsumer<Q, Outbox<R>> handler;
  private final Semaphore bell = new Semaphore(0);
  private final AtomicReference<@Nullable ServiceException> ended = new AtomicReference<>();
  private @Nullable Parsed<Q> request;
  private boolean several;
  private boolean begun;

  private StreamingCall(
      ServerCall<Parsed<Q>, R> call, OpenStreams streams, BiConsumer<Q, Outbox<R>> handler) {
    this.call = call;
    this.streams = streams;
    this.handler = handler;
  }

  static <Q, R> ServerCallHandler<Parsed<Q>, R> handler(
      OpenStreams streams, BiConsumer<Q, Outbox<R>> handler) {
    return (call, headers) -> {
      call.request(2); // a second message is a fault, and only so it is seen
      return new StreamingCall<>(call, streams, handler);
    };
  }

  @Override
  public void onMessage(Parsed<Q> message) {
    if (request == null) {
      request = message;
    } else {
      several = true;
      fail(Parsed.malformed("the stream takes one message, not several"));
    }
  }

  @Override
  public void onHalfClose() {
    Parsed<Q> only = request;
    if (only == null) {
      fail(Parsed.malformed("the stream takes one message, not none"));
    } else if (!several) {
      Thread _ =
          Thread.ofVirtual().name("stream").start(Context.current().wrap(() -> answer(only)));
    }
  }

  private void answer(Parsed<Q> only) {
    try (OpenStreams.Entry _ = streams.open(Caller.current(), this::end)) {
      handler.accept(only.orThrow(), this);
      begin();
      call.close(Status.OK, new Metadata());
    } catch (Throwable t) {
      fail(t);
    }
  }

  private void fail(Throwable failure) {
    var closing = Failures.Closing.of(Failures.of(failure));
    call.close(closing.status(), closing.trailers());
  }

  private void end(ServiceException why) {
    ended.compareAndSet(null, why);
    wake();
  }

  @Override
  public void onReady() {
    wake();
  }

  @Override
  public void onCancel() {
    end(
        ServiceException.of(
            Code.CANCELLED, ErrorReason.CALL_CANCELLED, "the caller gave the stream up"));
  }

  @Override
  public void send(R message) {
    requireOpen();
    begin();
    while (!call.isReady()) {
      rest(READY_CHECK);
    }
    call.sendMessage(message);
  }

  private void begin() {
    if (!begun) {
      begun = true;
      call.sendHeaders(new Metadata());
    }
  }

  @Override
  public void rest(Duration most) {
    requireOpen();
    try {
      if (bell.tryAcquire(most.toNanos(), TimeUnit.NANOSECONDS)) {
        bell.drainPermits();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw ServiceException.of(
          Code.CANCELLED, ErrorReason.CALL_CANCELLED, "the stream's thread was interrupted");
    }
    requireOpen();
  }

  @Override
  public void wake() {
    if (bell.availablePermits() == 0) {
      bell.release();
    }
  }

  @Override
  public void requireOpen() {
    ServiceException why = ended.get();
    if (why != null) {
      throw why;
    }
  }
}
