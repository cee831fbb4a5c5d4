package io.rapport.db;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;

/**
 * Lets one process at a time change a database's schema. It is asked for again and again, because
 * who waits inside PostgreSQL holds a snapshot, for which a concurrent index build waits in turn.
 */
final class MigrationLock implements AutoCloseable {
  private static final String TRY =
      "SELECT pg_try_advisory_lock(hashtextextended('rapport.migrations', 0))";
  private static final Duration PATIENCE = Duration.ofMinutes(15);

  private final Connection connection;

  private MigrationLock(Connection connection) {
    this.connection = connection;
  }

  static MigrationLock take(Database database) throws SQLException {
    Connection connection = database.connect();
    try {
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      while (!taken(connection)) {
        if (System.nanoTime() > deadline) {
          throw new MigrationException(
              "another process has been changing the schema for " + PATIENCE.toMinutes() + " min");
        }
        Pauses.pause();
      }
      return new MigrationLock(connection);
    } catch (SQLException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  private static boolean taken(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(TRY)) {
      return rows.next() && rows.getBoolean(1);
    }
  }

  /** The connection that holds the lock. */
  Connection connection() {
    return connection;
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
