package io.rapport.server;

import static java.time.ZoneOffset.UTC;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.util.Timestamps;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status.Code;
import io.rapport.client.RapportClient;
import io.rapport.client.Watch;
import io.rapport.client.WatchOptions;
import io.rapport.db.Database;
import io.rapport.db.Durability;
import io.rapport.db.LocalPostgres;
import io.rapport.db.Migrations;
import io.rapport.identity.v1.GetUserRequest;
import io.rapport.identity.v1.Identity;
import io.rapport.identity.v1.ListTenantsRequest;
import io.rapport.identity.v1.ListUsersRequest;
import io.rapport.identity.v1.UserFilter;
import io.rapport.platform.v1.Change;
import io.rapport.platform.v1.ChangeFilter;
import io.rapport.platform.v1.TextFilter;
import io.rapport.tracking.v1.CheckContractRequest;
import io.rapport.tracking.v1.CountEventsRequest;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventContract;
import io.rapport.tracking.v1.EventFilter;
import io.rapport.tracking.v1.EventGrouping;
import io.rapport.tracking.v1.EventProperty;
import io.rapport.tracking.v1.EventTimeRange;
import io.rapport.tracking.v1.EventTimeRange.Clock;
import io.rapport.tracking.v1.GetEventRequest;
import io.rapport.tracking.v1.ListContractsRequest;
import io.rapport.tracking.v1.ListEventsRequest;
import io.rapport.tracking.v1.ListEventsRequest.Order;
import io.rapport.tracking.v1.ListPropertiesRequest;
import io.rapport.tracking.v1.ListQuarantinedEventsRequest;
import io.rapport.tracking.v1.NumberRange;
import io.rapport.tracking.v1.PropertyFilter;
import io.rapport.tracking.v1.StringSet;
import io.rapport.tracking.v1.TimeBucket;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * How PostgreSQL finds what is read, as it logs it for the server's own connections: by an index,
 * also under row-level security, and in the order that a list has.
 */
@Timeout(180)
class PlanTest {
  private static final int EVENTS = 20_000;
  private static final int OF_OTHERS = 300_000;
  private static final int USERS = 100;
  private static final List<String> TYPES =
      List.of("page_view", "click", "purchase", "commit", "x");
  private static final int PAGE = 51;

  /** Of what has rows: partitions of the months to come are empty, and cheap to look through. */
  private final Pattern largeScan =
      Pattern.compile(
          "Seq Scan on (event_ids|quarantined_events|users|(behavioral_events|event_property_values)_%s)\\b"
              .formatted(DateTimeFormatter.ofPattern("yyyyMM").format(LocalDate.now(UTC))));

  private static final Pattern SORT = Pattern.compile("\\bSort  \\(cost=\\S+ rows=(\\d+)");

  private static final LocalPostgres postgres = LocalPostgres.temporary(Durability.NONE);
  private static final Path log = postgres.directory().resolve("postgres").resolve("server.log");

