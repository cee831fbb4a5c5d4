package io.rapport.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.rapport.client.RapportClient;
import io.rapport.db.Database;
import io.rapport.db.Durability;
import io.rapport.db.LocalPostgres;
import io.rapport.db.Migrations;
import io.rapport.tracking.v1.CountEventsRequest;
import io.rapport.tracking.v1.DeclarePropertyRequest;
import io.rapport.tracking.v1.EventGrouping;
import io.rapport.tracking.v1.EventProperty;
import io.rapport.tracking.v1.EventProperty.State;
import io.rapport.tracking.v1.EventPropertyServiceGrpc;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Properties that were still being indexed when their server or its database went away. */
class ResumedIndexingTest {
  private static final int EVENTS = 12_000;
  private static final LocalPostgres postgres = LocalPostgres.temporary(Durability.NONE);
  private static final Database database = postgres.database();
  private static final DSLContext sql =
      DSL.using(database.jdbcUrl(), database.user(), database.password());

  @BeforeAll
  static void fill() {
    Migrations.of(database).migrate();
    try (RapportServer server = serve(database);
        RapportClient client = connect(server)) {
      for (int i = 0; i < EVENTS; i += 1000) {
        client.events().batch(Given.eventsWith("{\"a\":\"x\",\"b\":\"x\",\"c\":\"x\"}", 1000));
      }
    }
  }

  @AfterAll
  static void stop() {
    postgres.close();
  }

  @Test
  void goOnWhenAServerIsStarted() {
    leaveBehind("a");
    assertThat(state("a")).isEqualTo("INDEXING");

    try (RapportServer server = serve(database);
        RapportClient client = connect(server)) {
      awaitReady("a");

      assertThat(counts(client, "a")).containsExactly((long) EVENTS);
    }
  }

  @Test
  void goOnWhenTheDatabaseIsBack() throws Exception {
    try (DatabaseProxy proxy = new DatabaseProxy(database);
        RapportServer server = serve(proxy.database());
        RapportClient client = connect(server)) {
      sql.transaction(tx -> {
        keepFromIndexing(tx.dsl());
        declare(server, "b");
        proxy.vanish();
      });
      assertThat(state("b")).isEqualTo("INDEXING");

      proxy.comeBack();
      awaitReady("b");

      assertThat(counts(client, "b")).containsExactly((long) EVENTS);
    }
  }

  @Test
  void areSharedByTwoServers() {
    leaveBehind("c");

    try (RapportServer one = serve(database);
        RapportServer _ = serve(database);
        RapportClient client = connect(one)) {
      awaitReady("c");

      assertThat(counts(client, "c")).containsExactly((long) EVENTS);
    }
  }

  /** Stops a server while it indexes. */
  private static void leaveBehind(String property) {
    sql.transaction(tx -> {
      keepFromIndexing(tx.dsl());
      try (RapportServer server = serve(database)) {
        declare(server, property);
      }
    });
  }

  private static void keepFromIndexing(DSLContext tx) {
    tx.execute("LOCK TABLE tracking.event_property_values IN EXCLUSIVE MODE");
  }

  /** Doesn't wait for the indexing. */
  private static void declare(RapportServer server, String name) {
    var channel = Wire.open(server.port());
    EventProperty declared =
        EventPropertyServiceGrpc.newBlockingStub(channel)
            .withDeadlineAfter(2, TimeUnit.SECONDS)
            .declareProperty(
                DeclarePropertyRequest.newBuilder()
                    .setName(name)
                    .setType(EventProperty.Type.STRING)
                    .build());
    channel.shutdownNow();
    assertThat(declared.getState()).isEqualTo(State.INDEXING);
  }

  /** Asks the database, because a call would itself make the server go on. */
  private static void awaitReady(String property) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (!state(property).equals("READY")) {
      assertThat(System.nanoTime()).as("the time to index %s", property).isLessThan(end);
      Thread.onSpinWait();
    }
  }

  private static String state(String property) {
    return sql.fetchSingle(
            "SELECT state FROM tracking.event_properties WHERE name = ?", DSL.val(property))
        .get(0, String.class);
  }

  private static List<Long> counts(RapportClient client, String property) {
    CountEventsRequest request =
        CountEventsRequest.newBuilder()
            .addGroupBy(EventGrouping.newBuilder().setProperty(property))
            .build();
    return client.events().count(request).getGroupsList().stream()
        .map(group -> group.getCount())
        .toList();
  }

  private static RapportServer serve(Database from) {
    return RapportServer.start(
        ServerConfig.of(
            Map.of(
                "RAPPORT_PORT", "0",
                "RAPPORT_METRICS_PORT", "0",
                "RAPPORT_DRAIN_MS", "0",
                "RAPPORT_DEVELOPMENT", "true"),
            from));
  }

  private static RapportClient connect(RapportServer server) {
    return RapportClient.connect("127.0.0.1:" + server.port());
  }
}
