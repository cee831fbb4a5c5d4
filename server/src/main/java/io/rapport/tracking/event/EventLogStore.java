package io.rapport.tracking.event;

import com.google.protobuf.ByteString;
import io.rapport.platform.Times;
import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;

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
      "SELECT pg_advisory_xact_lock_shared(hashtextextended('tracking.event_properties/' || ?, 0)); ";

  private static final String INPUT_OF_ARRAYS =
      """
      SELECT * FROM unnest(?::uuid[], ?::uuid[], ?::text[], ?::text[]::jsonb[], ?::text[],
          ?::timestamptz[], ?::smallint[], ?::timestamptz[], ?::bytea[])
        AS i (id, user_id, event_type, event_data, event_text,
          occurred_at, utc_offset_minutes, received_at, digest)
      """;
  private static final String INPUT_OF_COPY = "SELECT * FROM pg_temp.incoming_events";

  /** Gives the time of recording, and the ids that were taken. */
  private static final String INSERT =
      """
      WITH tenant AS (
        SELECT ?::uuid AS id
      ), input AS (
        %s
      ), fresh AS (
        INSERT INTO tracking.event_ids (tenant_id, event_id, digest, recorded_at)
        SELECT tenant.id, input.id, digest, now() FROM input, tenant ORDER BY input.id
        ON CONFLICT DO NOTHING
        RETURNING event_id
      ), stored AS (
        INSERT INTO tracking.behavioral_events (tenant_id, id, user_id, event_type, event_data,
          event_text, occurred_at, utc_offset_minutes, received_at, recorded_at)
        SELECT tenant.id, input.id, user_id, event_type, event_data, event_text,
          COALESCE(occurred_at, now()), utc_offset_minutes, received_at, now()
          FROM tenant, input JOIN fresh ON fresh.event_id = input.id
      ), indexed AS (
        INSERT INTO tracking.event_property_values (tenant_id, property_id, event_id,
          occurred_at, recorded_at, text_value, number_value, boolean_value)
        SELECT tenant.id, p.id, input.id, COALESCE(occurred_at, now()), now(), v.*
          FROM tenant JOIN tracking.event_properties p ON p.tenant_id = tenant.id,
            input JOIN fresh ON fresh.event_id = input.id,
            tracking.typed_value(p.type, event_data #> string_to_array(p.name, '.')) v
      )
      SELECT NULL::uuid, now()
      UNION ALL
      SELECT input.id, NULL FROM input
       WHERE NOT EXISTS (SELECT FROM fresh WHERE fresh.event_id = input.id)
      """;

  private static final String INSERT_ARRAYS = LOCK + INSERT.formatted(INPUT_OF_ARRAYS);
  private static final String INSERT_COPY = LOCK + INSERT.formatted(INPUT_OF_COPY);
  private static final String CREATE_INPUT =
      """
      CREATE TEMP TABLE IF NOT EXISTS incoming_events (
        id uuid, user_id uuid, event_type text, event_data jsonb, event_text text,
        occurred_at timestamptz, utc_offset_minutes smallint, received_at timestamptz, digest bytea
      ) ON COMMIT DELETE ROWS
      """;
  private static final String COPY = "COPY pg_temp.incoming_events FROM STDIN (FORMAT binary)";

  /** When the events were recorded, and which ids were taken and not recorded again. */
  record Inserted(long recordedMicros, List<UUID> taken) {}

  /** What is recorded under an id. */
  record Recorded(long micros, ByteString digest) {}

  /** Whether so many events are inserted by a single statement, which needs no transaction. */
  static boolean fitsOneStatement(int events) {
    return events <= ONE_STATEMENT;
  }

  /** Inserts the events whose ids are not taken. The ids must differ from each other. */
  Inserted insert(Connection connection, UUID tenant, List<EventBatch.Entry> events)
      throws SQLException {
    if (events.isEmpty()) {
      return new Inserted(0, List.of());
    }
    return fitsOneStatement(events.size())
        ? insertArrays(connection, tenant, events)
        : insertCopy(connection, tenant, events);
  }

  private static Inserted insertArrays(
      Connection connection, UUID tenant, List<EventBatch.Entry> events) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(INSERT_ARRAYS)) {
      setTenant(statement, tenant);
      ArrayParameters arrays = new ArrayParameters(connection, statement, events);
      arrays.set(3, "uuid", UUID[]::new, e -> e.event().id());
      arrays.set(4, "uuid", UUID[]::new, EventBatch.Entry::user);
      arrays.set(5, "text", String[]::new, e -> e.event().type());
      arrays.set(6, "text", String[]::new, e -> text(e.event().json()));
      arrays.set(7, "text", String[]::new, e -> textOrNull(e.event().text()));
      arrays.set(8, "text", String[]::new, e -> time(e.event().occurredMicros()));
      arrays.set(9, "int4", Integer[]::new, e -> e.event().offsetMinutes());
      arrays.set(10, "text", String[]::new, e -> time(e.event().receivedMicros()));
      arrays.set(11, "bytea", byte[][]::new, e -> e.event().digest().toByteArray());
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

  private static Inserted insertCopy(
      Connection connection, UUID tenant, List<EventBatch.Entry> events) throws SQLException {
    try (Statement create = connection.createStatement()) {
      create.execute(CREATE_INPUT);
    }
    copy(connection, events);
    try (PreparedStatement statement = connection.prepareStatement(INSERT_COPY)) {
      setTenant(statement, tenant);
      return execute(statement);
    }
  }

  private static void copy(Connection connection, List<EventBatch.Entry> events)
      throws SQLException {
    CopyRows rows = new CopyRows();
    events.forEach(rows::add);
    PGConnection postgres = connection.unwrap(PGConnection.class);
    try {
      postgres.getCopyAPI().copyIn(COPY, rows.stream());
    } catch (IOException e) {
      throw new SQLException("COPY failed", "08006", e);
    }
  }

  private static void setTenant(PreparedStatement statement, UUID tenant) throws SQLException {
    statement.setString(1, tenant.toString());
    statement.setObject(2, tenant);
  }

  private static Inserted execute(PreparedStatement statement) throws SQLException {
    statement.execute();
    statement.getMoreResults(); // past the lock
    long micros = 0;
    List<UUID> taken = new ArrayList<>();
    try (ResultSet rows = statement.getResultSet()) {
      while (rows.next()) {
        UUID id = rows.getObject(1, UUID.class);
        if (id == null) {
          micros = Times.micros(rows.getObject(2, OffsetDateTime.class).toInstant());
        } else {
          taken.add(id);
        }
      }
    }
    return new Inserted(micros, taken);
  }

  /** What is recorded under those of the ids that are taken. */
  Map<UUID, Recorded> findRecorded(DSLContext dsl, UUID tenant, Collection<UUID> ids) {
    Map<UUID, Recorded> found = new HashMap<>();
    dsl.fetch(
            """
            SELECT e.event_id, e.recorded_at, e.digest
              FROM unnest({0}::uuid[]) AS i (id)
              JOIN tracking.event_ids e ON e.tenant_id = {1} AND e.event_id = i.id
            """,
            DSL.val(ids.toArray(UUID[]::new)), DSL.val(tenant))
        .forEach(row ->
            found.put(
                row.get(0, UUID.class),
                new Recorded(
                    Times.micros(row.get(1, Instant.class)),
                    ByteString.copyFrom(row.get(2, byte[].class)))));
    return found;
  }
}