  @BeforeAll
  static void fill() throws Exception {
    Database database = postgres.database();
    Migrations.of(database).migrate();
    try (RapportServer server = serve();
        RapportClient sdk = RapportClient.connect("127.0.0.1:" + server.port())) {
      sdk.properties().declare("repository", EventProperty.Type.STRING);
      sdk.properties().declare("size", EventProperty.Type.NUMBER);
      sdk.properties().declare("merged", EventProperty.Type.BOOLEAN);
      for (int from = 0; from < EVENTS; from += 2000) {
        List<Event> events = new ArrayList<>();
        for (int i = from; i < from + 2000; i++) {
          events.add(event(i));
        }
        sdk.events().batch(events);
      }
    }
    admin(
        """
        INSERT INTO tracking.behavioral_events
          (tenant_id, id, user_id, event_type, occurred_at, received_at, recorded_at)
        SELECT md5((i %% 15)::text)::uuid, gen_random_uuid(), md5((i %% 5000)::text)::uuid,
               'page_view', now() - i * interval '1 minute', now(), now()
          FROM generate_series(1, %1$d) i;
        INSERT INTO tracking.event_ids (tenant_id, event_id, digest, recorded_at)
        SELECT tenant_id, id, decode(repeat('00', 32), 'hex'), recorded_at
          FROM tracking.behavioral_events WHERE event_type = 'page_view' AND event_data IS NULL;
        INSERT INTO tracking.event_ids (tenant_id, event_id, digest, recorded_at, state)
        SELECT t.id, md5(t.id || '/' || i)::uuid, decode(repeat('00', 32), 'hex'), now(),
               'QUARANTINED'
          FROM identity.tenants t, generate_series(1, 10000) i;
        INSERT INTO tracking.quarantined_events (tenant_id, event_id, event_type, identity_provider,
          identity_subject, quarantined_at, violations)
        SELECT tenant_id, event_id, CASE WHEN event_id::text < '1' THEN 'click' ELSE 'x' END, 'test',
               'user', now() - interval '1 second' * (row_number() OVER ()), '[]'
          FROM tracking.event_ids WHERE state = 'QUARANTINED';
        INSERT INTO tracking.quarantined_events (tenant_id, event_id, event_type, identity_provider,
          identity_subject, violations)
        SELECT md5((i %% 15)::text)::uuid, gen_random_uuid(), 'x', 'test', 'user', '[]'
          FROM generate_series(1, 50000) i;
        INSERT INTO tracking.event_properties (tenant_id, id, name, type, state)
        SELECT md5(t::text)::uuid, md5(t::text)::uuid, 'repository', 'STRING', 'READY'
          FROM generate_series(0, 14) t;
        INSERT INTO tracking.event_property_values
          (tenant_id, property_id, event_id, occurred_at, recorded_at, text_value)
        SELECT tenant_id, tenant_id, id, occurred_at, recorded_at, 'rapport'
          FROM tracking.behavioral_events WHERE event_data IS NULL;
        INSERT INTO platform.tenant_heads (tenant_id, position)
        SELECT md5(t::text)::uuid, 20000 FROM generate_series(0, 14) t;
        INSERT INTO platform.change_log
          (tenant_id, position, ordinal, kind, op, entity_id, user_id, revision)
        SELECT md5(t::text)::uuid, n, 1, 'identity.user', 'CREATED', md5(n::text)::uuid,
               md5(n::text)::uuid, 1
          FROM generate_series(0, 14) t, generate_series(1, 20000) n;
        INSERT INTO identity.users (tenant_id, id, email, created_at)
        SELECT CASE WHEN i %% 10 = 0 THEN '%2$s' ELSE md5((i %% 15)::text)::uuid END,
               gen_random_uuid(), 'user-' || i || '@example.org', now() - i * interval '1 minute'
          FROM generate_series(1, %3$d) i;
        ALTER ROLE rapport_server SET session_preload_libraries = 'auto_explain';
        ALTER ROLE rapport_server SET auto_explain.log_min_duration = 0;
        ANALYZE;
        """
            .formatted(OF_OTHERS, Wiring.DEVELOPMENT_TENANT, OF_OTHERS / 15));
  }

  @AfterAll
  static void stop() {
    postgres.close();
  }

  private static RapportServer serve() {
    return RapportServer.start(
        ServerConfig.of(
            Map.of(
                "RAPPORT_PORT", "0",
                "RAPPORT_METRICS_PORT", "0",
                "RAPPORT_DRAIN_MS", "0",
                "RAPPORT_DEVELOPMENT", "true"),
            postgres.database()));
  }

  @Test
  void readsByIndexAndInOrder() throws IOException {
    List<String> faults = new ArrayList<>();
    int plans = 0;
    try (RapportServer server = serve()) {
      ManagedChannel channel = Wire.open(server.port());
      for (Map.Entry<String, Read> read : reads().entrySet()) {
        long before = Files.size(log);
        Wire.Ending ending =
            Wire.call(
                channel,
                "rapport." + read.getValue().method(),
                new Metadata(),
                CallOptions.DEFAULT,
                read.getValue().request().toByteArray());
        assertThat(ending.code()).as("%s: %s", read.getKey(), ending).isEqualTo(Code.OK);
        for (String plan : plansSince(before)) {
          plans++;
          boolean scans = largeScan.matcher(plan).find();
          boolean sorts = read.getValue().ordered() && sortsMoreThanAPage(plan);
          if (scans || sorts) {
            faults.add(read.getKey() + "\n" + plan);
          }
        }
      }
      channel.shutdownNow();
    }
    assertThat(plans).isGreaterThan(reads().size());
    assertThat(faults).isEmpty();
  }

  @Test
  void watchesReadByIndexAndInOrder() throws IOException {
    List<String> faults = new ArrayList<>();
    int plans = 0;
    try (RapportServer server = serve();
        RapportClient sdk = RapportClient.connect("127.0.0.1:" + server.port())) {
      String user = sdk.users().get(identity(3)).orElseThrow().getId();
      for (ChangeFilter filter :
          List.of(watched(), watched().toBuilder().addUserIds(user).build())) {
        int events = filter.getUserIdsCount() == 0 ? EVENTS : EVENTS / USERS;
        for (WatchOptions start :
            List.of(WatchOptions.fromOldestKept(), WatchOptions.fromNow().withInitialState())) {
          long before = Files.size(log);
          try (Watch<Change> watch = sdk.changes().watch(filter, start)) {
            for (int seen = 0; seen < events; seen += watch.next().items().size()) {}
          }
          for (String plan : watchPlansSince(before)) {
            plans++;
            if (largeScan.matcher(plan).find() || plan.contains("Seq Scan on change_log")) {
              faults.add(start + "\n" + filter + "\n" + plan);
            }
          }
        }
      }
    }
    assertThat(plans).isGreaterThan(2 * EVENTS / 1000);
    assertThat(faults).isEmpty();
  }

