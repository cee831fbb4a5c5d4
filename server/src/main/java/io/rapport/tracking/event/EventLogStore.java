package io.rapport.tracking.event;

import com.google.protobuf.ByteString;
import io.rapport.identity.v1.Identity;
import io.rapport.platform.BinaryArray;
import io.rapport.platform.Times;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
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
 * Inserts events into PostgreSQL: few by one statement, many by COPY.
 *
 * <p>COPY is refused where a policy would have to hold, so it goes into the partition, which has
 * none and on which the server may do nothing else; a constraint holds it to the tenant.
 */
final class EventLogStore {
  private static final int ONE_STATEMENT = 200;
  private static final String MARK = "SELECT pg_logical_emit_message(true, 'rapport', '')::text";
  private static final String RECORDED =
      """
      SELECT e.tenant_id, e.event_id, e.recorded_at, e.digest, e.state
        FROM unnest({0}::uuid[], {1}::uuid[]) AS i (tenant_id, id)
        JOIN tracking.event_ids e ON e.tenant_id = i.tenant_id AND e.event_id = i.id
      """;
  private static final Pattern PARTITION = Pattern.compile("behavioral_events_[0-9]{6}");

  private final EventSql sql;

  EventLogStore(EventSql sql) {
    this.sql = sql;
  }

  /**
   * What became of an insert.
   *
   * @param taken the events whose ids were recorded before, and are not again
   * @param positions the number of the commit, for each tenant that had an event recorded
   */
  record Inserted(long recordedMicros, List<EventKey> taken, Map<UUID, Long> positions) {}

  /** Where and by what mark to copy. */
  private record Place(String partition, long batch) {}

  private record Answer(Inserted inserted, Place place) {}

  /**
   * What is known under an id.
   *
   * @param micros when it became so
   * @param digest of the event that was sent first
   */
  record Recorded(long micros, ByteString digest, State state) {}

