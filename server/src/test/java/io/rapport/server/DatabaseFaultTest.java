package io.rapport.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status.Code;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.rapport.db.Database;
import io.rapport.db.Durability;
import io.rapport.db.LocalPostgres;
import io.rapport.db.Migrations;
import io.rapport.identity.v1.CreateTenantRequest;
import io.rapport.identity.v1.ListTenantsRequest;
import io.rapport.identity.v1.Tenant;
import io.rapport.identity.v1.TenantServiceGrpc;
import io.rapport.tracking.v1.CountEventsRequest;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.TrackEventRequest;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** A server over a database of its own, which is slow, full or gone. */
class DatabaseFaultTest {
  private static final String COUNT = "rapport.tracking.v1.EventService/CountEvents";
  private static final String TRACK = "rapport.tracking.v1.EventService/TrackEvent";
  private static final String CREATE_TENANT = "rapport.identity.v1.TenantService/CreateTenant";

  /** Of those whose lock is held, until it is let go. */
  private static final String HOLD_UP_COMMITS_OF_TENANTS =
      """
      create function public.hold_up() returns trigger language plpgsql security definer
        set lock_timeout = '30s'
        as 'begin perform pg_advisory_xact_lock(4711); return null; end';
      create constraint trigger hold_up after insert on identity.tenants
        deferrable initially deferred for each row execute function public.hold_up()
      """;

  private static final byte[] ALL = CountEventsRequest.getDefaultInstance().toByteArray();
  private static final LocalPostgres postgres = postgres();
  private static final Database database = postgres.database();

  /** With patience for locks, by which statements are made to wait. */
  private static LocalPostgres postgres() {
    LocalPostgres postgres = LocalPostgres.temporary(Durability.NONE);
    Migrations.of(postgres.database()).migrate();
    try (Connection admin = connect(postgres.database());
        Statement statement = admin.createStatement()) {
      statement.execute("alter role rapport_server set lock_timeout = '30s'");
      statement.execute("alter role rapport_system set lock_timeout = '30s'");
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    return postgres;
  }

  private static RapportServer serve(Map<String, String> variables) {
    return serve(database, variables);
  }

  private static RapportServer serve(Database from, Map<String, String> variables) {
    Map<String, String> environment = new java.util.HashMap<>();
    environment.put("RAPPORT_PORT", "0");
    environment.put("RAPPORT_METRICS_PORT", "0");
    environment.put("RAPPORT_DRAIN_MS", "0");
    environment.put("RAPPORT_DEVELOPMENT", "true");
    environment.putAll(variables);
    return RapportServer.start(ServerConfig.of(environment, from), Clock.systemUTC());
  }

  @AfterAll
  static void stop() {
    postgres.close();
  }

  @Test
  void endsTheWorkInTheDatabaseAtTheDeadline() throws Exception {
    try (RapportServer server = serve(Map.of());
        Connection admin = admin()) {
      ManagedChannel channel = Wire.open(server.port());
      assertThat(count(channel, 5000).code()).isEqualTo(Code.OK);
      long end;
      try (Locked _ = new Locked(admin)) {
        Wire.Ending ending = count(channel, 200);
        end = System.nanoTime();

        assertThat(ending.code()).isEqualTo(Code.DEADLINE_EXCEEDED);
        await(Duration.ofSeconds(1), () -> running() == 0);
        long late = Duration.ofNanos(System.nanoTime() - end).toMillis();
        assertThat(late).as("backend_alive_after_deadline_ms").isLessThanOrEqualTo(150);
      }

      for (int i = 0; i < 30; i++) {
        assertThat(count(channel, 5000).code()).isEqualTo(Code.OK);
      }
      assertThat(number("select count(*) from pg_stat_activity where state like 'idle in%'"))
          .isZero();
      channel.shutdownNow();
    }
  }

  @Test
  void endsTheWorkOfACallWithoutDeadlineAtTheCap() throws Exception {
    try (RapportServer server = serve(Map.of("RAPPORT_STATEMENT_TIMEOUT_MS", "300"));
        Connection admin = admin()) {
      ManagedChannel channel = Wire.open(server.port());
      assertThat(count(channel, 5000).code()).isEqualTo(Code.OK);
      try (Locked _ = new Locked(admin)) {
        long start = System.nanoTime();

        assertThatThrownBy(() ->
                EventServiceGrpc.newBlockingStub(channel)
                    .countEvents(CountEventsRequest.getDefaultInstance()))
            .hasMessageStartingWith("DEADLINE_EXCEEDED: the call's time was over");
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
      }
      channel.shutdownNow();
    }
  }

  @Test
  void endsAnOperatorsCallsAtTheCapToo() throws Exception {
    try (RapportServer server = serve(Map.of("RAPPORT_STATEMENT_TIMEOUT_MS", "300"));
        Connection admin = admin()) {
      ManagedChannel channel = Wire.open(server.port());
      var tenants = TenantServiceGrpc.newBlockingStub(channel);
      assertThat(tenants.listTenants(ListTenantsRequest.getDefaultInstance())).isNotNull();
      try (Locked _ = new Locked(admin, "identity.tenants")) {
        long start = System.nanoTime();

        assertThatThrownBy(() -> tenants.listTenants(ListTenantsRequest.getDefaultInstance()))
            .hasMessageStartingWith("DEADLINE_EXCEEDED: the call's time was over");
        assertThatThrownBy(() ->
                tenants.createTenant(
                    CreateTenantRequest.newBuilder()
                        .setTenant(Tenant.newBuilder().setDisplayName("held up"))
                        .build()))
            .hasMessageStartingWith("DEADLINE_EXCEEDED: the call's time was over");
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(4));
      }
      channel.shutdownNow();
    }
  }

