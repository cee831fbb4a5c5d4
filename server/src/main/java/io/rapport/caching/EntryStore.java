package io.rapport.caching;

import static io.rapport.db.generated.caching.Tables.ENTRIES;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import io.rapport.caching.v1.CacheKey;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.platform.BinaryArray;
import io.rapport.platform.Etags;
import io.rapport.platform.TimePlace;
import io.rapport.platform.Times;
import io.rapport.platform.watch.InitialState;
import io.rapport.platform.watch.PresentRowsStore;
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
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** Entries in PostgreSQL. */
final class EntryStore {
  /** What entries are called in the change log. */
  static final String KIND = "caching.entry";

  /** What is logged when another entry that depends on one must be computed again. */
  static final String VALUE_KIND = "caching.value";

  /** The entries that are there, usable or not. */
  static InitialState initialState() {
    return new PresentRowsStore(
        KIND,
        ENTRIES,
        new PresentRowsStore.Columns(
            ENTRIES.TENANT_ID, ENTRIES.ID, ENTRIES.USER_ID, ENTRIES.REVISION, ENTRIES.UPDATED_AT));
  }

  private static final String COLUMNS =
      """
      e.key_digest, e.key, e.value, e.info, e.read_position, e.marks, e.expires_at,
        e.refresh_after, e.revision, e.created_at, e.updated_at, e.checksum,
        m.name, m.position, m.changed_at, m.reason, m.invalidated_by
      """;

  /** The change that makes an entry invalid, the last if there are several. */
  private static final String MARKED =
      """
      LEFT JOIN LATERAL (
        SELECT name, position, changed_at, reason, invalidated_by FROM caching.marks m
         WHERE m.tenant_id = e.tenant_id AND m.id = ANY (e.marks) AND m.position > e.read_position
         ORDER BY m.position DESC LIMIT 1) m ON true
      """;

  /** The head comes with the entries, so that it is known what they don't say yet. */
  private static final String READ =
      "SELECT h.position AS head, "
          + COLUMNS
          + """
            FROM (SELECT COALESCE((SELECT position FROM platform.tenant_heads
                                    WHERE tenant_id = ?), 0) AS position) h
            LEFT JOIN (unnest(?::uuid[]) AS i (id)
              JOIN caching.entries e ON e.tenant_id = ? AND e.id = i.id) ON true
          """
          + MARKED;

  private static final String LIST =
      "SELECT 0::bigint AS head, "
          + COLUMNS
          + " FROM caching.entries e "
          + MARKED
          + """
             WHERE e.tenant_id = ? AND e.cache = ?
               AND (?::uuid IS NULL OR e.user_id = ?) AND (?::text IS NULL OR e.entry_type = ?)
               AND (?::text IS NULL OR e.project_id = ?)
               AND (?::timestamptz IS NULL OR (e.updated_at, e.id) < (?, ?))
             ORDER BY e.updated_at DESC, e.id DESC LIMIT ?
          """;

  /** The marks of all entries come in one array, those of each after those of the one before. */
  private static final String PUT =
      """
      INSERT INTO caching.entries AS e (tenant_id, id, key_digest, key, cache, user_id,
        entry_type, project_id, value, checksum, info, content_hash, read_position, marks,
        expires_at, refresh_after)
      SELECT ?, i.id, i.key_digest, i.key, i.cache, i.user_id, i.entry_type, i.project_id, i.value,
        i.checksum, i.info, i.content_hash, i.read_position, m.marks[i.first_mark:i.last_mark],
        i.expires_at, i.refresh_after
        FROM (SELECT ?::uuid[] AS marks) m,
          unnest(?::uuid[], ?::bytea[], ?::bytea[], ?::text[], ?::uuid[], ?::text[], ?::text[],
            ?::bytea[], ?::bytea[], ?::bytea[], ?::text[], ?::bigint[], ?::integer[], ?::integer[],
            ?::timestamptz[], ?::timestamptz[])
          AS i (id, key_digest, key, cache, user_id, entry_type, project_id, value, checksum, info,
            content_hash, read_position, first_mark, last_mark, expires_at, refresh_after)
       ORDER BY i.id
      ON CONFLICT (tenant_id, id) DO UPDATE SET value = excluded.value,
        checksum = excluded.checksum, info = excluded.info, content_hash = excluded.content_hash,
        read_position = excluded.read_position, marks = excluded.marks,
        expires_at = excluded.expires_at, refresh_after = excluded.refresh_after,
        revision = excluded.revision, updated_at = now()
      RETURNING id, revision, created_at, updated_at, xmax = 0
      """;

  /**
   * What a read found.
   *
   * @param head the last commit that it saw
   */
  record Found(long head, Map<UUID, Entry> entries) {}

