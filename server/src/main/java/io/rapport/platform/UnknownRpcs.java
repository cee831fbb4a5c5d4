package io.rapport.platform;

import io.grpc.HandlerRegistry;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerCall;
import io.grpc.ServerMethodDefinition;
import io.grpc.Status.Code;
import io.rapport.platform.v1.ErrorReason;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/** Answers calls of RPCs that are not there, with a reason like every other error. */
public final class UnknownRpcs extends HandlerRegistry {
  @Override
  public ServerMethodDefinition<?, ?> lookupMethod(String name, @Nullable String authority) {
    MethodDescriptor<InputStream, InputStream> method =
        MethodDescriptor.newBuilder(new Bytes(), new Bytes())
            .setType(MethodType.UNKNOWN)
            .setFullMethodName(name)
            .build();
    return ServerMethodDefinition.create(
        method,
        (call, headers) -> {
          var closing = Failures.Closing.of(failure());
          call.close(closing.status(), closing.trailers());
          return new ServerCall.Listener<>() {};
        });
  }

  static ServiceException failure() {
    return ServiceException.of(Code.UNIMPLEMENTED, ErrorReason.RPC_UNKNOWN, "there is no such RPC");
  }

  private static final class Bytes implements Marshaller<InputStream> {
    @Override
    public InputStream stream(InputStream value) {
      return value;
    }

    @Override
    public InputStream parse(InputStream stream) {
      return stream;
    }
  }
}
