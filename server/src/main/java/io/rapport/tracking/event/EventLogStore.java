package io.rapport.tracking.event;

import com.google.protobuf.ByteString;
import io.rapport.platform.Times;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.regex.Pattern;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/**
 * Inserts events into PostgreSQL. The statements are text and not jOOQ's DSL: they are what ingest
 * stands or falls with, and two of their parts (COPY, and two statements in one round trip) are
 * beyond it.
 */
final class EventLogStore {
  private static final int ONE_STATEMENT = 200;

  /**
   * A property that is declared while events are being written must miss none of them: who declares
   * one waits for the writers that may not have seen it. See PropertyStore.
   */
  private static final String LOCK =
      """
      SELECT count(pg_advisory_xact_lock_shared(
          hashtextextended('tracking.event_properties/' || tenant_id, 0)))
        FROM unnest(?::text[]) AS t (tenant_id);
      """;

  /** Remembers the ids that are not taken. */
  private static final String INSERT_IDS =
      """
      WITH input AS (
        %s
      ), fresh AS (
        INSERT INTO tracking.event_ids (tenant_id, event_id, digest, recorded_at)
        SELECT tenant_id, id, digest, now() FROM input ORDER BY tenant_id, id
        ON CONFLICT DO NOTHING
        RETURNING tenant_id, event_id
      )
      """;

  /** Gives the time of recording, where to copy to, and the ids that were taken. */
  private static final String RESULT =
      """
      SELECT NULL::uuid, NULL::uuid, now(), tracking.event_partition(now())::name,
        EXISTS (SELECT FROM tracking.event_properties p
                 WHERE p.tenant_id = (SELECT tenant_id FROM input LIMIT 1))
      UNION ALL
      SELECT tenant_id, id, NULL, NULL, NULL FROM input
       WHERE NOT EXISTS (
         SELECT FROM fresh WHERE fresh.tenant_id = input.tenant_id AND fresh.event_id = input.id)
      """;

  /** Values of declared properties of the events {@code e}. */
  private static final String INSERT_VALUES =
      """
      INSERT INTO tracking.event_property_values (tenant_id, property_id, event_id,
        occurred_at, recorded_at, text_value, number_value, boolean_value)
      SELECT p.tenant_id, p.id, e.id, COALESCE(e.occurred_at, now()), now(), v.*
        FROM %s
        JOIN tracking.event_properties p ON p.tenant_id = e.tenant_id,
          tracking.typed_value(p.type, e.event_data #> string_to_array(p.name, '.')) v
      """;

  /** All of it in one statement. */
  private static final String INSERT_FEW =
      LOCK
          + INSERT_IDS.formatted(
              """
              SELECT * FROM unnest(?::uuid[], ?::uuid[], ?::bytea[], ?::uuid[], ?::text[],
                  ?::text[]::jsonb[], ?::text[], ?::timestamptz[], ?::smallint[], ?::timestamptz[])
                AS i (tenant_id, id, digest, user_id, event_type,
                  event_data, event_text, occurred_at, utc_offset_minutes, received_at)
              """)
          + """
          , new_events AS (
            SELECT input.* FROM input
              JOIN fresh ON fresh.tenant_id = input.tenant_id AND fresh.event_id = input.id
          ), stored AS (
            INSERT INTO tracking.behavioral_events (tenant_id, id, user_id, event_type, event_data,
              event_text, occurred_at, utc_offset_minutes, received_at, recorded_at)
            SELECT tenant_id, id, user_id, event_type, event_data, event_text,
              COALESCE(occurred_at, now()), utc_offset_minutes, received_at, now()
              FROM new_events
          ), indexed AS (
          """
          + INSERT_VALUES.formatted("new_events e")
          + ")"
          + RESULT;