  @Test
  void saysSoWhenEveryConnectionIsInUseAndHealthGoesOn() throws Exception {
    try (RapportServer server = serve(Map.of("RAPPORT_DATABASE_CONNECTIONS", "2"));
        Connection admin = admin()) {
      ManagedChannel channel = Wire.open(server.port());
      assertThat(count(channel, 5000).code()).isEqualTo(Code.OK);
      List<CompletableFuture<Wire.Ending>> calls = new ArrayList<>();
      try (Locked _ = new Locked(admin)) {
        for (int i = 0; i < 8; i++) {
          calls.add(
              CompletableFuture.supplyAsync(
                  () -> count(channel, 3000), Thread::startVirtualThread));
        }
        List<Wire.Ending> endings = calls.stream().map(CompletableFuture::join).toList();

        assertThat(endings).extracting(Wire.Ending::reason).contains("DB_SATURATED");
        assertThat(endings)
            .extracting(Wire.Ending::reason)
            .isSubsetOf("DB_SATURATED", "DEADLINE_PASSED", "");
        assertThat(health(channel)).isEqualTo(ServingStatus.SERVING);
      }
      assertThat(count(channel, 5000).code()).isEqualTo(Code.OK);
      channel.shutdownNow();
    }
  }

  @Test
  void failsFastWithoutDatabaseAndHealsAlone() throws Exception {
    try (DatabaseProxy proxy = new DatabaseProxy(database);
        RapportServer server = serve(proxy.database(), Map.of())) {
      ManagedChannel channel = Wire.open(server.port());
      assertThat(count(channel, 5000).code()).isEqualTo(Code.OK);
      await(Duration.ofSeconds(5), () -> health(channel) == ServingStatus.SERVING);

      proxy.vanish();
      await(Duration.ofSeconds(3), () -> health(channel) == ServingStatus.NOT_SERVING);
      assertEndFast(channel);

      proxy.comeBack();
      await(Duration.ofSeconds(5), () -> count(channel, 5000).code() == Code.OK);
      await(Duration.ofSeconds(5), () -> health(channel) == ServingStatus.SERVING);
      channel.shutdownNow();
    }
  }

  @Test
  void endsCallsUnderWayWhenTheDatabaseHangs() throws Exception {
    try (DatabaseProxy proxy = new DatabaseProxy(database);
        RapportServer server =
            serve(proxy.database(), Map.of("RAPPORT_STATEMENT_TIMEOUT_MS", "2000"));
        Connection admin = admin()) {
      ManagedChannel channel = Wire.open(server.port());
      assertThat(count(channel, 5000).code()).isEqualTo(Code.OK);
      CompletableFuture<Wire.Ending> call;
      try (Locked _ = new Locked(admin)) {
        call =
            CompletableFuture.supplyAsync(() -> count(channel, 30_000), Thread::startVirtualThread);
        await(Duration.ofSeconds(2), () -> running() == 1);
        proxy.hang();

        assertThat(call.get(15, TimeUnit.SECONDS).reason()).isEqualTo("DB_UNAVAILABLE");
      }
      channel.shutdownNow();
    }
  }