  private static ChangeFilter watched() {
    return ChangeFilter.newBuilder().addKinds("event").addKinds("identity.user").build();
  }

  private static List<String> watchPlansSince(long offset) throws IOException {
    byte[] bytes = Files.readAllBytes(log);
    String logged =
        new String(bytes, (int) offset, bytes.length - (int) offset, StandardCharsets.UTF_8);
    List<String> plans = new ArrayList<>(List.of(logged.split("LOG:  duration:", -1)));
    plans.removeIf(plan -> !plan.contains("change_log") && !plan.contains("behavioral_events"));
    return plans;
  }

  /** Fewer rows than a page has are sorted sooner than merged. */
  private static boolean sortsMoreThanAPage(String plan) {
    return SORT.matcher(plan).results().anyMatch(it -> Integer.parseInt(it.group(1)) > PAGE);
  }

  /**
   * A read and whether its plan must not sort.
   *
   * @param ordered an index gives the order, so nothing is sorted
   */
  private record Read(String method, ByteString request, boolean ordered) {}

  private static Map<String, Read> reads() {
    Map<String, Read> reads = new LinkedHashMap<>();
    for (Map.Entry<String, EventFilter> filter : filters().entrySet()) {
      boolean narrowed = filter.getValue().getPropertiesCount() > 0;
      boolean several = filter.getValue().getEventTypesCount() > 1;
      boolean received = filter.getKey().startsWith("RE");
      boolean byEntity =
          filter.getValue().hasIdentity() || filter.getValue().getEventTypesCount() > 0;
      boolean ordered = !narrowed && !several && !(received && byEntity);
      for (Order order : List.of(Order.NEWEST_FIRST, Order.OLDEST_FIRST)) {
        ByteString request =
            ListEventsRequest.newBuilder()
                .setFilter(filter.getValue())
                .setOrder(order)
                .build()
                .toByteString();
        reads.put(
            "ListEvents " + order + " " + filter.getKey(),
            new Read("tracking.v1.EventService/ListEvents", request, ordered));
      }
      for (EventGrouping group : groups()) {
        ByteString request =
            CountEventsRequest.newBuilder()
                .setFilter(filter.getValue())
                .addGroupBy(group)
                .build()
                .toByteString();
        reads.put(
            "CountEvents " + group.getByCase() + " " + filter.getKey(),
            new Read("tracking.v1.EventService/CountEvents", request, false));
      }
    }
    reads.put(
        "GetEvent",
        new Read(
            "tracking.v1.EventService/GetEvent",
            GetEventRequest.newBuilder().setId(id(5).toString()).build().toByteString(),
            true));
    reads.put(
        "GetUser",
        new Read(
            "identity.v1.UserService/GetUser",
            GetUserRequest.newBuilder().setIdentity(identity(5)).build().toByteString(),
            false));
    reads.put(
        "GetUser by email",
        new Read(
            "identity.v1.UserService/GetUser",
            GetUserRequest.newBuilder().setEmail("USER-50@example.org").build().toByteString(),
            true));
    for (ListUsersRequest.Order order :
        List.of(ListUsersRequest.Order.NEWEST_FIRST, ListUsersRequest.Order.OLDEST_FIRST)) {
      reads.put(
          "ListUsers " + order,
          new Read(
              "identity.v1.UserService/ListUsers",
              ListUsersRequest.newBuilder().setOrder(order).build().toByteString(),
              true));
    }
    reads.put(
        "ListUsers by email",
        new Read(
            "identity.v1.UserService/ListUsers",
            ListUsersRequest.newBuilder()
                .setFilter(
                    UserFilter.newBuilder().setEmail(TextFilter.newBuilder().setPrefix("user-123")))
                .build()
                .toByteString(),
            false));
    reads.put(
        "ListProperties",
        new Read(
            "tracking.v1.EventPropertyService/ListProperties",
            ListPropertiesRequest.getDefaultInstance().toByteString(),
            false));
    reads.put(
        "ListQuarantinedEvents",
        new Read(
            "tracking.v1.QuarantineService/ListQuarantinedEvents",
            ListQuarantinedEventsRequest.getDefaultInstance().toByteString(),
            true));
    reads.put(
        "ListQuarantinedEvents from",
        new Read(
            "tracking.v1.QuarantineService/ListQuarantinedEvents",
            ListQuarantinedEventsRequest.newBuilder()
                .setFrom(Timestamps.fromMillis(1000))
                .build()
                .toByteString(),
            true));
    reads.put(
        "ListQuarantinedEvents type",
        new Read(
            "tracking.v1.QuarantineService/ListQuarantinedEvents",
            ListQuarantinedEventsRequest.newBuilder().setEventType("click").build().toByteString(),
            true));
    reads.put(
        "ListContracts",
        new Read(
            "tracking.v1.EventContractService/ListContracts",
            ListContractsRequest.getDefaultInstance().toByteString(),
            false));
    reads.put(
        "CheckContract",
        new Read(
            "tracking.v1.EventContractService/CheckContract",
            CheckContractRequest.newBuilder()
                .setContract(
                    EventContract.newBuilder()
                        .setEventType("click")
                        .setMode(EventContract.Mode.STAMP))
                .setMaxEvents(200)
                .build()
                .toByteString(),
            false));
    reads.put(
        "ListTenants",
        new Read(
            "identity.v1.TenantService/ListTenants",
            ListTenantsRequest.getDefaultInstance().toByteString(),
            false));
    return reads;
  }

