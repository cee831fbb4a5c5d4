package io.rapport.client;

import com.google.protobuf.DescriptorProtos.MethodOptions.IdempotencyLevel;
import io.grpc.MethodDescriptor;
import io.grpc.protobuf.ProtoMethodDescriptorSupplier;
import java.time.Duration;

/** A unary method, with what the contract says about calling it twice and how long it may take. */
record Rpc<Q, A>(MethodDescriptor<Q, A> method, Effect effect, Duration deadline) {

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
    Effect effect = effect(method);
    return new Rpc<>(method, effect, effect == Effect.READ ? deadlines.read() : deadlines.write());
  }

  Rpc<Q, A> within(Duration other) {
    return new Rpc<>(method, effect, other);
  }

  boolean repeatable() {
    return effect != Effect.WRITE;
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
