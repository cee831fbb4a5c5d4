package io.rapport.caching;

import io.rapport.caching.v1.CacheKey;
import io.rapport.platform.BinaryArray;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Entries as the columns of a statement that keeps them all. */
final class EntryArrays {
  private final Connection connection;
  private final List<Entry> entries;

  EntryArrays(Connection connection, List<Entry> entries) {
    this.connection = connection;
    this.entries = entries;
  }

  /** Sets the parameters from the first on. */
  void set(PreparedStatement statement, UUID tenant) throws SQLException {
    statement.setObject(1, tenant);
    Array[] columns = {
      uuids(entries.stream().flatMap(entry -> entry.marks().stream()).toArray(UUID[]::new)),
      uuids(entry -> entry.key().id()),
      bytes(entry -> entry.key().digest().toByteArray()),
      bytes(entry -> entry.key().key().toByteArray()),
      texts(entry -> entry.key().cache()),
      uuids(entry -> entry.key().user()),
      texts(entry -> entry.key().type()),
      texts(EntryArrays::project),
      bytes(entry -> TypedEntry.value(entry.message()).toByteArray()),
      bytes(entry -> entry.info().getChecksum().toByteArray()),
      bytes(EntryArrays::info),
      texts(entry -> emptyToNull(entry.info().getContentHash())),
      array("int8", entries.stream().map(Entry::readPosition).toArray(Long[]::new)),
      array("int4", firstMarks()),
      array("int4", lastMarks()),
      times(Entry::expiresMicros),
      times(Entry::refreshMicros),
    };
    for (int i = 0; i < columns.length; i++) {
      statement.setArray(i + 2, columns[i]);
    }
  }

  private static @Nullable String project(Entry entry) {
    CacheKey key = entry.key().key();
    return key.hasAnalysis() ? key.getAnalysis().getProjectId() : null;
  }

  /** Without what has a column of its own. */
  private static byte[] info(Entry entry) {
    return entry.info().toBuilder()
        .clearChecksum()
        .clearExpiresAt()
        .clearRefreshAfter()
        .build()
        .toByteArray();
  }

  private static @Nullable String emptyToNull(String text) {
    return text.isEmpty() ? null : text;
  }

  /** The place of each entry's last mark, of the marks of all. */
  private Integer[] lastMarks() {
    Integer[] places = new Integer[entries.size()];
    int marks = 0;
    for (int i = 0; i < places.length; i++) {
      marks += entries.get(i).marks().size();
      places[i] = marks;
    }
    return places;
  }

  private Integer[] firstMarks() {
    Integer[] places = lastMarks();
    for (int i = 0; i < places.length; i++) {
      places[i] = places[i] - entries.get(i).marks().size() + 1;
    }
    return places;
  }

  private Array uuids(Function<Entry, UUID> column) throws SQLException {
    return uuids(entries.stream().map(column).toArray(UUID[]::new));
  }

  private Array uuids(UUID[] values) throws SQLException {
    return BinaryArray.of(connection, values);
  }

  private Array times(Function<Entry, Long> micros) throws SQLException {
    return BinaryArray.ofTimes(connection, entries.stream().map(micros).toArray(Long[]::new));
  }

  private Array bytes(Function<Entry, byte[]> column) throws SQLException {
    return array("bytea", entries.stream().map(column).toArray(byte[][]::new));
  }

  private Array texts(Function<Entry, @Nullable String> column) throws SQLException {
    return array("text", entries.stream().map(column).toArray(String[]::new));
  }

  private Array array(String type, Object[] values) throws SQLException {
    return connection.createArrayOf(type, values);
  }
}
