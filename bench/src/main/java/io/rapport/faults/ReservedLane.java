package io.rapport.faults;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.DynamicMessage;
import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.rapport.bench.Report;
import io.rapport.identity.v1.GetUserRequest;
import io.rapport.identity.v1.UserServiceGrpc;
import io.rapport.tracking.v1.CountEventsRequest;
import io.rapport.tracking.v1.CountEventsResponse;
import io.rapport.tracking.v1.EventServiceGrpc;
import java.sql.Connection;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * P27: health and the RPCs of the reserved lane are answered while every ordinary place and
 * connection is taken by calls that wait for a lock. Control: an ordinary RPC, at the same time.
 */
final class ReservedLane implements Promise {
  private static final String ID = "P27";
  private static final int TENANTS = 4;
  private static final int CALLS_OF_EACH = 60;
  private static final int CONNECTIONS = 10;
  private static final int WARM_UP = 50;
  private static final long DEADLINE = 10_000;
  private static final long PROBE_DEADLINE = 2000;
  private static final long PAUSE = 20;
  private static final long MOST = 250;

  private static final String LOCK =
      "LOCK TABLE tracking.behavioral_events IN ACCESS EXCLUSIVE MODE";

  private static final String HELD =
      "SELECT count(*) FROM pg_stat_activity"
          + " WHERE usename = 'rapport_server' AND wait_event_type = 'Lock'";

  /** How the calls of one kind ended. */
  private static final class Seen {
    private final List<Long> millis = new ArrayList<>();
    private final Map<Code, Integer> ends = new EnumMap<>(Code.class);
    private int answered;

    private void add(Supplier<Calls.End<?>> probe) {
      long start = System.nanoTime();
      Calls.End<?> end = probe.get();
      millis.add(Threads.millisSince(start));
      ends.merge(end.status().getCode(), 1, Integer::sum);
      answered += isAnswer(end.status().getCode()) ? 1 : 0;
    }

    /** A refusal of the request itself is an answer as well. */
    private static boolean isAnswer(Code code) {
      return switch (code) {
        case OK, NOT_FOUND, INVALID_ARGUMENT -> true;
        default -> false;
      };
    }

    private double success() {
      return (double) answered / millis.size();
    }

    private long p99() {
      return millis.stream().sorted().toList().get((int) (millis.size() * 0.99));
    }
  }

  @Override
  public List<Verdict> test(Run run) throws Exception {
    try (Victim victim = Victim.serving()) {
      victim.execute("ALTER ROLE rapport_server SET lock_timeout = '30s'");
      victim.server().kill();
      victim.start();
      try (Connection admin = victim.connect();
          Statement statement = admin.createStatement();
          Crowd crowd = new Crowd(victim)) {
        warmUp(crowd.calls);
        admin.setAutoCommit(false);
        statement.execute(LOCK);
        crowd.come();
        List<Verdict> verdicts = probe(victim, crowd.calls, run.pick(8_000, 60_000));
        admin.rollback();
        return verdicts;
      }
    }
  }

  private static void warmUp(Calls calls) {
    for (int i = 0; i < WARM_UP; i++) {
      reserved(calls).forEach(new Seen()::add);
    }
  }

  private static List<Verdict> probe(Victim victim, Calls calls, long millis) throws Exception {
    List<Supplier<Calls.End<?>>> probes = reserved(calls);
    Threads.await(DEADLINE, () -> victim.number(HELD) >= CONNECTIONS);
    Seen lane = new Seen();
    Seen ordinary = new Seen();
    long least = Long.MAX_VALUE;
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    var others = Threads.start(() -> probeOrdinary(calls, ordinary, end));
    for (int i = 0; System.nanoTime() < end; i++) {
      probes.forEach(lane::add);
      if (i % 10 == 0) {
        least = Math.min(least, victim.number(HELD));
      }
      Threads.sleep(PAUSE);
    }
    others.join();
    Report.say("  reserved: %s; ordinary: %s", lane.ends, ordinary.ends);
    return List.of(
        Verdict.of(ID)
            .with("rpcs", probes.size())
            .with("probes", lane.millis.size())
            .with("connections_held", least)
            .with("lane_success", "%.3f".formatted(lane.success()))
            .with("lane_p99_ms", lane.p99())
            .met(least >= CONNECTIONS - 1 && lane.success() == 1 && lane.p99() <= MOST),
        Verdict.of(ID)
            .with("probes", ordinary.millis.size())
            .with("success", "%.3f".formatted(ordinary.success()))
            .with("p99_ms", ordinary.p99())
            .failed(ordinary.success() < 1 || ordinary.p99() > MOST));
  }

  /** Health, and every RPC that the contract puts into the lane. */
  private static List<Supplier<Calls.End<?>>> reserved(Calls calls) {
    List<Supplier<Calls.End<?>>> probes = new ArrayList<>();
    probes.add(
        () -> calls.call(HealthGrpc.getCheckMethod(), HealthCheckRequest.getDefaultInstance()));
    for (AnyRpc rpc : AnyRpc.all()) {
      if (rpc.isReserved()) {
        probes.add(() -> calls.call(rpc.method(), request(rpc)));
      }
    }
    return probes;
  }

  /** A request that is read up to the database, if all that it needs is an id. */
  private static DynamicMessage request(AnyRpc rpc) {
    DynamicMessage.Builder request = DynamicMessage.newBuilder(rpc.input());
    for (FieldDescriptor field : rpc.input().getFields()) {
      if (field.getName().equals("id")) {
        request.setField(field, Make.id());
      } else if (field.getName().equals("validate_only")) {
        request.setField(field, true);
      }
    }
    return request.build();
  }

  private static Boolean probeOrdinary(Calls calls, Seen seen, long end) {
    while (System.nanoTime() < end) {
      seen.add(() ->
          calls.call(
              UserServiceGrpc.getGetUserMethod(),
              GetUserRequest.newBuilder().setId(Make.id()).build()));
      Threads.sleep(PAUSE);
    }
    return true;
  }

  /** More calls of several tenants than the service has places, again and again. */
  private static final class Crowd implements AutoCloseable {
    private final ScheduledThreadPoolExecutor later =
        new ScheduledThreadPoolExecutor(1, new ThreadPoolExecutor.DiscardPolicy());
    private final List<AsyncCalls<CountEventsRequest, CountEventsResponse>> callers =
        new ArrayList<>();
    private final ManagedChannel channel;

    /** As one of the crowd's tenants. */
    private final Calls calls;

    private Crowd(Victim victim) throws Exception {
      channel = Victim.channel(victim.port());
      List<String> tokens = new ArrayList<>();
      for (int i = 0; i < TENANTS; i++) {
        tokens.add(victim.token(victim.newTenant()));
      }
      calls = new Calls(channel, tokens.getFirst(), PROBE_DEADLINE);
      for (String token : tokens) {
        callers.add(
            new AsyncCalls<>(
                victim.port(),
                token,
                EventServiceGrpc.getCountEventsMethod(),
                CountEventsRequest.getDefaultInstance()));
      }
    }

    private void come() {
      for (int i = 0; i < TENANTS * CALLS_OF_EACH; i++) {
        next(callers.get(i % TENANTS));
      }
    }

    private void next(AsyncCalls<CountEventsRequest, CountEventsResponse> caller) {
      caller.start(
          DEADLINE,
          (status, reason) -> {
            ScheduledFuture<?> _ = later.schedule(() -> next(caller), PAUSE, TimeUnit.MILLISECONDS);
          });
    }

    @Override
    public void close() {
      later.shutdownNow();
      callers.forEach(AsyncCalls::close);
      channel.shutdownNow();
    }
  }
}
