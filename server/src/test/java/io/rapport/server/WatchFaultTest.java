package io.rapport.server;

import static io.rapport.server.Given.event;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.rapport.client.RapportClient;
import io.rapport.client.RapportException;
import io.rapport.client.Watch;
import io.rapport.client.WatchOptions;
import io.rapport.platform.v1.Change;
import io.rapport.platform.v1.ChangeServiceGrpc;
import io.rapport.platform.v1.WatchRequest;
import io.rapport.platform.v1.WatchResponse;
import io.rapport.platform.v1.WatchStart;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.WatchEventsRequest;
import io.rapport.tracking.v1.WatchEventsResponse;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Watches whose database, connection or reader fails them. */
@Timeout(90)
class WatchFaultTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  @Test
  void missesNothingWhileTheDatabaseIsGone() throws Exception {
    try (DatabaseProxy proxy = new DatabaseProxy(rapport.database());
        RapportServer server = serve(proxy);
        RapportClient client = rapport.clientOf(server);
        Watch<Change> tip = client.changes().watch(WatchOptions.fromNow());
        Watch<Change> behind = client.changes().watch(WatchOptions.fromOldestKept())) {
      List<String> written = new ArrayList<>();
      for (int round = 0; round < 3; round++) {
        proxy.vanish();
        for (int i = 0; i < 20; i++) {
          written.add(rapport.client().events().track(event().build()).getEventId());
        }
        proxy.comeBack();
        written.add(rapport.client().events().track(event().build()).getEventId());
      }

      assertThat(events(tip, written.size())).isEqualTo(written);
      assertThat(events(behind, written.size())).isEqualTo(written);
    }
  }

  @Test
  void goesOnAfterConnectionsOfItsServerAreKilled() {
    Set<Integer> ofOthers = connections();
    try (RapportServer server = rapport.serve(Map.of());
        RapportClient client = rapport.clientOf(server);
        Watch<Change> watch = client.changes().watch(WatchOptions.fromOldestKept())) {
      List<String> written = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        written.add(track(client));
        if (i % 20 == 10) {
          Set<Integer> own = connections();
          own.removeAll(ofOthers);
          own.forEach(pid -> rapport.sql().fetch("select pg_terminate_backend(?)", pid));
        }
      }

      assertThat(events(watch, written.size())).isEqualTo(written);
    }
  }

  private static Set<Integer> connections() {
    return rapport
        .sql()
        .fetch("select pid from pg_stat_activity where application_name = 'rapport'")
        .intoSet(0, Integer.class);
  }

  /** The connection that it goes by may be killed. */
  private static String track(RapportClient client) {
    var event = event().build();
    while (true) {
      try {
        return client.events().track(event).getEventId();
      } catch (RapportException killed) {
        assertThat(killed.code()).isIn(Status.Code.UNAVAILABLE, Status.Code.UNKNOWN);
      }
    }
  }

  @Test
  void holdsNothingForAReaderThatDoesNotRead() throws Exception {
    String data = "{\"note\":[" + "\"%s\",".formatted("x".repeat(900)).repeat(60) + "1]}";
    try (RapportServer server = rapport.serve(Map.of("RAPPORT_DATABASE_CONNECTIONS", "2"));
        RapportClient client = rapport.clientOf(server)) {
      rapport.client().events().batch(Given.eventsWith(data, 200));
      List<Slow> slow = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        slow.add(new Slow(client));
      }
      for (Slow reader : slow) {
        assertThat(reader.messages.take().getCheckpoint()).isTrue();
      }

      for (int i = 0; i < 50; i++) {
        client.events().track(event().build());
      }

      Set<String> ids = new HashSet<>();
      while (ids.size() < 250) {
        slow.getFirst().call.request(1);
        slow.getFirst()
            .messages
            .take()
            .getEventsList()
            .forEach(event -> assertThat(ids.add(event.getId())).isTrue());
      }
      slow.forEach(reader -> reader.call.cancel("done", null));
    }
  }

  /** Takes one message, and then only what is asked for. */
  private static final class Slow {
    private final BlockingQueue<WatchEventsResponse> messages = new LinkedBlockingQueue<>();
    private final ClientCall<WatchEventsRequest, WatchEventsResponse> call;

    private Slow(RapportClient client) {
      call = client.channel().newCall(EventServiceGrpc.getWatchEventsMethod(), CallOptions.DEFAULT);
      call.start(
          new ClientCall.Listener<>() {
            @Override
            public void onMessage(WatchEventsResponse message) {
              messages.add(message);
            }
          },
          new Metadata());
      call.sendMessage(
          WatchEventsRequest.newBuilder()
              .setStart(WatchStart.newBuilder().setFromOldestKept(true))
              .build());
      call.halfClose();
      call.request(1);
    }
  }

  @Test
  void serves900IdleWatchesAndTellsEachOfThem() throws Exception {
    try (RapportServer server = rapport.serve(Map.of("RAPPORT_MAX_STREAMS", "2000"));
        RapportClient client = rapport.clientOf(server)) {
      Semaphore begun = new Semaphore(0);
      Semaphore told = new Semaphore(0);
      List<ClientCall<?, ?>> calls = new ArrayList<>();
      for (int i = 0; i < 900; i++) {
        ClientCall<WatchRequest, WatchResponse> call =
            client.channel().newCall(ChangeServiceGrpc.getWatchMethod(), CallOptions.DEFAULT);
        call.start(
            new ClientCall.Listener<>() {
              @Override
              public void onMessage(WatchResponse message) {
                (message.getCheckpoint() ? begun : told).release();
              }
            },
            new Metadata());
        call.sendMessage(WatchRequest.getDefaultInstance());
        call.halfClose();
        call.request(100);
        calls.add(call);
      }
      assertThat(begun.tryAcquire(900, 30, TimeUnit.SECONDS)).isTrue();

      client.events().track(event().build());

      assertThat(told.tryAcquire(900, 30, TimeUnit.SECONDS)).isTrue();
      calls.forEach(call -> call.cancel("done", null));
    }
  }

  private static RapportServer serve(DatabaseProxy proxy) {
    Map<String, String> environment = new HashMap<>();
    environment.put("RAPPORT_PORT", "0");
    environment.put("RAPPORT_METRICS_PORT", "0");
    environment.put("RAPPORT_DRAIN_MS", "0");
    environment.put("RAPPORT_JWKS_FILE", rapport.tokens().jwks().toString());
    return RapportServer.start(ServerConfig.of(environment, proxy.database()), Clock.systemUTC());
  }

  private static List<String> events(Watch<Change> watch, int count) {
    List<String> ids = new ArrayList<>();
    while (ids.size() < count) {
      for (Change change : watch.poll(Duration.ofSeconds(30)).orElseThrow().items()) {
        if (change.getKind().equals("event")) {
          ids.add(change.getId());
        }
      }
    }
    return ids;
  }
}
