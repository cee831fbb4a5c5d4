package io.rapport.platform;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;

/** Reads the position that a call must be as fresh as. */
public final class PositionInterceptor implements ServerInterceptor {
  /** A position: the call reads nothing that is older. */
  private static final Metadata.Key<String> AT_LEAST = CallTrailers.key("rapport-at-least");

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    String atLeast = Caller.isKnown() ? headers.get(AT_LEAST) : null;
    if (atLeast == null) {
      return next.startCall(call, headers);
    }
    long position = Positions.decode(Caller.currentTenant(), atLeast);
    Context context = Context.current().withValue(Positions.AT_LEAST, position);
    return Contexts.interceptCall(context, call, headers, next);
  }
}
