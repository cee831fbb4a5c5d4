package io.rapport.platform;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;

/** Gives each call its {@link CallTrailers}, and reads the position that it must be as fresh as. */
public final class TrailersInterceptor implements ServerInterceptor {
  /** A position: the call reads nothing that is older. */
  private static final Metadata.Key<String> AT_LEAST = CallTrailers.key("rapport-at-least");

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    if (!Caller.isKnown()) {
      return next.startCall(call, headers);
    }
    String atLeast = headers.get(AT_LEAST);
    if (atLeast != null) {
      // All reads are the primary's, which has every commit that was answered.
      Positions.decode(Caller.currentTenant(), atLeast);
    }
    CallTrailers trailers = new CallTrailers();
    ServerCall<Q, R> closing =
        new SimpleForwardingServerCall<>(call) {
          @Override
          public void close(Status status, Metadata metadata) {
            trailers.addTo(metadata);
            super.close(status, metadata);
          }
        };
    return Contexts.interceptCall(trailers.in(Context.current()), closing, headers, next);
  }
}
