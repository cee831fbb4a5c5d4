package io.rapport.faults;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.rapport.bench.Report;
import io.rapport.client.DeadlineExceededException;
import io.rapport.client.RapportClient;
import io.rapport.identity.v1.CreateUserRequest;
import io.rapport.identity.v1.GetUserRequest;
import io.rapport.identity.v1.ListTenantsRequest;
import io.rapport.identity.v1.ListUsersRequest;
import io.rapport.identity.v1.TenantServiceGrpc;
import io.rapport.identity.v1.User;
import io.rapport.identity.v1.UserServiceGrpc;
import io.rapport.tracking.v1.CountEventsRequest;
import io.rapport.tracking.v1.EventPropertyServiceGrpc;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.GetEventRequest;
import io.rapport.tracking.v1.ListEventsRequest;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * P25: a call without a deadline ends by the service's own limit, and the SDK gives each call a
 * deadline of its own. Controls: a database without a limit, and a stub with one deadline for all
 * its calls.
 */
final class CallsWithoutDeadline implements Promise {
  private static final String ID = "P25";
  private static final long CAP = 1000;
  private static final long SLACK = 500;

  /** How long a call may wait for a connection, before its statement runs. */
  private static final long WAIT = 500;

  /** Events that wait for the batches before them, which are a tenant's three at a time. */
  private static final int QUEUED = 10;

  private static final long APART = 100;

  private static final long SDK_DEADLINE = 700;

  /** Several times the SDK's deadline. */
  private static final long REUSE = 3500;

  private static final String LOCK =
      """
      LOCK TABLE tracking.behavioral_events, tracking.event_ids, tracking.event_properties,
        identity.users, identity.identity_links, identity.tenants IN ACCESS EXCLUSIVE MODE
      """;

  /** A call that has to wait for the lock. */
  private record Blocked<Q, A>(MethodDescriptor<Q, A> method, Q request) {
    Calls.End<A> call(Calls calls) {
      return calls.call(method, request, CallOptions.DEFAULT);
    }
  }

  /** How long calls took that could not be done. */
  private static final class Seen {
    private int calls;
    private int done;
    private long slowest;

    private void call(Blocked<?, ?> blocked, Calls calls) {
      long start = System.nanoTime();
      Calls.End<?> end = blocked.call(calls);
      long took = Threads.millisSince(start);
      if (end.ok() || took > CAP + SLACK) {
        Report.say("  %s: %d ms, %s", blocked.method().getFullMethodName(), took, end);
      }
      add(end.ok(), took);
    }

    private synchronized void add(boolean ok, long took) {
      calls++;
      done += ok ? 1 : 0;
      slowest = Math.max(slowest, took);
    }
  }

  @Override
  public List<Verdict> test(Run run) throws Exception {
    int rounds = run.pick(1, 8);
    try (Victim victim = Victim.open()) {
      victim.execute("ALTER ROLE rapport_server SET lock_timeout = '30s'");
      victim.execute("ALTER ROLE rapport_system SET lock_timeout = '30s'");
      victim.set("RAPPORT_STATEMENT_TIMEOUT_MS", String.valueOf(CAP)).start();
      return List.of(service(victim, rounds), database(victim), stub(victim));
    }
  }

  private static Verdict service(Victim victim, int rounds) throws Exception {
    UUID tenant = victim.newTenant();
    ManagedChannel channel = Victim.channel(victim.port());
    Calls calls = new Calls(channel, victim.token(tenant), CAP);
    Seen alone = new Seen();
    Seen together = new Seen();
    Seen queued = new Seen();
    List<Blocked<?, ?>> blocked = prepare(calls, victim, tenant);
    long sdk;
    int outlived;
    try (RapportClient client = client(victim, tenant)) {
      outlived = outlive(client);
      try (Connection admin = lock(victim)) {
        for (int i = 0; i < rounds; i++) {
          blocked.forEach(call -> alone.call(call, calls));
          beside(blocked, 0, calls, together);
          beside(Collections.nCopies(QUEUED, track()), APART, calls, queued);
        }
        sdk = untilDeadline(client);
        admin.rollback();
      }
    }
    channel.shutdownNow();
    int done = alone.done + together.done + queued.done;
    return Verdict.of(ID)
        .with("calls", alone.calls + together.calls + queued.calls)
        .with("cap_ms", CAP)
        .with("max_runtime_ms", alone.slowest)
        .with("max_runtime_at_once_ms", together.slowest)
        .with("max_runtime_queued_ms", queued.slowest)
        .with("done_in_spite_of_the_lock", done)
        .with("sdk_calls_after_a_deadline", outlived)
        .with("sdk_deadline_ms", SDK_DEADLINE)
        .with("sdk_runtime_ms", sdk)
        .met(
            alone.slowest <= CAP + SLACK
                && together.slowest <= WAIT + CAP + SLACK
                && queued.slowest <= 2 * CAP + SLACK
                && done == 0
                && outlived > 0
                && sdk >= SDK_DEADLINE
                && sdk <= SDK_DEADLINE + SLACK);
  }

  private static Blocked<?, ?> track() {
    return new Blocked<>(EventServiceGrpc.getTrackEventMethod(), Make.track(Make.event("ada")));
  }

