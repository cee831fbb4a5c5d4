package io.rapport.faults;

import com.google.protobuf.Timestamp;
import io.rapport.client.EventIds;
import io.rapport.client.RapportClient;
import io.rapport.identity.v1.SystemSetting;
import io.rapport.identity.v1.User;
import io.rapport.platform.v1.UpsertOutcome;
import io.rapport.tracking.v1.Event;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Rows written into lists, at places that chance decides, and those of them that are there. */
final class ListedRows {
  /** The type of the events that are listed; others only make transactions longer. */
  static final String LISTED = "listed";

  /** When events happen, in seconds: some at the same time. */
  private static final long BEGIN = 1_700_000_000;

  private static final int PAST_SECONDS = 3600;
  private static final int BATCH = 500;
  private static final int LONG_ROWS = 10;

  /** Kinds of rows. */
  enum Kind {
    EVENT,
    USER,
    SETTING
  }

  private final Map<Kind, Queue<String>> done = new EnumMap<>(Kind.class);

  ListedRows() {
    for (Kind kind : Kind.values()) {
      done.put(kind, new ConcurrentLinkedQueue<>());
    }
  }

  /** What is there for certain. */
  List<String> there(Kind kind) {
    return List.copyOf(of(kind));
  }

  int count() {
    return done.values().stream().mapToInt(Queue::size).sum();
  }

  private Queue<String> of(Kind kind) {
    return done.getOrDefault(kind, new ConcurrentLinkedQueue<>());
  }

  /** Writes a row of each kind, or an event alone. */
  void one(RapportClient client, Random random) {
    Event event = event(LISTED, random);
    var _ = client.events().track(event);
    of(Kind.EVENT).add(event.getId());
    if (random.nextInt(3) == 0) {
      of(Kind.USER).add(client.users().create(user(random)).getId());
      of(Kind.SETTING).add(client.settings().upsert(setting(random)).getId());
    }
  }

  /** Writes many rows of each kind at once. */
  void batch(RapportClient client, int size, Random random) {
    List<Event> events =
        IntStream.range(0, BATCH)
            .mapToObj(i -> event(i < size ? LISTED : "other", random))
            .toList();
    var _ = client.events().batchAllOrNothing(events);
    events.stream().limit(size).map(Event::getId).forEach(of(Kind.EVENT)::add);
    client.users().upsert(Stream.generate(() -> user(random)).limit(size).toList()).stream()
        .map(UpsertOutcome::getId)
        .forEach(of(Kind.USER)::add);
    client.settings().upsert(Stream.generate(() -> setting(random)).limit(size).toList()).stream()
        .map(UpsertOutcome::getId)
        .forEach(of(Kind.SETTING)::add);
  }

  /** Adds users and events in a transaction that stays open: they show late, with old times. */
  void slowly(Connection connection, UUID tenant, long millis, Random random) throws SQLException {
    List<String> users = new ArrayList<>();
    List<String> events = new ArrayList<>();
    connection.setAutoCommit(false);
    try (PreparedStatement user =
            connection.prepareStatement(
                "INSERT INTO identity.users (tenant_id, id) VALUES (?, ?)");
        PreparedStatement event =
            connection.prepareStatement(
                """
                INSERT INTO tracking.behavioral_events
                  (tenant_id, id, user_id, event_type, occurred_at, received_at, recorded_at)
                VALUES (?, ?, ?, ?, to_timestamp(?), to_timestamp(?), now())
                """)) {
      for (int i = 0; i < LONG_ROWS; i++) {
        users.add(insert(user, tenant, random));
        event.setObject(3, UUID.randomUUID());
        event.setString(4, LISTED);
        event.setLong(5, sometime(random));
        event.setLong(6, sometime(random));
        events.add(insert(event, tenant, random));
        Threads.sleep(millis / LONG_ROWS);
      }
      connection.commit();
    }
    of(Kind.USER).addAll(users);
    of(Kind.EVENT).addAll(events);
  }

  private static String insert(PreparedStatement statement, UUID tenant, Random random)
      throws SQLException {
    UUID id = new UUID(random.nextLong(), random.nextLong());
    statement.setObject(1, tenant);
    statement.setObject(2, id);
    statement.executeUpdate();
    return id.toString();
  }

  private static Event event(String type, Random random) {
    return EventIds.identified(
        Make.nameless("reader").toBuilder()
            .setEventType(type)
            .setOccurredAt(Timestamp.newBuilder().setSeconds(sometime(random)))
            .setReceivedAt(Timestamp.newBuilder().setSeconds(sometime(random)))
            .build());
  }

  private static long sometime(Random random) {
    return BEGIN + random.nextInt(PAST_SECONDS);
  }

  private static User user(Random random) {
    return User.newBuilder().setEmail(name(random) + "@example.org").build();
  }

  private static SystemSetting setting(Random random) {
    return SystemSetting.newBuilder().setSettingKey(name(random)).setSettingValue("1").build();
  }

  private static String name(Random random) {
    return new UUID(random.nextLong(), random.nextLong()).toString();
  }
}
