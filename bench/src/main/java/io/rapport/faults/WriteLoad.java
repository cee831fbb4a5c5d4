package io.rapport.faults;

import io.rapport.client.EventIds;
import io.rapport.client.EventWriter;
import io.rapport.client.IngestOptions;
import io.rapport.client.RapportClient;
import io.rapport.client.RapportException;
import io.rapport.identity.v1.Identity;
import io.rapport.identity.v1.Tenant;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventFilter;
import io.rapport.tracking.v1.EventOutcome;
import io.rapport.tracking.v1.EventOutcome.Result;
import io.rapport.tracking.v1.EventProperty;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** A client of the SDK that calls every RPC that writes, and logs what it was told. */
final class WriteLoad implements Runnable {
  private static final int USERS = 40;
  private static final int PROPERTIES = 6;
  private static final int MAX_BATCH = 40;
  private static final int STREAM = 200;
  private static final Duration DEADLINE = Duration.ofSeconds(3);
  private static final Duration OUTAGE = Duration.ofSeconds(30);

  private final int number;
  private final RapportClient client;
  private final Random random;
  private final History history;
  private final List<String> users = new ArrayList<>();
  private volatile boolean stopped;
  private int properties;

  WriteLoad(int number, RapportClient.Builder client, Random random, History history) {
    this.number = number;
    this.client = client.writeDeadline(DEADLINE).batchDeadline(DEADLINE).build();
    this.random = random;
    this.history = history;
  }

  /** Makes the users that identities are linked to; nothing may fail yet. */
  void prepare() {
    for (int i = 0; i < USERS; i++) {
      Identity who = identity("user-" + number + "-" + i);
      Event first = EventIds.identified(newEvent(who));
      write("TrackEvent", event(first), () -> client.events().track(first));
      users.add(client.users().get(who).orElseThrow().getId());
    }
  }

  /** Lets it end after the call that it is in. */
  void stop() {
    stopped = true;
  }

  @Override
  public void run() {
    while (!stopped) {
      int chance = random.nextInt(1000);
      if (chance < 350) {
        track();
      } else if (chance < 700) {
        batch();
      } else if (chance < 950) {
        link();
      } else if (chance < 960) {
        createTenant();
      } else if (chance < 965) {
        declare();
      } else {
        ingest();
      }
    }
  }

  private static String event(Event event) {
    return "event:" + event.getId();
  }

  private Event newEvent(Identity who) {
    return Event.newBuilder().setIdentity(who).setEventType("fault").build();
  }

  private Event someEvent() {
    return EventIds.identified(newEvent(identity("user-" + number + "-" + random.nextInt(USERS))));
  }

  private static Identity identity(String subject) {
    return Identity.newBuilder().setProvider("faults").setSubject(subject).build();
  }

  private void track() {
    Event event = someEvent();
    write("TrackEvent", event(event), () -> client.events().track(event));
  }

  private void batch() {
    List<Event> events = new ArrayList<>();
    for (int i = 1 + random.nextInt(MAX_BATCH); i > 0; i--) {
      events.add(someEvent());
    }
    boolean together = random.nextInt(4) == 0;
    List<String> keys = events.stream().map(WriteLoad::event).toList();
    write(
        "BatchTrackEvents",
        keys,
        () -> together ? client.events().batchAllOrNothing(events) : client.events().batch(events));
  }

  private void link() {
    String subject = "link-" + new UUID(random.nextLong(), random.nextLong());
    String user = users.get(random.nextInt(USERS));
    write("LinkIdentity", "link:" + subject, () -> client.users().link(user, identity(subject)));
  }

  private void createTenant() {
    String id = new UUID(random.nextLong(), random.nextLong()).toString();
    Tenant tenant = Tenant.newBuilder().setId(id).setDisplayName("made " + id).build();
    write("CreateTenant", "tenant:" + id, () -> client.tenants().create(tenant));
  }

  private void declare() {
    if (properties < PROPERTIES) {
      String name = "p_" + number + "_" + properties++;
      write(
          "DeclareProperty",
          "property:" + name,
          () -> client.properties().declare(name, EventProperty.Type.STRING, DEADLINE));
    }
  }

  /** By a writer, which goes on by itself after a crash. */
  private void ingest() {
    long start = System.nanoTime();
    Map<String, Outcome> told = new HashMap<>();
    IngestOptions options =
        IngestOptions.defaults()
            .withMaxOutage(OUTAGE)
            .withEveryOutcome((position, outcome) -> told.put(outcome.getEventId(), of(outcome)));
    List<Event> events = new ArrayList<>();
    try (EventWriter writer = client.events().ingest(options)) {
      for (int i = 0; i < STREAM; i++) {
        Event event = someEvent();
        events.add(event);
        writer.write(event);
      }
      writer.flush();
    } catch (RapportException failure) {
      pause();
    }
    for (Event event : events) {
      Outcome outcome = told.getOrDefault(event.getId(), Outcome.UNKNOWN);
      history.add(number, "IngestEvents", List.of(event(event)), start, outcome);
    }
  }

  private static Outcome of(EventOutcome outcome) {
    return outcome.getResult() == Result.RECORDED || outcome.getResult() == Result.DUPLICATE
        ? Outcome.OK
        : Outcome.REFUSED;
  }

  private void write(String rpc, String key, Supplier<?> call) {
    write(rpc, List.of(key), call);
  }

  private void write(String rpc, List<String> keys, Supplier<?> call) {
    long start = System.nanoTime();
    try {
      var _ = call.get();
      history.add(number, rpc, keys, start, Outcome.OK);
    } catch (RapportException failure) {
      history.add(number, rpc, keys, start, Outcome.of(failure));
      pause();
    }
  }

  private static void pause() {
    try {
      TimeUnit.MILLISECONDS.sleep(10);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Reads back, by the service, what this client's tenant has of what such clients write. */
  Map<String, Integer> readBack() {
    Map<String, Integer> found = new HashMap<>();
    client
        .events()
        .list(EventFilter.newBuilder().addEventTypes("fault").build())
        .forEach(event -> found.merge(event(event), 1, Integer::sum));
    client
        .properties()
        .list()
        .forEach(property -> found.merge("property:" + property.getName(), 1, Integer::sum));
    return found;
  }

  /** The identities that this client has linked to its users. */
  Map<String, Integer> readLinks() {
    Map<String, Integer> found = new HashMap<>();
    for (String user : users) {
      client.users().get(user).orElseThrow().getIdentitiesList().stream()
          .map(Identity::getSubject)
          .filter(subject -> subject.startsWith("link-"))
          .forEach(subject -> found.merge("link:" + subject, 1, Integer::sum));
    }
    return found;
  }

  /** The tenants that such clients have made. */
  Map<String, Integer> readTenants() {
    Map<String, Integer> found = new HashMap<>();
    client
        .tenants()
        .list()
        .filter(tenant -> tenant.getDisplayName().startsWith("made "))
        .forEach(tenant -> found.merge("tenant:" + tenant.getId(), 1, Integer::sum));
    return found;
  }

  void close() {
    client.close();
  }
}
