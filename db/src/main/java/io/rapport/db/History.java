package io.rapport.db;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;

/** What was done to a database's schema, as Flyway wrote it down. */
final class History {
  static final String SCHEMA = "schema_history";
  static final String TABLE = "flyway_schema_history";
  private static final String QUALIFIED = SCHEMA + "." + TABLE;

  private History() {}

  /** One file that ran. */
  record Entry(int version, String file, Instant installedAt, boolean success) {}

  /** What ran, oldest first; nothing on a database that was never migrated. */
  static List<Entry> read(Connection connection) throws SQLException {
    List<Entry> entries = new ArrayList<>();
    if (!exists(connection)) {
      return entries;
    }
    try (Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "SELECT version, script, installed_on AT TIME ZONE 'UTC', success FROM "
                    + QUALIFIED
                    + " WHERE version IS NOT NULL ORDER BY installed_rank")) {
      while (rows.next()) {
        entries.add(
            new Entry(
                number(rows.getString(1)),
                rows.getString(2),
                OffsetDateTime.of(rows.getTimestamp(3).toLocalDateTime(), ZoneOffset.UTC)
                    .toInstant(),
                rows.getBoolean(4)));
      }
    }
    return entries;
  }

  private static boolean exists(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT to_regclass('" + QUALIFIED + "')")) {
      return rows.next() && rows.getObject(1) != null;
    }
  }

  private static int number(String version) {
    try {
      return Integer.parseInt(version);
    } catch (NumberFormatException e) {
      throw new SchemaMismatchException("this build doesn't know the schema version " + version);
    }
  }

  /** Forgets the version {@code version}. */
  static void forget(Connection migrator, int version) throws SQLException {
    try (PreparedStatement delete =
        migrator.prepareStatement(
            "DELETE FROM " + QUALIFIED + " WHERE version ~ '^[0-9]+$' AND version::integer = ?")) {
      delete.setInt(1, version);
      delete.executeUpdate();
    }
  }
}
