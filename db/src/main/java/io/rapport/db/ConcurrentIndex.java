package io.rapport.db;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An index that is built outside a transaction, so that a build which was cut short leaves it
 * behind, half made.
 */
record ConcurrentIndex(String schema, String name) {
  private static final Pattern COMMENT = Pattern.compile("--[^\n]*");
  private static final Pattern CREATE =
      Pattern.compile(
          "\\bCREATE\\s+(?:UNIQUE\\s+)?INDEX\\s+CONCURRENTLY\\s+(?:IF\\s+NOT\\s+EXISTS\\s+)?"
              + "(\\w+)\\s+ON\\s+(?:ONLY\\s+)?(\\w+)\\.\\w+",
          Pattern.CASE_INSENSITIVE);
  private static final String INVALID =
      """
      SELECT n.nspname, c.relname
        FROM pg_index i
        JOIN pg_class c ON c.oid = i.indexrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE NOT i.indisvalid AND c.relkind = 'i' AND n.nspname !~ '^pg_'
       ORDER BY 1, 2
      """;

  static Optional<ConcurrentIndex> in(String sql) {
    Matcher matcher = CREATE.matcher(COMMENT.matcher(sql).replaceAll(" "));
    return matcher.find()
        ? Optional.of(new ConcurrentIndex(matcher.group(2), matcher.group(1)))
        : Optional.empty();
  }

  /** The half-made indexes of a database. */
  static List<ConcurrentIndex> invalid(Connection connection) throws SQLException {
    List<ConcurrentIndex> found = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(INVALID)) {
      while (rows.next()) {
        found.add(new ConcurrentIndex(rows.getString(1), rows.getString(2)));
      }
    }
    return found;
  }

  /** Removes what an earlier build left, so that the file can run from its beginning. */
  void drop(Connection migrator) throws SQLException {
    if (exists(migrator)) {
      try (Statement statement = migrator.createStatement()) {
        statement.execute("DROP INDEX CONCURRENTLY IF EXISTS " + this);
      }
    }
  }

  private boolean exists(Connection connection) throws SQLException {
    try (PreparedStatement query = connection.prepareStatement("SELECT to_regclass(?)")) {
      query.setString(1, toString());
      try (ResultSet rows = query.executeQuery()) {
        return rows.next() && rows.getObject(1) != null;
      }
    }
  }

  @Override
  public String toString() {
    return schema + "." + name;
  }
}
