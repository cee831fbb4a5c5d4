package io.rapport.versioning.dataset;

import io.rapport.db.Database;
import io.rapport.server.Rapport;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;

/** A transaction for which others wait in the database, so that a test knows what comes first. */
final class Held implements AutoCloseable {
  private static final Duration AT_MOST = Duration.ofSeconds(30);

  private final Rapport rapport;
  private final Connection connection;
  private final DSLContext sql;

  /** Begins the transaction. */
  Held(Rapport rapport) throws SQLException {
    this.rapport = rapport;
    Database database = rapport.database();
    this.connection =
        DriverManager.getConnection(database.jdbcUrl(), database.user(), database.password());
    connection.setAutoCommit(false);
    this.sql = DSL.using(connection, SQLDialect.POSTGRES);
    sql.fetch("select now()");
  }

  /** Those who change the tenant's datasets wait, in the order in which they come. */
  static Held turn(Rapport rapport) throws SQLException {
    Held held = new Held(rapport);
    new DatasetStore().takeTurn(held.sql, rapport.tenant());
    return held;
  }

  /** The tenant's commits wait, in the order in which they come. */
  static Held head(Rapport rapport) throws SQLException {
    Held held = new Held(rapport);
    new DatasetStore().lockHead(held.sql, rapport.tenant());
    return held;
  }

  DSLContext sql() {
    return sql;
  }

  /**
   * Waits until so many statements wait for a lock.
   *
   * @param text in their first 1,024 characters; of others PostgreSQL doesn't tell
   */
  void awaitWaiting(int count, String text) {
    long end = System.nanoTime() + AT_MOST.toNanos();
    while (waiting(text) < count) {
      if (System.nanoTime() > end) {
        throw new AssertionError("nobody waits");
      }
    }
  }

  private int waiting(String text) {
    return rapport
        .sql()
        .fetchSingle(
            "select count(*) from pg_stat_activity"
                + " where wait_event_type = 'Lock' and position(? in query) > 0",
            text)
        .get(0, Integer.class);
  }

  /** Lets the others go on. */
  @Override
  public void close() throws SQLException {
    connection.commit();
    connection.close();
  }
}
