package io.rapport.db;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Set;

/**
 * Makes what the first migration stands on: the roles, the extensions and the history's schema.
 * What is there already is left alone, so a login without the right to make it is enough then.
 */
final class Bootstrap {
  private static final Set<String> RACES = Set.of("XX000", "23505", "42710");
  private static final int TRIES = 20;

  private final Database login;
  private final Connection connection;

  Bootstrap(Database login, Connection connection) {
    this.login = login;
    this.connection = connection;
  }

  /** Roles belong to the whole cluster, so another database's bootstrap may cross this one. */
  void run() throws SQLException {
    for (int tries = 1; ; tries++) {
      try {
        once();
        return;
      } catch (SQLException e) {
        if (tries == TRIES || !RACES.contains(e.getSQLState())) {
          throw new MigrationException(
              "can't prepare the database as %s: %s; run this once as a superuser"
                  .formatted(login.user(), e.getMessage()),
              e);
        }
        Pauses.pause();
      }
    }
  }

  private void once() throws SQLException {
    for (Role role : Role.values()) {
      ensureRole(role);
    }
    if (!holds("has_database_privilege('rapport_migrator', current_database(), 'CREATE')")) {
      execute(
          "DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO rapport_migrator',"
              + " current_database()); END $$");
    }
    ensureExtension("vector");
    ensureExtension("btree_gist");
    ensureExtension("btree_gin");
    ensureHistorySchema();
  }

  private void ensureRole(Role role) throws SQLException {
    String name = role.sqlName();
    if (!holds("EXISTS (SELECT FROM pg_roles WHERE rolname = '" + name + "')")) {
      execute("CREATE ROLE " + name + " LOGIN" + (role == Role.MIGRATOR ? " BYPASSRLS" : ""));
      setUp(role);
    } else if (login.isLocalAdmin() && !hasSettings(role)) {
      setUp(role);
    }
    if (!login.user().equals(name) && !holds("pg_has_role('" + name + "', 'MEMBER')")) {
      execute("GRANT " + name + " TO CURRENT_USER");
    }
  }

  private boolean hasSettings(Role role) throws SQLException {
    return holds(
        "EXISTS (SELECT FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole"
            + " WHERE s.setdatabase = 0 AND r.rolname = '%s')".formatted(role.sqlName()));
  }

  private void setUp(Role role) throws SQLException {
    if (login.isLocalAdmin()) {
      execute("ALTER ROLE %s PASSWORD '%s'".formatted(role.sqlName(), login.localPassword(role)));
    }
    for (var setting : role.settings().entrySet()) {
      execute(
          "ALTER ROLE %s SET %s = '%s'"
              .formatted(role.sqlName(), setting.getKey(), setting.getValue()));
    }
  }

  private void ensureExtension(String name) throws SQLException {
    if (holds("EXISTS (SELECT FROM pg_available_extensions WHERE name = '" + name + "')")
        && !holds("EXISTS (SELECT FROM pg_extension WHERE extname = '" + name + "')")) {
      execute("CREATE EXTENSION " + name + " SCHEMA public");
    }
  }

  private void ensureHistorySchema() throws SQLException {
    if (holds("to_regnamespace('" + History.SCHEMA + "') IS NOT NULL")) {
      return;
    }
    execute(
        """
        BEGIN;
        CREATE SCHEMA %1$s AUTHORIZATION rapport_migrator;
        SET LOCAL ROLE rapport_migrator;
        GRANT USAGE ON SCHEMA %1$s TO rapport_server, rapport_system;
        ALTER DEFAULT PRIVILEGES IN SCHEMA %1$s
          GRANT SELECT ON TABLES TO rapport_server, rapport_system;
        COMMIT
        """
            .formatted(History.SCHEMA));
  }

  private boolean holds(String condition) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT " + condition)) {
      return rows.next() && rows.getBoolean(1);
    }
  }

  private void execute(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      rollBack();
      throw e;
    }
  }

  /** Ends the transaction that a script of several statements has left broken. */
  private void rollBack() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("ROLLBACK");
    }
  }
}
