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
      "SELECT pg_advisory_xact_lock_shared(hashtextextended('tracking.event_properties/' || ?, 0)); ";

  /** Remembers the ids that are not taken. */
  private static final String INSERT_IDS =
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
      )
      """;

  /** Gives the time of recording, where to copy to, and the ids that were taken. */
  private static final String RESULT =
      """
      SELECT NULL::uuid, now(), tracking.event_partition(now())::name,
        EXISTS (SELECT FROM tracking.event_properties p, tenant WHERE p.tenant_id = tenant.id)
      UNION ALL
      SELECT input.id, NULL, NULL, NULL FROM input
       WHERE NOT EXISTS (SELECT FROM fresh WHERE fresh.event_id = input.id)
      """;

  /** Values of declared properties of the events {@code e}. */
  private static final String INSERT_VALUES =
      """
      INSERT INTO tracking.event_property_values (tenant_id, property_id, event_id,
        occurred_at, recorded_at, text_value, number_value, boolean_value)
      SELECT p.tenant_id, p.id, e.id, COALESCE(e.occurred_at, now()), now(), v.*
        FROM %s
        JOIN tracking.event_properties p ON p.tenant_id = tenant.id,
          tracking.typed_value(p.type, e.event_data #> string_to_array(p.name, '.')) v
      """;

  /** All of it in one statement. */
  private static final String INSERT_FEW =
      LOCK
          + INSERT_IDS.formatted(
              """
              SELECT * FROM unnest(?::uuid[], ?::bytea[], ?::uuid[], ?::text[], ?::text[]::jsonb[],
                  ?::text[], ?::timestamptz[], ?::smallint[], ?::timestamptz[])
                AS i (id, digest, user_id, event_type, event_data,
                  event_text, occurred_at, utc_offset_minutes, received_at)
              """)
          + """
          , stored AS (
            INSERT INTO tracking.behavioral_events (tenant_id, id, user_id, event_type, event_data,
              event_text, occurred_at, utc_offset_minutes, received_at, recorded_at)
            SELECT tenant.id, input.id, user_id, event_type, event_data, event_text,
              COALESCE(occurred_at, now()), utc_offset_minutes, received_at, now()
              FROM tenant, input JOIN fresh ON fresh.event_id = input.id
          ), indexed AS (
          """
          + INSERT_VALUES.formatted("tenant CROSS JOIN input e JOIN fresh ON fresh.event_id = e.id")
          + ")"
          + RESULT;

  /** The ids alone; the events are copied after it. */
  private static final String INSERT_MANY_IDS =
      LOCK
          + INSERT_IDS.formatted("SELECT * FROM unnest(?::uuid[], ?::bytea[]) AS i (id, digest)")
          + RESULT;

  private static final String INSERT_MANY_VALUES =
      "WITH tenant AS (SELECT ?::uuid AS id) "
          + INSERT_VALUES.formatted(
              """
              tenant CROSS JOIN unnest(?::uuid[]) AS fresh (id)
              JOIN tracking.behavioral_events e
                ON e.tenant_id = tenant.id AND e.id = fresh.id AND e.recorded_at = now()
              """);

  private static final Pattern PARTITION = Pattern.compile("behavioral_events_[0-9]{6}");

  /**
   * What became of an insert.
   *
   * @param taken the ids that were recorded before, and are not again
   * @param partition where events of this time belong
   * @param hasProperties whether the tenant has declared properties
   */
  record Inserted(long recordedMicros, List<UUID> taken, String partition, boolean hasProperties) {}

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
      return new Inserted(0, List.of(), "", false);
    }
    return fitsOneStatement(events.size())
        ? insertFew(connection, tenant, events)
        : insertMany(connection, tenant, events);
  }

  private static Inserted insertFew(
      Connection connection, UUID tenant, List<EventBatch.Entry> events) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(INSERT_FEW)) {
      setTenant(statement, tenant);
      ArrayParameters arrays = new ArrayParameters(connection, statement, events);
      arrays.setIds();
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
    void setIds() throws SQLException {
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
  private static Inserted insertMany(
      Connection connection, UUID tenant, List<EventBatch.Entry> events) throws SQLException {
    Inserted inserted;
    try (PreparedStatement statement = connection.prepareStatement(INSERT_MANY_IDS)) {
      setTenant(statement, tenant);
      new ArrayParameters(connection, statement, events).setIds();
      inserted = execute(statement);
    }
    List<EventBatch.Entry> fresh = without(inserted.taken(), events);
    copy(connection, tenant, fresh, inserted);
    if (inserted.hasProperties()) {
      insertValues(connection, tenant, fresh);
    }
    return inserted;
  }

  private static List<EventBatch.Entry> without(List<UUID> taken, List<EventBatch.Entry> events) {
    if (taken.isEmpty()) {
      return events;
    }
    Set<UUID> ids = new HashSet<>(taken);
    return events.stream().filter(entry -> !ids.contains(entry.event().id())).toList();
  }

  private static void copy(
      Connection connection, UUID tenant, List<EventBatch.Entry> events, Inserted inserted)
      throws SQLException {
    if (!PARTITION.matcher(inserted.partition()).matches()) {
      throw new IllegalStateException("no partition: " + inserted.partition());
    }
    CopyRows rows = new CopyRows(tenant, inserted.recordedMicros());
    events.forEach(rows::add);
    CopyIn copy =
        connection
            .unwrap(PGConnection.class)
            .getCopyAPI()
            .copyIn(CopyRows.STATEMENT.formatted(inserted.partition()));
    copy.writeToCopy(rows.finish());
    copy.endCopy();
  }

  private static void insertValues(
      Connection connection, UUID tenant, List<EventBatch.Entry> events) throws SQLException {
    UUID[] ids = events.stream().map(entry -> entry.event().id()).toArray(UUID[]::new);
    try (PreparedStatement statement = connection.prepareStatement(INSERT_MANY_VALUES)) {
      statement.setObject(1, tenant);
      statement.setArray(2, connection.createArrayOf("uuid", ids));
      statement.executeUpdate();
    }
  }

  private static void setTenant(PreparedStatement statement, UUID tenant) throws SQLException {
    statement.setString(1, tenant.toString());
    statement.setObject(2, tenant);
  }

  private static Inserted execute(PreparedStatement statement) throws SQLException {
    statement.execute();
    statement.getMoreResults(); // past the lock
    List<UUID> taken = new ArrayList<>();
    try (ResultSet rows = statement.getResultSet()) {
      rows.next(); // the first row is about all of them
      long micros = Times.micros(rows.getObject(2, OffsetDateTime.class).toInstant());
      String partition = rows.getString(3);
      boolean hasProperties = rows.getBoolean(4);
      while (rows.next()) {
        taken.add(rows.getObject(1, UUID.class));
      }
      return new Inserted(micros, taken, partition, hasProperties);
    }
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
