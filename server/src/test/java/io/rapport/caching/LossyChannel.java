package io.rapport.caching;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A connection that loses answers to calls of one method after the server has done them. */
final class LossyChannel extends ManagedChannel {
  private final ManagedChannel channel;
  private final MethodDescriptor<?, ?> method;
  private final AtomicInteger left;
  final AtomicInteger calls = new AtomicInteger();

  LossyChannel(ManagedChannel channel, MethodDescriptor<?, ?> method, int losses) {
    this.channel = channel;
    this.method = method;
    this.left = new AtomicInteger(losses);
  }

  @Override
  public <Q, A> ClientCall<Q, A> newCall(MethodDescriptor<Q, A> called, CallOptions options) {
    ClientCall<Q, A> call = channel.newCall(called, options);
    if (!called.getFullMethodName().equals(method.getFullMethodName())) {
      return call;
    }
    calls.incrementAndGet();
    return left.getAndDecrement() > 0 ? new Losing<>(call) : call;
  }

  private static final class Losing<Q, A> extends SimpleForwardingClientCall<Q, A> {
    Losing(ClientCall<Q, A> call) {
      super(call);
    }

    @Override
    public void start(Listener<A> listener, Metadata headers) {
      super.start(
          new SimpleForwardingClientCallListener<A>(listener) {
            @Override
            public void onMessage(A answer) {}

            @Override
            public void onClose(Status status, Metadata trailers) {
              super.onClose(Status.UNAVAILABLE.withDescription("lost"), new Metadata());
            }
          },
          headers);
    }
  }

  @Override
  public String authority() {
    return channel.authority();
  }

  @Override
  public ManagedChannel shutdown() {
    channel.shutdown();
    return this;
  }

  @Override
  public boolean isShutdown() {
    return channel.isShutdown();
  }

  @Override
  public boolean isTerminated() {
    return channel.isTerminated();
  }

  @Override
  public ManagedChannel shutdownNow() {
    channel.shutdownNow();
    return this;
  }

  @Override
  public boolean awaitTermination(long time, TimeUnit unit) throws InterruptedException {
    return channel.awaitTermination(time, unit);
  }
}
