package io.rapport.platform;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status.Code;
import io.rapport.platform.v1.ErrorReason;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Lets a call through if its caller is known and has the right that the RPC declares. */
public final class AuthInterceptor implements ServerInterceptor {
  private final Callers callers;
  private final Map<String, String> rights;

  /**
   * @param rights the right that each RPC needs, by full method name; one that is not in it can't
   *     be called
   */
  public AuthInterceptor(Callers callers, Map<String, String> rights) {
    this.callers = callers;
    this.rights = Map.copyOf(rights);
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    String right = rights.get(call.getMethodDescriptor().getFullMethodName());
    if (Rights.NONE.equals(right)) {
      return next.startCall(call, headers);
    }
    try {
      Caller caller = callers.authenticate(headers);
      CallInfo.tellTenant(caller.tenant().id());
      requireRight(caller, right);
      return Contexts.interceptCall(caller.in(Context.current()), call, headers, next);
    } catch (RuntimeException e) {
      var closing = Failures.Closing.of(Failures.of(e));
      call.close(closing.status(), closing.trailers());
      return new ServerCall.Listener<>() {};
    }
  }

  private static void requireRight(Caller caller, @Nullable String right) {
    if (right == null) {
      throw UnknownRpcs.failure();
    }
    if (!caller.may(right)) {
      throw ServiceException.of(
              Code.PERMISSION_DENIED, ErrorReason.RIGHT_MISSING, "needs the right " + right)
          .with("right", right);
    }
  }
}
