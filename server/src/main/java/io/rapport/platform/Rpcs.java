package io.rapport.platform;

import com.google.protobuf.Message;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Function;

/** Turns plain functions into gRPC handlers: read, check the request, call, reply. */
public final class Rpcs {
  private static final int MAX_BYTES = 1024 * 1024;

  /** The largest message of the methods that take many entities at once. */
  public static final int MAX_BULK_BYTES = 4 * 1024 * 1024;

  private final Contract contract;
  private final Rules rules;
  private final Clock clock;
  private final OpenStreams streams;

  public Rpcs(Contract contract, Rules rules, Clock clock, OpenStreams streams) {
    this.contract = contract;
    this.rules = rules;
    this.clock = clock;
    this.streams = streams;
  }

  public ServiceBuilder service(ServiceDescriptor descriptor) {
    return new ServiceBuilder(descriptor);
  }

  /** Collects the handlers of one service. */
  public final class ServiceBuilder {
    private final ServiceDescriptor generated;
    private final List<ServerMethodDefinition<?, ?>> methods = new ArrayList<>();

    private ServiceBuilder(ServiceDescriptor generated) {
      this.generated = generated;
    }

    /** A handler that answers or throws, and may block. */
    public <Q extends Message, R extends Message> ServiceBuilder unary(
        MethodDescriptor<Q, R> method, Function<Q, R> handler) {
      return add(
          method,
          MAX_BYTES,
          UnaryCall.handler(checked((q, reply) -> reply.send(handler.apply(q)))));
    }

    /** A handler that takes many entities at once, may block, and may answer later. */
    public <Q extends Message, R extends Message> ServiceBuilder bulk(
        MethodDescriptor<Q, R> method, BiConsumer<Q, Reply<R>> handler) {
      return add(method, MAX_BULK_BYTES, UnaryCall.handler(checked(handler)));
    }

    /**
     * A handler that never blocks, so it may run on the event loop, and checks the request itself.
     */
    public <Q extends Message, R extends Message> ServiceBuilder immediate(
        MethodDescriptor<Q, R> method, BiConsumer<Q, Reply<R>> handler) {
      return add(method, MAX_BYTES, UnaryCall.handler(handler));
    }

    /**
     * A handler of a stream in which each message is answered by one message, in order. At most
     * {@code window} messages wait for their answer; the caller's others are not read yet.
     */
    public <Q extends Message, R extends Message> ServiceBuilder pipelined(
        MethodDescriptor<Q, R> method, int window, BiConsumer<Q, Reply<R>> handler) {
      return add(method, MAX_BULK_BYTES, PipelinedCall.handler(window, clock, checked(handler)));
    }

    /**
     * A handler that answers one request with a stream: it sends until it returns, and may block.
     */
    public <Q extends Message, R extends Message> ServiceBuilder streaming(
        MethodDescriptor<Q, R> method, BiConsumer<Q, Outbox<R>> handler) {
      BiConsumer<Q, Outbox<R>> checked =
          (request, outbox) -> {
            rules.check(request);
            handler.accept(request, outbox);
          };
      return add(method, MAX_BYTES, StreamingCall.handler(streams, checked));
    }

    private <Q extends Message, R> BiConsumer<Q, Reply<R>> checked(
        BiConsumer<Q, Reply<R>> handler) {
      return (request, reply) -> {
        rules.check(request);
        handler.accept(request, reply);
      };
    }

    private <Q extends Message, R extends Message> ServiceBuilder add(
        MethodDescriptor<Q, R> method, int maxBytes, ServerCallHandler<Parsed<Q>, R> handler) {
      methods.add(ServerMethodDefinition.create(Parsed.method(method, maxBytes), handler));
      return this;
    }

    /** Refuses a forgotten RPC. */
    public ServerServiceDefinition build() {
      requireAll();
      ServiceDescriptor.Builder descriptor =
          ServiceDescriptor.newBuilder(generated.getName())
              .setSchemaDescriptor(contract.documented(generated.getName()));
      methods.forEach(method -> descriptor.addMethod(method.getMethodDescriptor()));
      ServerServiceDefinition.Builder service = ServerServiceDefinition.builder(descriptor.build());
      methods.forEach(service::addMethod);
      return service.build();
    }

    private void requireAll() {
      for (MethodDescriptor<?, ?> method : missing()) {
        throw new IllegalStateException(method.getFullMethodName() + " has no handler");
      }
    }

    /** The service's methods that have no handler yet. */
    public List<MethodDescriptor<?, ?>> missing() {
      Collection<String> handled =
          methods.stream().map(m -> m.getMethodDescriptor().getFullMethodName()).toList();
      List<MethodDescriptor<?, ?>> missing = new ArrayList<>(generated.getMethods());
      missing.removeIf(method -> handled.contains(method.getFullMethodName()));
      return missing;
    }
  }
}
