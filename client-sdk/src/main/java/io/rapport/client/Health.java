package io.rapport.client;

import com.google.protobuf.Int32Value;
import com.google.protobuf.StringValue;
import io.grpc.MethodDescriptor;
import io.grpc.protobuf.ProtoUtils;

/**
 * The standard health check. Its messages look on the wire like the wrappers of a string and of a
 * number, which spares the SDK a dependency.
 */
final class Health {
  static final MethodDescriptor<StringValue, Int32Value> CHECK =
      MethodDescriptor.<StringValue, Int32Value>newBuilder()
          .setType(MethodDescriptor.MethodType.UNARY)
          .setFullMethodName("grpc.health.v1.Health/Check")
          .setRequestMarshaller(ProtoUtils.marshaller(StringValue.getDefaultInstance()))
          .setResponseMarshaller(ProtoUtils.marshaller(Int32Value.getDefaultInstance()))
          .build();

  private static final int SERVING = 1;

  private Health() {}

  static boolean serving(Calls calls) {
    Rpc<StringValue, Int32Value> check =
        new Rpc<>(CHECK, Rpc.Effect.READ, Deadlines.DEFAULT.read(), null);
    return calls.call(check, StringValue.getDefaultInstance()).getValue() == SERVING;
  }
}
