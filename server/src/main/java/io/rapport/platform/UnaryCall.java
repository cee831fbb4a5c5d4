package io.rapport.platform;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** One request, one answer. */
final class UnaryCall<Q, R> extends ServerCall.Listener<Parsed<Q>> implements Reply<R> {
  private final ServerCall<Parsed<Q>, R> call;
  private final BiConsumer<Q, Reply<R>> handler;
  private @Nullable Parsed<Q> request;
  private boolean several;

  private UnaryCall(ServerCall<Parsed<Q>, R> call, BiConsumer<Q, Reply<R>> handler) {
    this.call = call;
    this.handler = handler;
  }

  static <Q, R> ServerCallHandler<Parsed<Q>, R> handler(BiConsumer<Q, Reply<R>> handler) {
    return (call, headers) -> {
      call.request(2); // a second message is a fault, and only so it is seen
      return new UnaryCall<>(call, handler);
    };
  }

  @Override
  public void onMessage(Parsed<Q> message) {
    if (request == null) {
      request = message;
    } else {
      several = true;
      fail(Parsed.malformed("a unary call takes one message, not several"));
    }
  }

  @Override
  public void onHalfClose() {
    if (several) {
      return;
    }
    try {
      handler.accept(theRequest(), this);
    } catch (Throwable t) {
      fail(t);
    }
  }

  /** Lets go of the request: what waits for its answer may be much less than what was sent. */
  private Q theRequest() {
    if (request == null) {
      throw Parsed.malformed("a unary call takes one message, not none");
    }
    Parsed<Q> taken = request;
    request = null;
    return taken.orThrow();
  }

  @Override
  public void send(R response) {
    if (!call.isCancelled()) {
      call.sendHeaders(new Metadata());
      call.sendMessage(response);
      call.close(Status.OK, new Metadata());
    }
  }

  @Override
  public void fail(Throwable failure) {
    var closing = Failures.Closing.of(Failures.of(failure));
    call.close(closing.status(), closing.trailers());
  }
}