  @Test
  void failsFastWhenTheDatabaseHangsAndHealsAlone() throws Exception {
    try (DatabaseProxy proxy = new DatabaseProxy(database);
        RapportServer server = serve(proxy.database(), Map.of())) {
      ManagedChannel channel = Wire.open(server.port());
      assertThat(count(channel, 5000).code()).isEqualTo(Code.OK);
      await(Duration.ofSeconds(5), () -> health(channel) == ServingStatus.SERVING);

      proxy.hang();
      await(Duration.ofSeconds(3), () -> health(channel) == ServingStatus.NOT_SERVING);
      assertEndFast(channel);

      proxy.vanish();
      proxy.comeBack();
      await(Duration.ofSeconds(5), () -> count(channel, 5000).code() == Code.OK);
      await(Duration.ofSeconds(5), () -> health(channel) == ServingStatus.SERVING);
      channel.shutdownNow();
    }
  }

  @Test
  void breaksOffWhatWaitsForADatabaseThatHangs() throws Exception {
    try (DatabaseProxy proxy = new DatabaseProxy(database);
        RapportServer server = serve(proxy.database(), Map.of());
        Connection admin = admin()) {
      ManagedChannel channel = Wire.open(server.port());
      assertThat(count(channel, 5000).code()).isEqualTo(Code.OK);
      try (Locked _ = new Locked(admin)) {
        CompletableFuture<Wire.Ending> call =
            CompletableFuture.supplyAsync(() -> count(channel, 20_000), Thread::startVirtualThread);
        await(Duration.ofSeconds(5), () -> running() == 1);

        proxy.hang();

        Wire.Ending ending = call.get(5, TimeUnit.SECONDS);
        assertThat(ending.reason()).as("%s", ending).isEqualTo("DB_UNAVAILABLE");
      }
      channel.shutdownNow();
    }
  }

  @Test
  void saysThatATenantMayHaveBeenMade() throws Exception {
    CreateTenantRequest request =
        CreateTenantRequest.newBuilder()
            .setTenant(Tenant.newBuilder().setId(Given.id()).setDisplayName("in doubt"))
            .build();
    try (DatabaseProxy proxy = new DatabaseProxy(database);
        RapportServer server = serve(proxy.database(), Map.of());
        Connection admin = admin();
        Statement statement = admin.createStatement()) {
      ManagedChannel channel = Wire.open(server.port());
      statement.execute(HOLD_UP_COMMITS_OF_TENANTS);
      statement.execute("select pg_advisory_lock(4711)");
      CompletableFuture<Wire.Ending> call =
          CompletableFuture.supplyAsync(
              () -> Wire.call(channel, CREATE_TENANT, request.toByteArray()),
              Thread::startVirtualThread);
      await(Duration.ofSeconds(5), () -> waiting() == 1);

      proxy.vanish();

      assertThat(call.join().reason()).as("%s", call.join()).isEqualTo("COMMIT_OUTCOME_UNKNOWN");
      statement.execute("select pg_advisory_unlock(4711)");
      statement.execute("drop function public.hold_up() cascade");
      channel.shutdownNow();
    }
  }

  @Test
  void saysThatAnEventMayHaveBeenRecorded() throws Exception {
    TrackEventRequest request =
        TrackEventRequest.newBuilder().setEvent(Given.eventOf("in_doubt")).build();
    try (DatabaseProxy proxy = new DatabaseProxy(database);
        RapportServer server = serve(proxy.database(), Map.of());
        Connection admin = admin()) {
      ManagedChannel channel = Wire.open(server.port());
      assertThat(Wire.call(channel, TRACK, request.toByteArray()).code()).isEqualTo(Code.OK);
      try (Locked _ = new Locked(admin)) {
        CompletableFuture<Wire.Ending> call =
            CompletableFuture.supplyAsync(
                () -> Wire.call(channel, TRACK, request.toByteArray()), Thread::startVirtualThread);
        await(Duration.ofSeconds(5), () -> running() == 1);

        proxy.vanish();

        assertThat(call.join().reason()).as("%s", call.join()).isEqualTo("COMMIT_OUTCOME_UNKNOWN");
      }
      channel.shutdownNow();
    }
  }

  private static long waiting() throws SQLException {
    return number("select count(*) from pg_locks where locktype = 'advisory' and not granted");
  }