  /** What became of the event under an id. */
  enum State {
    RECORDED,
    /** It was recorded, and is not kept any more. */
    RETIRED,
    QUARANTINED,
    /** It was quarantined, and is not kept any more. */
    DISCARDED
  }

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
      return new Inserted(0, List.of(), Map.of());
    }
    List<EventBatch.Entry> ordered = inOrder(events);
    return fitsOneStatement(events.size())
        ? insertFew(connection, ordered)
        : insertMany(connection, ordered, sql.insertIds());
  }

  /**
   * Inserts the events whose ids are not taken, and puts those of the suspects into quarantine. The
   * ids must differ from each other, and all be of one tenant.
   */
  Inserted insertAndQuarantine(
      Connection connection, List<EventBatch.Entry> events, List<EventBatch.Suspect> suspects)
      throws SQLException {
    if (suspects.isEmpty()) {
      return insert(connection, events);
    }
    List<EventBatch.Item> all = new ArrayList<>(events);
    all.addAll(suspects);
    Answer answer;
    try (PreparedStatement statement = connection.prepareStatement(sql.insertMixedIds())) {
      var arrays = ArrayParameters.of(connection, statement, inOrder(all));
      arrays.setKeys();
      arrays.set(5, "text", String[]::new, e -> stateOf(e).name());
      answer = execute(statement);
    }
    List<EventKey> taken = answer.inserted().taken();
    quarantine(connection, without(taken, suspects));
    return insertFresh(connection, without(taken, events), answer);
  }

  /** The order of the keys in PostgreSQL's indexes, which grow faster by it. */
  private static <E extends EventBatch.Item> List<E> inOrder(List<E> events) {
    return events.stream().sorted(Comparator.comparing(EventBatch.Item::key)).toList();
  }

  private static State stateOf(EventBatch.Item item) {
    return item instanceof EventBatch.Suspect ? State.QUARANTINED : State.RECORDED;
  }

  private static void quarantine(Connection connection, List<EventBatch.Suspect> events)
      throws SQLException {
    if (events.isEmpty()) {
      return;
    }
    try (PreparedStatement statement = connection.prepareStatement(QuarantineStore.INSERT)) {
      var arrays = ArrayParameters.of(connection, statement, events);
      arrays.setIds(1, EventBatch.Suspect::tenant);
      arrays.setIds(2, e -> e.event().id());
      arrays.set(3, "text", String[]::new, e -> e.event().type());
      arrays.setIds(4, e -> e.event().user());
      arrays.set(5, "text", String[]::new, e -> provider(e.event().identity()));
      arrays.set(6, "text", String[]::new, e -> subject(e.event().identity()));
      arrays.set(7, "text", String[]::new, e -> text(e.event().json()));
      arrays.set(8, "text", String[]::new, e -> textOrNull(e.event().text()));
      arrays.setTimes(9, e -> e.event().occurredMicros());
      arrays.set(10, "int4", Integer[]::new, e -> e.event().offsetMinutes());
      arrays.setTimes(11, e -> e.event().receivedMicros());
      arrays.set(12, "int4", Integer[]::new, e -> e.event().contractVersion());
      arrays.set(13, "text", String[]::new, e -> text(e.event().violations()));
      statement.execute();
    }
  }

  private static @Nullable String provider(@Nullable Identity identity) {
    return identity == null ? null : identity.getProvider();
  }

  private static @Nullable String subject(@Nullable Identity identity) {
    return identity == null ? null : identity.getSubject();
  }

  /**
   * Records events out of quarantine, in the transaction that takes them from there. All must be in
   * quarantine, of one tenant, and locked.
   */
  Inserted release(Connection connection, List<EventBatch.Entry> events) throws SQLException {
    Inserted released = insertMany(connection, events, sql.releaseIds());
    if (!released.taken().isEmpty()) {
      throw new IllegalStateException("an event is in quarantine, but its id doesn't say so");
    }
    return released;
  }

  private Inserted insertFew(Connection connection, List<EventBatch.Entry> events)
      throws SQLException {
    List<EventBatch.Entry> texts = searchable(events);
    String insert = texts.isEmpty() ? sql.insertFew() : sql.insertFewTexts();
    try (PreparedStatement statement = connection.prepareStatement(insert)) {
      var arrays = ArrayParameters.of(connection, statement, events);
      arrays.setKeys();
      arrays.setIds(5, EventBatch.Entry::user);
      arrays.set(6, "text", String[]::new, e -> e.event().type());
      arrays.set(7, "text", String[]::new, e -> text(e.event().json()));
      arrays.set(8, "text", String[]::new, e -> textOrNull(e.event().text()));
      arrays.setTimes(9, e -> e.event().occurredMicros());
      arrays.set(10, "int4", Integer[]::new, e -> e.event().offsetMinutes());
      arrays.setTimes(11, e -> e.event().receivedMicros());
      arrays.set(12, "int4", Integer[]::new, e -> e.event().contractVersion());
      arrays.set(13, "text", String[]::new, e -> text(e.event().violations()));
      setSearchable(connection, statement, 14, texts);
      return execute(statement).inserted();
    }
  }

  /** The events with texts that are to be found. */
  private static List<EventBatch.Entry> searchable(List<EventBatch.Entry> events) {
    return events.stream().filter(it -> it.event().searchable()).toList();
  }

  private static void setSearchable(
      Connection connection, PreparedStatement statement, int index, List<EventBatch.Entry> texts)
      throws SQLException {
    if (!texts.isEmpty()) {
      var arrays = ArrayParameters.of(connection, statement, texts);
      arrays.setIds(index, EventBatch.Entry::tenant);
      arrays.setIds(index + 1, e -> e.event().id());
    }
  }

  private static @Nullable String text(@Nullable ByteString json) {
    return json == null ? null : json.toStringUtf8();
  }

  private static @Nullable String textOrNull(String text) {
    return text.isEmpty() ? null : text;
  }

  private record ArrayParameters<E extends EventBatch.Item>(
      Connection connection, PreparedStatement statement, List<E> events) {
    static <E extends EventBatch.Item> ArrayParameters<E> of(
        Connection connection, PreparedStatement statement, List<E> events) {
      return new ArrayParameters<>(connection, statement, events);
    }

    /** The tenants to lock, always in the same order; tenants, ids and digests. */
    void setKeys() throws SQLException {
      Object[] tenants =
          events.stream().map(e -> e.tenant().toString()).distinct().sorted().toArray();
      statement.setArray(1, connection.createArrayOf("text", tenants));
      setIds(2, EventBatch.Item::tenant);
      setIds(3, e -> e.event().id());
      set(4, "bytea", byte[][]::new, e -> e.event().digest().toByteArray());
    }

    /** The tenant of all, twice; ids and digests. */
    void setKeysOfOne() throws SQLException {
      UUID tenant = events.getFirst().tenant();
      statement.setArray(1, connection.createArrayOf("text", new Object[] {tenant.toString()}));
      statement.setObject(2, tenant);
      setIds(3, e -> e.event().id());
      set(4, "bytea", byte[][]::new, e -> e.event().digest().toByteArray());
    }

    void setIds(int index, Function<? super E, @Nullable UUID> column) throws SQLException {
      @Nullable UUID[] values = events.stream().map(column).toArray(UUID[]::new);
      statement.setArray(index, BinaryArray.of(connection, values));
    }

    void setTimes(int index, Function<? super E, @Nullable Long> column) throws SQLException {
      @Nullable Long[] values = events.stream().map(column).toArray(Long[]::new);
      statement.setArray(index, BinaryArray.ofTimes(connection, values));
    }

    <T> void set(
        int index,
        String type,
        IntFunction<@Nullable T[]> array,
        Function<? super E, @Nullable T> column)
        throws SQLException {
      @Nullable T[] values = array.apply(events.size());
      for (int i = 0; i < values.length; i++) {
        values[i] = column.apply(events.get(i));
      }
      statement.setArray(index, connection.createArrayOf(type, values));
    }
  }

  private Inserted insertMany(
      Connection connection, List<EventBatch.Entry> events, String insertIds) throws SQLException {
    Answer answer;
    try (PreparedStatement statement = connection.prepareStatement(insertIds)) {
      ArrayParameters.of(connection, statement, events).setKeysOfOne();
      answer = execute(statement);
    }
    return insertFresh(connection, without(answer.inserted().taken(), events), answer);
  }

  private Inserted insertFresh(Connection connection, List<EventBatch.Entry> fresh, Answer answer)
      throws SQLException {
    Inserted inserted = answer.inserted();
    if (fresh.isEmpty()) {
      return inserted;
    }
    copy(connection, fresh, inserted.recordedMicros(), answer.place());
    UUID tenant = fresh.getFirst().tenant();
    EventTotals totals = EventTotals.of(fresh, inserted.recordedMicros());
    long position = finish(connection, tenant, totals, searchable(fresh));
    return new Inserted(inserted.recordedMicros(), inserted.taken(), Map.of(tenant, position));
  }

  private static <E extends EventBatch.Item> List<E> without(List<EventKey> taken, List<E> events) {
    if (taken.isEmpty()) {
      return events;
    }
    Set<EventKey> keys = new HashSet<>(taken);
    return events.stream().filter(entry -> !keys.contains(entry.key())).toList();
  }

  private static void copy(
      Connection connection, List<EventBatch.Entry> events, long recordedMicros, Place place)
      throws SQLException {
    if (!PARTITION.matcher(place.partition()).matches()) {
      throw new IllegalStateException("no partition: " + place.partition());
    }
    CopyRows rows = new CopyRows(recordedMicros, place.batch());
    events.forEach(rows::add);
    CopyIn copy =
        connection
            .unwrap(PGConnection.class)
            .getCopyAPI()
            .copyIn(CopyRows.STATEMENT.formatted(place.partition()));
    copy.writeToCopy(rows.finish());
    copy.endCopy();
  }

  /** Does what follows from the events, and gives the number of the commit. */
  private long finish(
      Connection connection, UUID tenant, EventTotals totals, List<EventBatch.Entry> texts)
      throws SQLException {
    String ending = texts.isEmpty() ? sql.afterCopy() : sql.afterCopyOfTexts();
    try (PreparedStatement statement = connection.prepareStatement(ending)) {
      statement.setObject(1, tenant);
      statement.setArray(2, BinaryArray.of(connection, totals.users()));
      statement.setArray(3, connection.createArrayOf("text", totals.types()));
      statement.setArray(4, connection.createArrayOf("int4", totals.counts()));
      statement.setArray(5, BinaryArray.ofTimes(connection, totals.lastMicros()));
      setSearchable(connection, statement, 6, texts);
      try (ResultSet rows = statement.executeQuery()) {
        rows.next();
        return rows.getLong(1);
      }
    }
  }

  private static Answer execute(PreparedStatement statement) throws SQLException {
    statement.execute();
    statement.getMoreResults(); // past the lock
    List<EventKey> taken = new ArrayList<>();
    Map<UUID, Long> positions = new HashMap<>();
    try (ResultSet rows = statement.getResultSet()) {
      rows.next(); // the first row is about all of them
      long micros = Times.micros(rows.getObject(4, OffsetDateTime.class).toInstant());
      Place place = new Place(rows.getString(5), rows.getLong(6));
      while (rows.next()) {
        UUID tenant = rows.getObject(1, UUID.class);
        UUID id = rows.getObject(2, UUID.class);
        if (id == null) {
          positions.put(tenant, rows.getLong(3));
        } else {
          taken.add(new EventKey(tenant, id));
        }
      }
      return new Answer(new Inserted(micros, taken, positions), place);
    }
  }

  /** What is known under those of the keys that are taken. */
  Map<EventKey, Recorded> findRecorded(DSLContext dsl, Collection<EventKey> keys) {
    return find(dsl, RECORDED, keys);
  }

  /**
   * The same for a caller who is told that they are recorded. They are here, but who recorded them
   * may have been cancelled before a replica had them; so this leaves a record in the log of the
   * database, and its commit waits until a replica has that.
   */
  Map<EventKey, Recorded> findReplicated(DSLContext dsl, Collection<EventKey> keys) {
    return find(dsl, "WITH mark AS (" + MARK + ") " + RECORDED + ", mark", keys);
  }

  private static Map<EventKey, Recorded> find(
      DSLContext dsl, String query, Collection<EventKey> keys) {
    Map<EventKey, Recorded> found = new HashMap<>();
    dsl.fetch(
            query,
            DSL.val(keys.stream().map(EventKey::tenant).toArray(UUID[]::new)),
            DSL.val(keys.stream().map(EventKey::event).toArray(UUID[]::new)))
        .forEach(row ->
            found.put(
                new EventKey(row.get(0, UUID.class), row.get(1, UUID.class)),
                new Recorded(
                    Times.micros(row.get(2, Instant.class)),
                    ByteString.copyFrom(row.get(3, byte[].class)),
                    State.valueOf(row.get(4, String.class)))));
    return found;
  }
}