  private static List<EventGrouping> groups() {
    return List.of(
        EventGrouping.newBuilder().setEventType(true).build(),
        EventGrouping.newBuilder().setUser(true).build(),
        EventGrouping.newBuilder()
            .setTime(TimeBucket.newBuilder().setUnit(TimeBucket.Unit.DAY))
            .build(),
        EventGrouping.newBuilder().setProperty("size").build());
  }

  private static Map<String, EventFilter> filters() {
    Map<String, EventFilter> filters = new LinkedHashMap<>();
    for (Clock clock : List.of(Clock.OCCURRED_AT, Clock.RECEIVED_AT, Clock.RECORDED_AT)) {
      EventFilter all =
          EventFilter.newBuilder().setTime(EventTimeRange.newBuilder().setClock(clock)).build();
      filters.put(clock + " all", all);
      filters.put(
          clock + " from",
          all.toBuilder()
              .setTime(all.getTime().toBuilder().setFrom(Timestamps.fromMillis(1000)))
              .build());
      filters.put(clock + " user", all.toBuilder().setIdentity(identity(3)).build());
      filters.put(clock + " type", all.toBuilder().addEventTypes("click").build());
      filters.put(
          clock + " types", all.toBuilder().addEventTypes("click").addEventTypes("commit").build());
      filters.put(
          clock + " user and type",
          all.toBuilder().setIdentity(identity(3)).addEventTypes("click").build());
      filters.put(
          clock + " string",
          all.toBuilder()
              .addProperties(
                  PropertyFilter.newBuilder()
                      .setName("repository")
                      .setStrings(StringSet.newBuilder().addValues("r7")))
              .build());
      filters.put(
          clock + " number",
          all.toBuilder()
              .addProperties(
                  PropertyFilter.newBuilder()
                      .setName("size")
                      .setNumber(NumberRange.newBuilder().setMin(10).setMax(20)))
              .build());
      filters.put(
          clock + " boolean",
          all.toBuilder()
              .addProperties(PropertyFilter.newBuilder().setName("merged").setBoolean(true))
              .build());
    }
    return filters;
  }

  private static Event event(int i) {
    Instant time = Instant.parse("2026-01-01T00:00:00Z").plusSeconds(60L * i);
    String json =
        "{\"repository\":\"r%d\",\"size\":%d,\"merged\":%s}"
            .formatted(i % 200, i % 1000, i % 50 == 0);
    return Event.newBuilder()
        .setId(id(i).toString())
        .setIdentity(identity(i % USERS))
        .setEventType(TYPES.get(i % TYPES.size()))
        .setOccurredAt(Timestamps.fromMillis(time.toEpochMilli()))
        .setReceivedAt(Timestamps.fromMillis(time.toEpochMilli() + 5))
        .setDataJson(ByteString.copyFromUtf8(json))
        .build();
  }

  private static UUID id(int i) {
    return new UUID(0x7000L, 0x8000_0000_0000_0000L | i);
  }

  private static Identity identity(int i) {
    return Identity.newBuilder().setProvider("test").setSubject("user-" + i).build();
  }

  /** The plans of statements on our tables; the driver has some of its own. */
  private static List<String> plansSince(long offset) throws IOException {
    byte[] bytes = Files.readAllBytes(log);
    String logged =
        new String(bytes, (int) offset, bytes.length - (int) offset, StandardCharsets.UTF_8);
    List<String> plans = new ArrayList<>(List.of(logged.split("LOG:  duration:", -1)));
    plans.removeIf(plan -> !plan.contains("\"tracking\".") && !plan.contains("\"identity\"."));
    return plans;
  }

  private static void admin(String sql) throws SQLException {
    Database database = postgres.database();
    try (Connection admin =
            DriverManager.getConnection(database.jdbcUrl(), database.user(), database.password());
        Statement statement = admin.createStatement()) {
      statement.execute(sql);
    }
  }
}
