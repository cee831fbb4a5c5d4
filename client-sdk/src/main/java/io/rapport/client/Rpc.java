package io.rapport.client;

import com.google.protobuf.DescriptorProtos.MethodOptions.IdempotencyLevel;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.grpc.MethodDescriptor;
import io.grpc.protobuf.ProtoMethodDescriptorSupplier;
import java.time.Duration;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A unary method, with what the contract says about calling it twice and how long it may take.
 *
 * @param requestId the field that names a write, if the method has one
 */
record Rpc<Q, A>(
    MethodDescriptor<Q, A> method,
    Effect effect,
    Duration deadline,
    @Nullable FieldDescriptor requestId) {

  /** What a call changes. */
  enum Effect {
    /** Nothing. */
    READ,
    /** The same, however often it is called. */
    REPEATABLE_WRITE,
    /** More each time. */
    WRITE
  }

  static <Q, A> Rpc<Q, A> of(MethodDescriptor<Q, A> method, Deadlines deadlines) {
    FieldDescriptor requestId = requestId(method);
    Effect effect = effect(method);
    Duration deadline = effect == Effect.READ ? deadlines.read() : deadlines.write();
    return new Rpc<>(method, effect, deadline, requestId);
  }

  Rpc<Q, A> within(Duration other) {
    return new Rpc<>(method, effect, other, requestId);
  }

  boolean repeatable() {
    return effect != Effect.WRITE || requestId != null;
  }

  /** The request with a name of its own, by which the service knows it again. */
  @SuppressWarnings("unchecked")
  Q named(Q request) {
    if (requestId == null || !((String) ((Message) request).getField(requestId)).isEmpty()) {
      return request;
    }
    String id = UUID.randomUUID().toString();
    return (Q) ((Message) request).toBuilder().setField(requestId, id).build();
  }

  private static @Nullable FieldDescriptor requestId(MethodDescriptor<?, ?> method) {
    return method.getSchemaDescriptor() instanceof ProtoMethodDescriptorSupplier contract
        ? contract.getMethodDescriptor().getInputType().findFieldByName("request_id")
        : null;
  }

  private static Effect effect(MethodDescriptor<?, ?> method) {
    IdempotencyLevel level =
        method.getSchemaDescriptor() instanceof ProtoMethodDescriptorSupplier contract
            ? contract.getMethodDescriptor().getOptions().getIdempotencyLevel()
            : IdempotencyLevel.IDEMPOTENCY_UNKNOWN;
    return switch (level) {
      case NO_SIDE_EFFECTS -> Effect.READ;
      case IDEMPOTENT -> Effect.REPEATABLE_WRITE;
      case IDEMPOTENCY_UNKNOWN -> Effect.WRITE;
    };
  }
}
