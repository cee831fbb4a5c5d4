package io.rapport.platform;

import io.grpc.Status.Code;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;

/** Counts and times the calls of each RPC, by the code that they end with. */
public final class CallMetrics {
  private final MeterRegistry metrics;
  private final ConcurrentMap<Ending, Timer> timers = new ConcurrentHashMap<>();

  private record Ending(String method, Code code) {}

  public CallMetrics(MeterRegistry metrics) {
    this.metrics = metrics;
  }

  void ended(CallInfo call, Code code, long nanos) {
    timers
        .computeIfAbsent(new Ending(call.method(), code), this::timer)
        .record(nanos, TimeUnit.NANOSECONDS);
  }

  private Timer timer(Ending ending) {
    return Timer.builder("rapport.rpc")
        .description("Calls and how long they took")
        .tag("method", ending.method())
        .tag("code", ending.code().name())
        .register(metrics);
  }
}