  private static List<Blocked<?, ?>> prepare(Calls calls, Victim victim, UUID tenant)
      throws Exception {
    calls.untilAnswered(
        EventServiceGrpc.getTrackEventMethod(), Make.track(Make.event("ada")), 30_000);
    calls.untilAnswered(
        EventServiceGrpc.getCountEventsMethod(), CountEventsRequest.getDefaultInstance(), 30_000);
    String user = victim.userOf(tenant, "ada");
    List<Blocked<?, ?>> blocked = new ArrayList<>();
    blocked.add(
        new Blocked<>(
            EventServiceGrpc.getGetEventMethod(),
            GetEventRequest.newBuilder().setId(Make.id()).build()));
    blocked.add(
        new Blocked<>(
            EventServiceGrpc.getListEventsMethod(), ListEventsRequest.getDefaultInstance()));
    blocked.add(
        new Blocked<>(
            EventServiceGrpc.getCountEventsMethod(), CountEventsRequest.getDefaultInstance()));
    blocked.add(track());
    blocked.add(
        new Blocked<>(
            EventServiceGrpc.getBatchTrackEventsMethod(), Make.eventsOf(List.of("ada", "bob"))));
    blocked.add(
        new Blocked<>(
            EventServiceGrpc.getBatchTrackEventsMethod(),
            Make.eventsOf(List.of("ada", "bob")).toBuilder().setAllOrNothing(true).build()));
    blocked.add(
        new Blocked<>(
            EventPropertyServiceGrpc.getDeclarePropertyMethod(), Make.declare(Make.id(), "tempo")));
    blocked.add(
        new Blocked<>(
            UserServiceGrpc.getGetUserMethod(), GetUserRequest.newBuilder().setId(user).build()));
    blocked.add(
        new Blocked<>(UserServiceGrpc.getListUsersMethod(), ListUsersRequest.getDefaultInstance()));
    blocked.add(
        new Blocked<>(
            UserServiceGrpc.getCreateUserMethod(),
            CreateUserRequest.newBuilder()
                .setRequestId(Make.id())
                .setUser(User.newBuilder().setEmail("ada@example.org"))
                .build()));
    blocked.add(
        new Blocked<>(
            UserServiceGrpc.getLinkIdentityMethod(), Make.link(Make.id(), user, "ada too")));
    blocked.add(
        new Blocked<>(
            TenantServiceGrpc.getListTenantsMethod(), ListTenantsRequest.getDefaultInstance()));
    blocked.add(
        new Blocked<>(
            TenantServiceGrpc.getCreateTenantMethod(), Make.tenant(Make.id(), "", "slow tenant")));
    return blocked;
  }

  /** Calls that begin so far apart, and go on beside each other. */
  private static void beside(List<Blocked<?, ?>> blocked, long apart, Calls calls, Seen seen) {
    List<CompletableFuture<Void>> running = new ArrayList<>();
    for (Blocked<?, ?> call : blocked) {
      running.add(
          Threads.start(() -> {
            seen.call(call, calls);
            return true;
          }));
      Threads.sleep(apart);
    }
    running.forEach(CompletableFuture::join);
  }

  private static Connection lock(Victim victim) throws SQLException {
    Connection admin = victim.connect();
    admin.setAutoCommit(false);
    try (Statement statement = admin.createStatement()) {
      statement.execute(LOCK);
    }
    return admin;
  }

  private static RapportClient client(Victim victim, UUID tenant) throws Exception {
    Duration deadline = Duration.ofMillis(SDK_DEADLINE);
    return victim.client(victim.port(), tenant).readDeadline(deadline).build();
  }

  /** Calls for longer than a deadline lasts; returns how many calls that were begun after it. */
  private static int outlive(RapportClient client) {
    int outlived = 0;
    long start = System.nanoTime();
    while (Threads.millisSince(start) < REUSE) {
      boolean after = Threads.millisSince(start) > SDK_DEADLINE;
      var _ = client.events().count(CountEventsRequest.getDefaultInstance());
      outlived += after ? 1 : 0;
      Threads.sleep(50);
    }
    return outlived;
  }

  /** Milliseconds until the SDK gives a call up. */
  private static long untilDeadline(RapportClient client) {
    long start = System.nanoTime();
    try {
      var _ = client.events().count(CountEventsRequest.getDefaultInstance());
      throw new IllegalStateException("the lock holds nobody up");
    } catch (DeadlineExceededException expected) {
      return Threads.millisSince(start);
    }
  }

  private static Verdict database(Victim victim) throws Exception {
    try (Connection admin = lock(victim);
        Connection careless = victim.connect()) {
      long start = System.nanoTime();
      CompletableFuture<Void> reading = Threads.start(() -> read(careless));
      boolean over = Threads.await(3 * CAP, reading::isDone) >= 0;
      long took = Threads.millisSince(start);
      admin.rollback();
      reading.join();
      return Verdict.of(ID)
          .with("of", "database")
          .with("max_runtime_ms", over ? took : ">" + 3 * CAP)
          .failed(!over || took > CAP + SLACK);
    }
  }

  private static Boolean read(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      return statement.execute("SELECT FROM tracking.behavioral_events LIMIT 1");
    }
  }

  /** One deadline, taken when the stub is made. */
  private static Verdict stub(Victim victim) throws Exception {
    ManagedChannel channel = Victim.channel(victim.port());
    Calls calls = new Calls(channel, victim.token(victim.newTenant()), CAP);
    CallOptions once = CallOptions.DEFAULT.withDeadlineAfter(SDK_DEADLINE, TimeUnit.MILLISECONDS);
    int failed = 0;
    for (int i = 0; i < 20; i++) {
      failed +=
          calls
                  .call(
                      EventServiceGrpc.getCountEventsMethod(),
                      CountEventsRequest.getDefaultInstance(),
                      once)
                  .ok()
              ? 0
              : 1;
      Threads.sleep(50);
    }
    channel.shutdownNow();
    return Verdict.of(ID)
        .with("of", "stub")
        .with("calls", 20)
        .with("calls_failed", failed)
        .failed(failed > 0);
  }
}
