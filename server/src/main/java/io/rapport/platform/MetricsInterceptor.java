package io.rapport.platform;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;

/** Counts and times the calls of each RPC, by the code that they end with. */
public final class MetricsInterceptor implements ServerInterceptor {
  private final MeterRegistry metrics;
  private final ConcurrentMap<Ending, Timer> timers = new ConcurrentHashMap<>();

  private record Ending(String method, Status.Code code) {}

  public MetricsInterceptor(MeterRegistry metrics) {
    this.metrics = metrics;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    long start = System.nanoTime();
    String method = call.getMethodDescriptor().getFullMethodName();
    return next.startCall(
        new SimpleForwardingServerCall<>(call) {
          @Override
          public void close(Status status, Metadata trailers) {
            timer(new Ending(method, status.getCode()))
                .record(System.nanoTime() - start, TimeUnit.NANOSECONDS);
            super.close(status, trailers);
          }
        },
        headers);
  }

  private Timer timer(Ending ending) {
    return timers.computeIfAbsent(
        ending,
        it ->
            Timer.builder("rapport.rpc")
                .description("Calls and how long they took")
                .tag("method", it.method())
                .tag("code", it.code().name())
                .register(metrics));
  }
}