  /** The ids alone; the events are copied after it. */
  private static final String INSERT_MANY_IDS =
      LOCK
          + INSERT_IDS.formatted(
              """
              SELECT * FROM unnest(?::uuid[], ?::uuid[], ?::bytea[]) AS i (tenant_id, id, digest)
              """)
          + RESULT;

  /** Of the events that were copied before in this transaction. */
  private static final String INSERT_MANY_VALUES =
      INSERT_VALUES.formatted(
          """
          unnest(?::uuid[], ?::uuid[]) AS fresh (tenant_id, id)
          JOIN tracking.behavioral_events e
            ON e.tenant_id = fresh.tenant_id AND e.id = fresh.id AND e.recorded_at = now()
          """);

  private static final Pattern PARTITION = Pattern.compile("behavioral_events_[0-9]{6}");

  /**
   * What became of an insert.
   *
   * @param taken the ids that were recorded before, and are not again
   * @param partition where events of this time belong
   * @param hasProperties whether the first event's tenant has declared properties
   */
  record Inserted(
      long recordedMicros, List<EventKey> taken, String partition, boolean hasProperties) {}

  /** What is recorded under an id. */
  record Recorded(long micros, ByteString digest) {}

  /** Whether so many events are inserted by a single statement, which needs no transaction. */
  static boolean fitsOneStatement(int events) {
    return events <= ONE_STATEMENT;
  }

  /**
   * Inserts the events whose ids are not taken. The ids must differ from each other, and the events
   * be of one tenant if they are more than fit one statement.
   */
  Inserted insert(Connection connection, List<EventBatch.Entry> events) throws SQLException {
    if (events.isEmpty()) {
      return new Inserted(0, List.of(), "", false);
    }
    return fitsOneStatement(events.size())
        ? insertFew(connection, events)
        : insertMany(connection, events);
  }

