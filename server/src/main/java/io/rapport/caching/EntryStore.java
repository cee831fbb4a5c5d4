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
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.Result;
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
        e.invalid_position, e.invalid_at, e.invalid_reason, e.invalidated_by,
        m.name, m.position, m.changed_at, m.reason, m.invalidated_by AS marked_by
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

  private static final String PUT =
      """
      INSERT INTO caching.entries AS e (tenant_id, id, key_digest, key, cache, user_id,
        entry_type, project_id, value, checksum, info, content_hash, read_position, marks,
        expires_at, refresh_after)
      VALUES ({0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}, {9}, {10}, {11}, {12}, {13},
        {14}, {15})
      ON CONFLICT (tenant_id, id) DO UPDATE SET value = excluded.value,
        checksum = excluded.checksum, info = excluded.info, content_hash = excluded.content_hash,
        read_position = excluded.read_position, marks = excluded.marks,
        expires_at = excluded.expires_at, refresh_after = excluded.refresh_after,
        invalid_position = CASE WHEN e.invalid_position > excluded.read_position
          THEN e.invalid_position END,
        invalid_at = CASE WHEN e.invalid_position > excluded.read_position
          THEN e.invalid_at END,
        revision = e.revision + 1, updated_at = now()
      RETURNING revision, created_at, updated_at
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
        ByteString.copyFrom(row.getBytes("value")),
        info,
        row.getLong("read_position"),
        List.of(marks),
        invalid(row),
        expires,
        refresh,
        revision);
  }

  private static Entry.@Nullable Invalid invalid(ResultSet row) throws SQLException {
    if (row.getObject("invalid_at") != null) {
      return new Entry.Invalid(
          null,
          text(row, "invalid_reason"),
          text(row, "invalidated_by"),
          micros(row, "invalid_at"),
          row.getLong("invalid_position"));
    }
    String name = row.getString("name");
    return name == null
        ? null
        : new Entry.Invalid(
            name,
            text(row, "reason"),
            row.getString("marked_by"),
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

  /** What must be known of an entry before it is put. */
  record Present(long revision, ByteString checksum, String contentHash) {}

  /** Locks the entry. */
  Optional<Present> lock(DSLContext tx, UUID tenant, UUID id) {
    return tx
        .fetch(
            """
            SELECT revision, checksum, COALESCE(content_hash, '') FROM caching.entries
             WHERE tenant_id = {0} AND id = {1} FOR UPDATE
            """,
            DSL.val(tenant), DSL.val(id))
        .stream()
        .findFirst()
        .map(row ->
            new Present(
                row.get(0, Long.class),
                ByteString.copyFrom(row.get(1, byte[].class)),
                row.get(2, String.class)));
  }

  /** Whether there is an entry that is neither expired nor invalid. */
  boolean isUsable(DSLContext dsl, UUID tenant, UUID id) {
    return dsl.fetchSingle(
            """
            SELECT EXISTS (
              SELECT FROM caching.entries e
               WHERE e.tenant_id = {0} AND e.id = {1} AND e.invalid_at IS NULL
                 AND e.expires_at > clock_timestamp() AND NOT EXISTS (
                   SELECT FROM caching.marks m
                    WHERE m.tenant_id = e.tenant_id AND m.id = ANY (e.marks)
                      AND m.position > e.read_position))
            """,
            DSL.val(tenant), DSL.val(id))
        .get(0, Boolean.class);
  }

  /** What a put left behind. */
  record Kept(long revision, Instant createdAt, Instant updatedAt) {}

  /** Keeps an entry, whatever is there. */
  Kept put(DSLContext tx, UUID tenant, Entry entry) {
    EntryKey key = entry.key();
    EntryInfo info = entry.info();
    EntryInfo kept = info.toBuilder().clearChecksum().clearExpiresAt().clearRefreshAfter().build();
    var row =
        tx.fetchSingle(
            PUT,
            DSL.val(tenant),
            DSL.val(key.id()),
            DSL.val(key.digest().toByteArray()),
            DSL.val(key.key().toByteArray()),
            DSL.val(key.cache()),
            DSL.val(key.user()),
            DSL.val(key.type()),
            DSL.val(
                key.key().hasAnalysis() ? key.key().getAnalysis().getProjectId() : null,
                String.class),
            DSL.val(entry.value().toByteArray()),
            DSL.val(info.getChecksum().toByteArray()),
            DSL.val(kept.toByteArray()),
            DSL.val(info.getContentHash().isEmpty() ? null : info.getContentHash(), String.class),
            DSL.val(entry.readPosition()),
            DSL.val(entry.marks().toArray(UUID[]::new)),
            DSL.val(Times.instant(entry.expiresMicros())),
            DSL.val(Times.instant(entry.refreshMicros())));
    return new Kept(row.get(0, Long.class), row.get(1, Instant.class), row.get(2, Instant.class));
  }

  /** Sets what an entry depends on, once there are marks for all of it. */
  void setMarks(DSLContext tx, UUID tenant, UUID id, List<UUID> marks) {
    tx.execute(
        "UPDATE caching.entries SET marks = {2} WHERE tenant_id = {0} AND id = {1}",
        DSL.val(tenant), DSL.val(id), DSL.val(marks.toArray(UUID[]::new)));
  }

  void setTimes(DSLContext tx, UUID tenant, UUID id, Instant expiresAt, Instant refreshAfter) {
    tx.execute(
        """
        UPDATE caching.entries
           SET expires_at = {2}, refresh_after = {3}, revision = revision + 1
         WHERE tenant_id = {0} AND id = {1}
        """,
        DSL.val(tenant), DSL.val(id), DSL.val(expiresAt), DSL.val(refreshAfter));
  }

  /** What entries depend on, of those of the keys that have one. */
  List<UUID> marksOf(DSLContext tx, UUID tenant, Collection<UUID> ids) {
    return tx.fetch(
            """
            SELECT DISTINCT unnest(marks) FROM caching.entries
             WHERE tenant_id = {0} AND id = ANY ({1})
            """,
            DSL.val(tenant), DSL.val(ids.toArray(UUID[]::new)))
        .map(row -> row.get(0, UUID.class));
  }

  /** Locks entries in the order of their ids. */
  Map<UUID, Long> lock(DSLContext tx, UUID tenant, Collection<UUID> ids) {
    return revisions(
        tx.fetch(
            """
            SELECT id, revision FROM caching.entries
             WHERE tenant_id = {0} AND id = ANY ({1}) ORDER BY id FOR UPDATE
            """,
            DSL.val(tenant), DSL.val(ids.toArray(UUID[]::new))));
  }

  /** Locks a user's entries. */
  Map<UUID, Long> lockOfUser(DSLContext tx, UUID tenant, UUID user) {
    return revisions(
        tx.fetch(
            """
            SELECT id, revision FROM caching.entries
             WHERE tenant_id = {0} AND user_id = {1} ORDER BY id FOR UPDATE
            """,
            DSL.val(tenant), DSL.val(user)));
  }

  /** Locks the entries that were computed from a content. */
  Map<UUID, Long> lockOfContent(DSLContext tx, UUID tenant, String contentHash) {
    return revisions(
        tx.fetch(
            """
            SELECT id, revision FROM caching.entries
             WHERE tenant_id = {0} AND content_hash = {1} ORDER BY id FOR UPDATE
            """,
            DSL.val(tenant), DSL.val(contentHash)));
  }

  private static Map<UUID, Long> revisions(Result<Record> rows) {
    Map<UUID, Long> revisions = HashMap.newHashMap(rows.size());
    rows.forEach(row -> revisions.put(row.get(0, UUID.class), row.get(1, Long.class)));
    return revisions;
  }

  /** Says of locked entries that they are invalid from a commit on. */
  void invalidate(
      DSLContext tx, UUID tenant, Collection<UUID> ids, long number, String reason, String by) {
    tx.execute(
        """
        UPDATE caching.entries SET invalid_position = {2}, invalid_at = now(),
          invalid_reason = {3}, invalidated_by = {4}, revision = revision + 1
         WHERE tenant_id = {0} AND id = ANY ({1})
        """,
        DSL.val(tenant),
        DSL.val(ids.toArray(UUID[]::new)),
        DSL.val(number),
        DSL.val(reason),
        DSL.val(by));
  }
}