  /** Which entries to list, and from where on. */
  record Listing(
      String cache,
      @Nullable UUID user,
      @Nullable String type,
      @Nullable String project,
      @Nullable TimePlace after,
      int size) {}

  Found read(Connection connection, UUID tenant, Collection<UUID> ids) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(READ)) {
      statement.setObject(1, tenant);
      statement.setArray(2, BinaryArray.of(connection, ids.toArray(UUID[]::new)));
      statement.setObject(3, tenant);
      try (ResultSet rows = statement.executeQuery()) {
        long head = 0;
        Map<UUID, Entry> entries = HashMap.newHashMap(ids.size());
        while (rows.next()) {
          head = rows.getLong("head");
          if (rows.getBytes("key") != null) {
            Entry entry = entry(rows);
            entries.put(entry.key().id(), entry);
          }
        }
        return new Found(head, entries);
      }
    }
  }

  /** The entry, in a transaction. */
  Optional<Entry> find(DSLContext tx, UUID tenant, UUID id) {
    return tx.connectionResult(
        connection -> Optional.ofNullable(read(connection, tenant, List.of(id)).entries().get(id)));
  }

  List<Entry> list(Connection connection, UUID tenant, Listing listing) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(LIST)) {
      TimePlace after = listing.after();
      Object[] values = {
        tenant,
        listing.cache(),
        listing.user(),
        listing.user(),
        listing.type(),
        listing.type(),
        listing.project(),
        listing.project(),
        after == null ? null : after.time().toString(),
        after == null ? null : OffsetDateTime.parse(after.time().toString()),
        after == null ? null : after.id(),
        listing.size()
      };
      for (int i = 0; i < values.length; i++) {
        statement.setObject(i + 1, values[i]);
      }
      List<Entry> entries = new ArrayList<>();
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          entries.add(entry(rows));
        }
      }
      return entries;
    }
  }

  private static Entry entry(ResultSet row) throws SQLException {
    EntryKey key = EntryKey.of(parse(CacheKey.parser(), row.getBytes("key")));
    if (!key.digest().equals(ByteString.copyFrom(row.getBytes("key_digest")))) {
      throw new IllegalStateException("an entry's key isn't the one of its digest");
    }
    long expires = micros(row, "expires_at");
    long refresh = micros(row, "refresh_after");
    long revision = row.getLong("revision");
    EntryInfo info =
        parse(EntryInfo.parser(), row.getBytes("info")).toBuilder()
            .setChecksum(ByteString.copyFrom(row.getBytes("checksum")))
            .setExpiresAt(Times.proto(expires))
            .setRefreshAfter(Times.proto(refresh))
            .setCreatedAt(Times.proto(micros(row, "created_at")))
            .setUpdatedAt(Times.proto(micros(row, "updated_at")))
            .setEtag(Etags.of(revision))
            .build();
    UUID[] marks = (UUID[]) row.getArray("marks").getArray();
    return new Entry(
        key,
        TypedEntry.of(key, ByteString.copyFrom(row.getBytes("value")), info),
        info,
        row.getLong("read_position"),
        List.of(marks),
        invalid(row),
        expires,
        refresh,
        revision);
  }

  private static Entry.@Nullable Invalid invalid(ResultSet row) throws SQLException {
    String name = row.getString("name");
    return name == null
        ? null
        : new Entry.Invalid(
            name,
            text(row, "reason"),
            row.getString("invalidated_by"),
            row.getObject("changed_at") == null ? 0 : micros(row, "changed_at"),
            row.getLong("position"));
  }

  private static String text(ResultSet row, String column) throws SQLException {
    String text = row.getString(column);
    return text == null ? "" : text;
  }

  private static long micros(ResultSet row, String column) throws SQLException {
    return Times.micros(row.getObject(column, OffsetDateTime.class).toInstant());
  }

  private static <M> M parse(Parser<M> parser, byte[] bytes) {
    try {
      return parser.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("an entry can't be read", e);
    }
  }

  /**
   * What must be known of an entry before it is put.
   *
   * @param isUsable whether it is neither expired nor invalid
   */
  record Present(
      long revision, ByteString checksum, String contentHash, Set<UUID> marks, boolean isUsable) {}

  /** Locks entries, and returns those that are there. */
  Map<UUID, Present> lock(DSLContext tx, UUID tenant, Collection<UUID> ids) {
    Map<UUID, Present> present = new HashMap<>();
    tx.fetch(
            """
            SELECT e.id, e.revision, e.checksum, COALESCE(e.content_hash, ''), e.marks,
              e.expires_at > clock_timestamp() AND NOT EXISTS (
                SELECT FROM caching.marks m
                 WHERE m.tenant_id = e.tenant_id AND m.id = ANY (e.marks)
                   AND m.position > e.read_position)
              FROM caching.entries e WHERE e.tenant_id = {0} AND e.id = ANY ({1})
             ORDER BY e.id FOR UPDATE OF e
            """,
            DSL.val(tenant), DSL.val(ids.toArray(UUID[]::new)))
        .forEach(row ->
            present.put(
                row.get(0, UUID.class),
                new Present(
                    row.get(1, Long.class),
                    ByteString.copyFrom(row.get(2, byte[].class)),
                    row.get(3, String.class),
                    Set.of(row.get(4, UUID[].class)),
                    row.get(5, Boolean.class))));
    return present;
  }

  /** What a put left behind. */
  record Kept(long revision, Instant createdAt, Instant updatedAt, boolean isNew) {}

  /** Keeps entries, whatever is there; for each what it left behind, in their order. */
  List<Kept> put(DSLContext tx, UUID tenant, List<Entry> entries) {
    return tx.connectionResult(connection -> {
      try (PreparedStatement statement = connection.prepareStatement(PUT)) {
        new EntryArrays(connection, entries).set(statement, tenant);
        Map<UUID, Kept> kept = HashMap.newHashMap(entries.size());
        try (ResultSet rows = statement.executeQuery()) {
          while (rows.next()) {
            kept.put(
                rows.getObject(1, UUID.class),
                new Kept(rows.getLong(2), instant(rows, 3), instant(rows, 4), rows.getBoolean(5)));
          }
        }
        return entries.stream().map(entry -> kept.get(entry.key().id())).toList();
      }
    });
  }

  private static Instant instant(ResultSet row, int column) throws SQLException {
    return row.getObject(column, OffsetDateTime.class).toInstant();
  }

  /** Sets what an entry depends on, and from which commit on, once that is known. */
  void setMarks(DSLContext tx, UUID tenant, UUID id, Collection<UUID> marks, long readPosition) {
    tx.execute(
        """
        UPDATE caching.entries SET marks = {2}, read_position = {3}
         WHERE tenant_id = {0} AND id = {1}
        """,
        DSL.val(tenant), DSL.val(id), DSL.val(marks.toArray(UUID[]::new)), DSL.val(readPosition));
  }

  /** Returns the entry's new revision. */
  long setTimes(DSLContext tx, UUID tenant, UUID id, Instant expiresAt, Instant refreshAfter) {
    return tx.fetchSingle(
            """
            UPDATE caching.entries
               SET expires_at = {2}, refresh_after = {3}, revision = nextval('caching.revisions')
             WHERE tenant_id = {0} AND id = {1} RETURNING revision
            """,
            DSL.val(tenant), DSL.val(id), DSL.val(expiresAt), DSL.val(refreshAfter))
        .get(0, Long.class);
  }

  /**
   * What entries depend on together.
   *
   * @param readPosition the earliest commit that an invalid one was computed from
   */
  record Inherited(Set<UUID> marks, long readPosition) {}

  Inherited inherited(DSLContext tx, UUID tenant, Collection<UUID> ids) {
    Set<UUID> marks = new HashSet<>();
    long readPosition = Long.MAX_VALUE;
    for (Record row :
        tx.fetch(
            """
            SELECT e.marks, CASE WHEN EXISTS (
                SELECT FROM caching.marks m
                 WHERE m.tenant_id = e.tenant_id AND m.id = ANY (e.marks)
                   AND m.position > e.read_position)
              THEN e.read_position ELSE {2} END
              FROM caching.entries e WHERE e.tenant_id = {0} AND e.id = ANY ({1})
            """,
            DSL.val(tenant), DSL.val(ids.toArray(UUID[]::new)), DSL.val(Long.MAX_VALUE))) {
      marks.addAll(List.of(row.get(0, UUID[].class)));
      readPosition = Math.min(readPosition, row.get(1, Long.class));
    }
    return new Inherited(marks, readPosition);
  }

  /** How many of the keys have an entry. */
  int count(DSLContext tx, UUID tenant, Collection<UUID> ids) {
    return tx.fetchCount(ENTRIES, ENTRIES.TENANT_ID.eq(tenant), ENTRIES.ID.in(ids));
  }

  int countOfUser(DSLContext tx, UUID tenant, UUID user) {
    return tx.fetchCount(ENTRIES, ENTRIES.TENANT_ID.eq(tenant), ENTRIES.USER_ID.eq(user));
  }

  /** The entries that were computed from a content. */
  List<UUID> ofContent(DSLContext tx, UUID tenant, String contentHash) {
    return tx.select(ENTRIES.ID)
        .from(ENTRIES)
        .where(ENTRIES.TENANT_ID.eq(tenant), ENTRIES.CONTENT_HASH.eq(contentHash))
        .fetch(ENTRIES.ID);
  }
}