  private static Inserted insertFew(Connection connection, List<EventBatch.Entry> events)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(INSERT_FEW)) {
      ArrayParameters arrays = new ArrayParameters(connection, statement, events);
      arrays.setKeys();
      arrays.set(5, "uuid", UUID[]::new, EventBatch.Entry::user);
      arrays.set(6, "text", String[]::new, e -> e.event().type());
      arrays.set(7, "text", String[]::new, e -> text(e.event().json()));
      arrays.set(8, "text", String[]::new, e -> textOrNull(e.event().text()));
      arrays.set(9, "text", String[]::new, e -> time(e.event().occurredMicros()));
      arrays.set(10, "int4", Integer[]::new, e -> e.event().offsetMinutes());
      arrays.set(11, "text", String[]::new, e -> time(e.event().receivedMicros()));
      return execute(statement);
    }
  }

  private static @Nullable String text(@Nullable ByteString json) {
    return json == null ? null : json.toStringUtf8();
  }

  private static @Nullable String textOrNull(String text) {
    return text.isEmpty() ? null : text;
  }

  private static @Nullable String time(@Nullable Long micros) {
    return micros == null ? null : Times.instant(micros).toString();
  }

  private record ArrayParameters(
      Connection connection, PreparedStatement statement, List<EventBatch.Entry> events) {
    /** The tenants to lock, always in the same order; tenants, ids and digests. */
    void setKeys() throws SQLException {
      Object[] tenants =
          events.stream().map(e -> e.tenant().toString()).distinct().sorted().toArray();
      statement.setArray(1, connection.createArrayOf("text", tenants));
      set(2, "uuid", UUID[]::new, EventBatch.Entry::tenant);
      set(3, "uuid", UUID[]::new, e -> e.event().id());
      set(4, "bytea", byte[][]::new, e -> e.event().digest().toByteArray());
    }

    <T> void set(
        int index,
        String type,
        IntFunction<@Nullable T[]> array,
        Function<EventBatch.Entry, @Nullable T> column)
        throws SQLException {
      @Nullable T[] values = array.apply(events.size());
      for (int i = 0; i < values.length; i++) {
        values[i] = column.apply(events.get(i));
      }
      statement.setArray(index, connection.createArrayOf(type, values));
    }
  }

  /**
   * COPY is refused where a policy would have to hold, so it goes into the partition, which has
   * none and on which the server may do nothing else; a constraint holds it to the tenant.
   */
  private static Inserted insertMany(Connection connection, List<EventBatch.Entry> events)
      throws SQLException {
    Inserted inserted;
    try (PreparedStatement statement = connection.prepareStatement(INSERT_MANY_IDS)) {
      new ArrayParameters(connection, statement, events).setKeys();
      inserted = execute(statement);
    }
    List<EventBatch.Entry> fresh = without(inserted.taken(), events);
    copy(connection, fresh, inserted);
    if (inserted.hasProperties()) {
      insertValues(connection, fresh);
    }
    return inserted;
  }

  private static List<EventBatch.Entry> without(
      List<EventKey> taken, List<EventBatch.Entry> events) {
    if (taken.isEmpty()) {
      return events;
    }
    Set<EventKey> keys = new HashSet<>(taken);
    return events.stream().filter(entry -> !keys.contains(entry.key())).toList();
  }

  private static void copy(Connection connection, List<EventBatch.Entry> events, Inserted inserted)
      throws SQLException {
    if (!PARTITION.matcher(inserted.partition()).matches()) {
      throw new IllegalStateException("no partition: " + inserted.partition());
    }
    CopyRows rows = new CopyRows(inserted.recordedMicros());
    events.forEach(rows::add);
    CopyIn copy =
        connection
            .unwrap(PGConnection.class)
            .getCopyAPI()
            .copyIn(CopyRows.STATEMENT.formatted(inserted.partition()));
    copy.writeToCopy(rows.finish());
    copy.endCopy();
  }

  private static void insertValues(Connection connection, List<EventBatch.Entry> events)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(INSERT_MANY_VALUES)) {
      ArrayParameters arrays = new ArrayParameters(connection, statement, events);
      arrays.set(1, "uuid", UUID[]::new, EventBatch.Entry::tenant);
      arrays.set(2, "uuid", UUID[]::new, e -> e.event().id());
      statement.executeUpdate();
    }
  }

  private static Inserted execute(PreparedStatement statement) throws SQLException {
    statement.execute();
    statement.getMoreResults(); // past the lock
    List<EventKey> taken = new ArrayList<>();
    try (ResultSet rows = statement.getResultSet()) {
      rows.next(); // the first row is about all of them
      long micros = Times.micros(rows.getObject(3, OffsetDateTime.class).toInstant());
      String partition = rows.getString(4);
      boolean hasProperties = rows.getBoolean(5);
      while (rows.next()) {
        taken.add(new EventKey(rows.getObject(1, UUID.class), rows.getObject(2, UUID.class)));
      }
      return new Inserted(micros, taken, partition, hasProperties);
    }
  }

  /** What is recorded under those of the keys that are taken. */
  Map<EventKey, Recorded> findRecorded(DSLContext dsl, Collection<EventKey> keys) {
    Map<EventKey, Recorded> found = new HashMap<>();
    dsl.fetch(
            """
            SELECT e.tenant_id, e.event_id, e.recorded_at, e.digest
              FROM unnest({0}::uuid[], {1}::uuid[]) AS i (tenant_id, id)
              JOIN tracking.event_ids e ON e.tenant_id = i.tenant_id AND e.event_id = i.id
            """,
            DSL.val(keys.stream().map(EventKey::tenant).toArray(UUID[]::new)),
            DSL.val(keys.stream().map(EventKey::event).toArray(UUID[]::new)))
        .forEach(row ->
            found.put(
                new EventKey(row.get(0, UUID.class), row.get(1, UUID.class)),
                new Recorded(
                    Times.micros(row.get(2, Instant.class)),
                    ByteString.copyFrom(row.get(3, byte[].class)))));
    return found;
  }
}
