package io.rapport.faults;

import io.rapport.db.Database;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** The tables whose rows are tenants'. */
final class TenantTables {
  private static final String TABLES =
      """
      SELECT c.oid::regclass::text FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
       WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relnamespace::regnamespace::text
             IN ('platform', 'identity', 'tracking')
       ORDER BY 1
      """;

  private static final String NOT_ALLOWED = "42501";
  private static final long STILL = 1000;
  private static final long PATIENCE = 30_000;

  private final Victim victim;
  private final List<String> tables;

  /**
   * What queries without a tenant have shown to a tenant.
   *
   * @param tables that have shown rows of others
   * @param rows of others
   * @param unreadable tables that the role may not read at all
   */
  record Leaks(int tables, long rows, int unreadable) {}

  TenantTables(Victim victim) throws SQLException {
    this.victim = victim;
    this.tables =
        List.copyOf(victim.texts(TABLES.replace("::text FROM", "::text, '' FROM")).keySet());
  }

  int count() {
    return tables.size();
  }

  /** Reads all tables as a tenant, by queries that ask for no tenant's rows in particular. */
  Leaks leaks(Database role, UUID tenant) throws SQLException {
    int leaking = 0;
    int unreadable = 0;
    long rows = 0;
    try (Connection connection = Victim.connect(role)) {
      connection.setAutoCommit(false);
      for (String table : tables) {
        try {
          long others = others(connection, table, tenant);
          leaking += others > 0 ? 1 : 0;
          rows += others;
        } catch (SQLException refused) {
          if (!NOT_ALLOWED.equals(refused.getSQLState())) {
            throw refused;
          }
          unreadable++;
        }
        connection.rollback();
      }
    }
    return new Leaks(leaking, rows, unreadable);
  }

  private static long others(Connection connection, String table, UUID tenant) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("SELECT set_config('rapport.tenant', '" + tenant + "', true)");
      long others = 0;
      try (ResultSet rows = statement.executeQuery("SELECT tenant_id FROM " + table)) {
        while (rows.next()) {
          others += tenant.toString().equals(rows.getString(1)) ? 0 : 1;
        }
      }
      return others;
    }
  }

  /** Stands for all rows of a tenant. */
  String fingerprint(UUID tenant) throws SQLException {
    List<String> prints = new ArrayList<>();
    for (String table : tables) {
      String rows =
          "SELECT t::text FROM " + table + " t WHERE tenant_id = '" + tenant + "' ORDER BY 1";
      prints.addAll(
          victim
              .texts("SELECT md5(coalesce(string_agg(t, '|'), '')), '' FROM (" + rows + ") r(t)")
              .keySet());
    }
    return prints.toString();
  }

  /** The same when nothing changes any more by itself. */
  String settledFingerprint(UUID tenant) throws Exception {
    String[] last = {""};
    Threads.await(
        PATIENCE,
        () -> {
          String before = last[0];
          last[0] = fingerprint(tenant);
          Threads.sleep(STILL);
          return before.equals(last[0]);
        });
    return last[0];
  }
}
