package io.rapport.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Duration;
import com.google.rpc.RetryInfo;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status.Code;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.StatusProto;
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
import io.rapport.tracking.v1.ListPropertiesRequest;
import io.rapport.tracking.v1.TrackEventRequest;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jooq.CloseableDSLContext;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A server that gets more calls than it can answer. */
class AdmissionTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final String COUNT = EventServiceGrpc.getCountEventsMethod().getFullMethodName();
  private static final String LIST = "rapport.tracking.v1.EventPropertyService/ListProperties";
  private static final byte[] ALL = CountEventsRequest.getDefaultInstance().toByteArray();

  /** 12 for each connection. */
  private static final int LIMIT = 48;

  /** What one tenant gets of it if no other calls. */
  private static final int SHARE = 32;

  private static final LocalPostgres postgres = postgres();

  private final RapportServer server = serve(Map.of("RAPPORT_DATABASE_CONNECTIONS", "4"));
  private final ManagedChannel channel = Wire.open(server.port());
  private final String flooding = tokenOfNewTenant();
  private final String polite = tokenOfNewTenant();

  /** With patience for locks, by which statements are made to wait. */
  private static LocalPostgres postgres() {
    LocalPostgres postgres = LocalPostgres.temporary(Durability.NONE);
    Database database = postgres.database();
    Migrations.of(database).migrate();
    try (CloseableDSLContext admin =
        DSL.using(database.jdbcUrl(), database.user(), database.password())) {
      admin.execute("ALTER ROLE rapport_server SET lock_timeout = '30s'");
    }
    return postgres;
  }

  private static RapportServer serve(Map<String, String> variables) {
    Map<String, String> environment = new HashMap<>(variables);
    environment.put("RAPPORT_PORT", "0");
    environment.put("RAPPORT_METRICS_PORT", "0");
    environment.put("RAPPORT_DRAIN_MS", "0");
    environment.put("RAPPORT_DEVELOPMENT", "true");
    environment.put("RAPPORT_JWKS_FILE", rapport.tokens().jwks().toString());
    return RapportServer.start(
        ServerConfig.of(environment, postgres.database()), Clock.systemUTC());
  }

  private String tokenOfNewTenant() {
    UUID id = UUID.randomUUID();
    TenantServiceGrpc.newBlockingStub(channel)
        .createTenant(
            CreateTenantRequest.newBuilder()
                .setTenant(Tenant.newBuilder().setId(id.toString()).setDisplayName("tenant " + id))
                .build());
    return "Bearer " + rapport.tokens().of(id, Tokens.ALL_RIGHTS);
  }

  @AfterAll
  static void stopPostgres() {
    postgres.close();
  }

  @BeforeEach
  void warmUp() {
    assertThat(count(flooding).code()).isEqualTo(Code.OK);
    assertThat(list(polite).code()).isEqualTo(Code.OK);
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    server.close();
  }

  @Test
  void aTenantThatFloodsKeepsNoOtherFromBeingAnswered() throws Exception {
    List<CompletableFuture<Wire.Ending>> flood = new ArrayList<>();
    try (Locked _ = new Locked()) {
      for (int i = 0; i < 500; i++) {
        flood.add(start(() -> count(flooding)));
      }
      await(() -> flood.stream().filter(CompletableFuture::isDone).count() >= 500 - SHARE);

      for (int i = 0; i < 50; i++) {
        Wire.Ending ending = list(polite);
        assertThat(ending.code()).as("%s", ending).isEqualTo(Code.OK);
      }
    }
    List<Wire.Ending> endings = flood.stream().map(CompletableFuture::join).toList();
    assertThat(endings)
        .extracting(Wire.Ending::reason)
        .isSubsetOf("", "OVERLOADED", "DB_SATURATED", "DEADLINE_PASSED");
    assertThat(endings).filteredOn(it -> it.reason().equals("OVERLOADED")).hasSize(500 - SHARE);
  }

  @Test
  void refusesAtOnceAndSaysWhenToComeAgain() throws Exception {
    try (RapportServer few = serve(Map.of("RAPPORT_MAX_CALLS", "3"))) {
      ManagedChannel other = Wire.open(few.port());
      List<CompletableFuture<Wire.Ending>> slow = new ArrayList<>();
      List<Long> micros = new ArrayList<>();
      try (Locked _ = new Locked()) {
        slow.add(start(() -> count(other, flooding)));
        slow.add(start(() -> count(other, flooding)));
        await(() -> figure(few, "rapport_admission_in_flight{lane=\"ordinary\"}") == 2);

        for (int i = 0; i < 200; i++) {
          long start = System.nanoTime();
          Wire.Ending refused = count(other, flooding);
          micros.add(TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - start));

          assertThat(refused.reason()).as("%s", refused).isEqualTo("OVERLOADED");
          assertThat(refused.code()).isEqualTo(Code.UNAVAILABLE);
          assertThat(refused.info().orElseThrow().getMetadataMap()).containsEntry("bound", "share");
          assertThat(retryDelay(refused))
              .isEqualTo(Duration.newBuilder().setNanos(250_000_000).build());
        }
        assertThat(slow).noneMatch(CompletableFuture::isDone);
        assertThat(
                figure(few, "rapport_admission_refused_total{lane=\"ordinary\",reason=\"share\"}"))
            .isEqualTo(200);
      }
      slow.forEach(AdmissionTest::awaitEnd);
      Collections.sort(micros);
      assertThat(micros.get(100)).as("median of %s", micros).isLessThanOrEqualTo(10_000);
      other.shutdownNow();
    }
  }

  @Test
  void reservedCallsAreAnsweredWhileAllElseIsBusy() throws Exception {
    List<CompletableFuture<Wire.Ending>> flood = new ArrayList<>();
    try (Locked _ = new Locked()) {
      for (String token : List.of(flooding, polite)) {
        for (int i = 0; i < LIMIT; i++) {
          flood.add(start(() -> count(token)));
        }
      }
      await(() -> flood.stream().filter(CompletableFuture::isDone).count() > LIMIT);

      for (int i = 0; i < 20; i++) {
        assertThat(call(TenantServiceGrpc.getListTenantsMethod(), polite).code())
            .isEqualTo(Code.OK);
        assertThat(call(HealthGrpc.getCheckMethod(), "").code()).isEqualTo(Code.OK);
        assertThat(reflects(polite)).isTrue();
      }
    }
    flood.forEach(AdmissionTest::awaitEnd);
  }

  @Test
  void answersAllAgainWhenTheFloodIsOver() throws Exception {
    List<CompletableFuture<Wire.Ending>> flood = new ArrayList<>();
    try (Locked _ = new Locked()) {
      for (int i = 0; i < 2 * LIMIT; i++) {
        flood.add(start(() -> count(flooding)));
      }
      await(() -> flood.stream().filter(CompletableFuture::isDone).count() > LIMIT);
    }
    flood.forEach(AdmissionTest::awaitEnd);

    assertThat(count(flooding).code()).isEqualTo(Code.OK);
    assertThat(figure("rapport_admission_in_flight{lane=\"ordinary\"}")).isZero();
    assertThat(figure("rapport_connections_waiting")).isZero();
  }

  @Test
  void calledOffCallsLeaveTheirPlaces() throws Exception {
    MethodDescriptor<byte[], byte[]> method = RawCalls.raw(EventServiceGrpc.getCountEventsMethod());
    for (int i = 0; i < 10_000; i++) {
      ClientCall<byte[], byte[]> call = channel.newCall(method, CallOptions.DEFAULT);
      call.start(new ClientCall.Listener<>() {}, headers(flooding));
      call.request(1);
      if (i % 3 != 0) {
        call.sendMessage(ALL);
      }
      if (i % 3 == 1) {
        call.halfClose();
      }
      call.cancel("called off", null);
    }

    await(() -> figure("rapport_admission_in_flight{lane=\"ordinary\"}") == 0);
    assertThat(count(flooding).code()).isEqualTo(Code.OK);
  }

  @Test
  void eventsThatWaitToBeRecordedTakeNoPlaces() throws Exception {
    List<CompletableFuture<Wire.Ending>> events = new ArrayList<>();
    try (Locked _ = new Locked()) {
      for (int i = 0; i < 3 * LIMIT; i++) {
        byte[] event = TrackEventRequest.newBuilder().setEvent(Given.event()).build().toByteArray();
        events.add(
            start(() ->
                Wire.call(
                    channel,
                    EventServiceGrpc.getTrackEventMethod().getFullMethodName(),
                    headers(flooding),
                    CallOptions.DEFAULT,
                    event)));
      }
      assertThat(list(flooding).code()).isEqualTo(Code.OK);
    }
    assertThat(events.stream().map(CompletableFuture::join).toList())
        .extracting(Wire.Ending::code)
        .containsOnly(Code.OK);
  }

  @Test
  void streamsHaveABoundOfTheirOwn() throws Exception {
    try (RapportServer few = serve(Map.of("RAPPORT_MAX_STREAMS", "2"))) {
      ManagedChannel other = Wire.open(few.port());
      List<Stream> open = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        open.add(new Stream(other));
      }
      await(() -> figure(few, "rapport_admission_in_flight{lane=\"streams\"}") == 2);

      Wire.Ending refused = ingest(other);
      assertThat(refused.reason()).as("%s", refused).isEqualTo("OVERLOADED");
      assertThat(refused.info().orElseThrow().getMetadataMap()).containsEntry("bound", "limit");

      open.forEach(Stream::close);
      await(() -> figure(few, "rapport_admission_in_flight{lane=\"streams\"}") == 0);
      assertThat(ingest(other).code()).isEqualTo(Code.OK);
      other.shutdownNow();
    }
  }

  /** An open stream of events. */
  private final class Stream {
    private final ClientCall<byte[], byte[]> call;

    private Stream(ManagedChannel on) {
      call =
          on.newCall(RawCalls.raw(EventServiceGrpc.getIngestEventsMethod()), CallOptions.DEFAULT);
      call.start(new ClientCall.Listener<>() {}, headers(flooding));
    }

    private void close() {
      call.cancel("enough", null);
    }
  }

  private Wire.Ending ingest(ManagedChannel on) {
    return Wire.call(
        on,
        EventServiceGrpc.getIngestEventsMethod().getFullMethodName(),
        headers(flooding),
        CallOptions.DEFAULT);
  }

  private Wire.Ending count(String token) {
    return count(channel, token);
  }

  private static Wire.Ending count(ManagedChannel on, String token) {
    return Wire.call(
        on,
        COUNT,
        headers(token),
        CallOptions.DEFAULT.withDeadlineAfter(10, TimeUnit.SECONDS),
        ALL);
  }

  private Wire.Ending list(String token) {
    return Wire.call(
        channel,
        LIST,
        headers(token),
        CallOptions.DEFAULT,
        ListPropertiesRequest.getDefaultInstance().toByteArray());
  }

  private Wire.Ending call(MethodDescriptor<?, ?> method, String token) {
    return Wire.call(
        channel,
        method.getFullMethodName(),
        headers(token),
        CallOptions.DEFAULT,
        ListTenantsRequest.getDefaultInstance().toByteArray());
  }

  private boolean reflects(String token) {
    return Wire.call(
                channel,
                "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                headers(token),
                CallOptions.DEFAULT)
            .code()
        == Code.OK;
  }

  private static Metadata headers(String token) {
    return token.isEmpty() ? new Metadata() : Wire.authorization(token);
  }

  private static CompletableFuture<Wire.Ending> start(Callable<Wire.Ending> call) {
    CompletableFuture<Wire.Ending> ending = new CompletableFuture<>();
    Thread.startVirtualThread(() -> {
      try {
        ending.complete(call.call());
      } catch (Exception e) {
        ending.completeExceptionally(e);
      }
    });
    return ending;
  }

  private static void awaitEnd(CompletableFuture<?> call) {
    call.exceptionally(e -> null).join();
  }

  private static Duration retryDelay(Wire.Ending ending) throws IOException {
    for (var detail :
        StatusProto.fromStatusAndTrailers(ending.status(), ending.trailers()).getDetailsList()) {
      if (detail.is(RetryInfo.class)) {
        return detail.unpack(RetryInfo.class).getRetryDelay();
      }
    }
    return Duration.getDefaultInstance();
  }

  private double figure(String name) throws IOException, InterruptedException {
    return figure(server, name);
  }

  private static double figure(RapportServer of, String name)
      throws IOException, InterruptedException {
    URI metrics = URI.create("http://127.0.0.1:" + of.metricsPort() + "/metrics");
    try (HttpClient http = HttpClient.newHttpClient()) {
      String text =
          http.send(HttpRequest.newBuilder(metrics).build(), BodyHandlers.ofString()).body();
      return text.lines()
          .filter(line -> line.startsWith(name + " "))
          .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
          .findFirst()
          .orElseThrow(() -> new AssertionError("no figure " + name + " in\n" + text));
    }
  }

  private static void await(Callable<Boolean> condition) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (!condition.call()) {
      assertThat(System.nanoTime()).as("waited 20 s").isLessThan(end);
      TimeUnit.MILLISECONDS.sleep(5);
    }
  }

  /** Keeps the server from counting events, until it is closed. */
  private static final class Locked implements AutoCloseable {
    private final CloseableDSLContext admin =
        DSL.using(
            postgres.database().jdbcUrl(),
            postgres.database().user(),
            postgres.database().password());

    private Locked() {
      admin.execute("BEGIN");
      admin.execute("LOCK TABLE tracking.behavioral_events IN ACCESS EXCLUSIVE MODE");
    }

    @Override
    public void close() {
      admin.execute("ROLLBACK");
      admin.close();
    }
  }
}
