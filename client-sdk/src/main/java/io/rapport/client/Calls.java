package io.rapport.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientStreamTracer;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Makes unary calls: with a deadline of their own, repeated where allowed, failing with our
 * exceptions.
 */
final class Calls {
  /** What is left to the callee of its caller's time, in percent. */
  private static final int SHARE = 95;

  private final Channel channel;
  private final Deadlines deadlines;
  private final Retrier retrier;
  private final Reconnect reconnect;

  Calls(Channel channel, Deadlines deadlines, Retrier retrier, Reconnect reconnect) {
    this.channel = channel;
    this.deadlines = deadlines;
    this.retrier = retrier;
    this.reconnect = reconnect;
  }

  Channel channel() {
    return channel;
  }

  <Q, A> Rpc<Q, A> rpc(MethodDescriptor<Q, A> method) {
    return Rpc.of(method, deadlines);
  }

  <Q, A> Rpc<Q, A> batch(MethodDescriptor<Q, A> method) {
    return rpc(method).within(deadlines.batch());
  }

  <Q, A> A call(Rpc<Q, A> rpc, Q request) {
    Deadline deadline = deadline(rpc.deadline());
    CallOptions options = CallOptions.DEFAULT.withDeadline(deadline);
    Q named = rpc.named(request);
    return retrier.run(
        rpc.repeatable(),
        deadline,
        () ->
            rpc.effect() == Rpc.Effect.READ
                ? read(rpc.method(), options, named)
                : write(rpc.method(), options, named));
  }

  /** Makes a call once, without waiting for its end. */
  <Q, A> void send(Rpc<Q, A> rpc, Q request, Consumer<RapportException> failed) {
    CallOptions options =
        CallOptions.DEFAULT.withDeadlineAfter(rpc.deadline().toNanos(), TimeUnit.NANOSECONDS);
    ClientCalls.asyncUnaryCall(
        channel.newCall(rpc.method(), options), rpc.named(request), new FailureObserver<>(failed));
  }

  private <Q, A> A read(MethodDescriptor<Q, A> method, CallOptions options, Q request) {
    try {
      return ClientCalls.blockingUnaryCall(channel, method, options, request);
    } catch (StatusRuntimeException failure) {
      reconnect.after(failure);
      throw RapportException.of(failure);
    }
  }

  private <Q, A> A write(MethodDescriptor<Q, A> method, CallOptions options, Q request) {
    Departure departure = new Departure();
    try {
      return ClientCalls.blockingUnaryCall(
          channel, method, options.withStreamTracerFactory(departure), request);
    } catch (StatusRuntimeException failure) {
      reconnect.after(failure);
      throw departure.sent ? RapportException.ofSentWrite(failure) : RapportException.of(failure);
    }
  }

  private static Deadline deadline(Duration own) {
    Deadline mine = Deadline.after(own.toNanos(), TimeUnit.NANOSECONDS);
    Deadline callers = Context.current().getDeadline();
    if (callers == null) {
      return mine;
    }
    long left = callers.timeRemaining(TimeUnit.NANOSECONDS);
    return mine.minimum(Deadline.after(left / 100 * SHARE, TimeUnit.NANOSECONDS));
  }

  /** Tells only that a call failed. */
  private record FailureObserver<A>(Consumer<RapportException> failed)
      implements StreamObserver<A> {
    @Override
    public void onNext(A answer) {}

    @Override
    public void onError(Throwable failure) {
      failed.accept(RapportException.of(failure));
    }

    @Override
    public void onCompleted() {}
  }

  /** Notices whether a request left this machine. */
  private static final class Departure extends ClientStreamTracer.Factory {
    private volatile boolean sent;

    @Override
    public ClientStreamTracer newClientStreamTracer(
        ClientStreamTracer.StreamInfo info, Metadata headers) {
      return new ClientStreamTracer() {
        @Override
        public void outboundMessage(int number) {
          sent = true;
        }
      };
    }
  }
}