  private static void assertEndFast(ManagedChannel channel) {
    for (int i = 0; i < 10; i++) {
      long start = System.nanoTime();
      Wire.Ending ending = count(channel, 10_000);
      Duration took = Duration.ofNanos(System.nanoTime() - start);

      assertThat(ending.code()).as("%s", ending).isEqualTo(Code.UNAVAILABLE);
      assertThat(ending.reason()).as("%s", ending).isEqualTo("DB_UNAVAILABLE");
      assertThat(took).isLessThan(Duration.ofSeconds(2));
    }
  }

  @Test
  void finishesCallsUnderWayBeforeItStops() throws Exception {
    try (Connection admin = admin()) {
      RapportServer server = serve(Map.of());
      ManagedChannel channel = Wire.open(server.port());
      assertThat(count(channel, 5000).code()).isEqualTo(Code.OK);
      CompletableFuture<Wire.Ending> call;
      CompletableFuture<Void> stopped;
      try (Locked _ = new Locked(admin)) {
        call =
            CompletableFuture.supplyAsync(() -> count(channel, 9000), Thread::startVirtualThread);
        await(Duration.ofSeconds(2), () -> running() == 1);
        stopped = CompletableFuture.runAsync(server::close, Thread::startVirtualThread);
        await(Duration.ofSeconds(2), () -> refusesNewCalls(server.port()));
      }

      assertThat(call.join().code()).as("%s", call.join()).isEqualTo(Code.OK);
      stopped.get(15, TimeUnit.SECONDS);
      channel.shutdownNow();
    }
  }

  @Test
  void stopsInTimeAfterAMessageThatWasTooLarge() throws Exception {
    RapportServer server = serve(Map.of());
    ManagedChannel channel = Wire.open(server.port());
    assertThat(Wire.call(channel, COUNT, new byte[9 * 1024 * 1024]).code())
        .isEqualTo(Code.RESOURCE_EXHAUSTED);

    CompletableFuture<Void> stopped =
        CompletableFuture.runAsync(server::close, Thread::startVirtualThread);

    stopped.get(15, TimeUnit.SECONDS);
    channel.shutdownNow();
  }

  private static boolean refusesNewCalls(int port) {
    ManagedChannel fresh = Wire.open(port);
    try {
      return Wire.call(fresh, "grpc.health.v1.Health/Check", new byte[0]).code()
          == Code.UNAVAILABLE;
    } finally {
      fresh.shutdownNow();
    }
  }

  private static Wire.Ending count(ManagedChannel channel, long deadlineMillis) {
    return Wire.call(
        channel,
        COUNT,
        new Metadata(),
        CallOptions.DEFAULT.withDeadlineAfter(deadlineMillis, TimeUnit.MILLISECONDS),
        ALL);
  }

  private static ServingStatus health(ManagedChannel channel) {
    HealthCheckResponse response =
        HealthGrpc.newBlockingStub(channel).check(HealthCheckRequest.getDefaultInstance());
    return response.getStatus();
  }

  private static Connection admin() throws SQLException {
    return connect(database);
  }

  private static Connection connect(Database to) throws SQLException {
    return DriverManager.getConnection(to.jdbcUrl(), to.user(), to.password());
  }

  private static long number(String sql) throws SQLException {
    try (Connection admin = admin();
        Statement statement = admin.createStatement();
        var rows = statement.executeQuery(sql)) {
      assertThat(rows.next()).isTrue();
      return rows.getLong(1);
    }
  }

  /** How many statements of the server run. */
  private static long running() throws SQLException {
    return number(
        "select count(*) from pg_stat_activity"
            + " where usename = 'rapport_server' and state = 'active'");
  }

  private static void await(Duration time, Callable<Boolean> condition) throws Exception {
    long end = System.nanoTime() + time.toNanos();
    while (!condition.call()) {
      assertThat(System.nanoTime()).as("waited %s", time).isLessThan(end);
      Thread.onSpinWait();
    }
  }

  /** Keeps the server from reading events. */
  private static final class Locked implements AutoCloseable {
    private final Connection admin;

    private Locked(Connection admin) throws SQLException {
      this(admin, "tracking.behavioral_events");
    }

    private Locked(Connection admin, String table) throws SQLException {
      this.admin = admin;
      admin.setAutoCommit(false);
      try (Statement statement = admin.createStatement()) {
        statement.execute("lock table " + table + " in access exclusive mode");
      }
    }

    @Override
    public void close() throws SQLException {
      admin.rollback();
    }
  }
}
