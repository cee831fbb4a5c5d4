package io.rapport.db;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What a database begins with: rows that all tenants share, and rows of each tenant. */
final class ReferenceData {
  private static final String WORLD = "world.sql";
  private static final String TENANT = "tenant.sql";

  private final Database login;

  ReferenceData(Database login) {
    this.login = login;
  }

  /** How much was new: rows of all tenants together, and tenants that were given any. */
  record Outcome(long shared, long ofTenants, int tenants) {}

  /** What {@link #load} runs: the first once, the second for each tenant. */
  static List<Script> scripts() {
    return List.of(script(WORLD), script(TENANT));
  }

  private static Script script(String file) {
    try (InputStream in = ReferenceData.class.getResourceAsStream("/db/seed/" + file)) {
      if (in == null) {
        throw new IllegalStateException("this build lacks its file " + file);
      }
      return new Script(0, file, new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Adds the rows that are not there; those that are stay as they are.
   *
   * @param tenant null: all
   * @throws MigrationException if there is no such tenant
   */
  Outcome load(@Nullable UUID tenant) {
    try (Connection migrator = login.as(Role.MIGRATOR).connect()) {
      Migrations.requireCurrent(migrator);
      List<UUID> tenants = tenants(migrator, tenant);
      migrator.setAutoCommit(false);
      long shared = run(migrator, script(WORLD));
      migrator.commit();
      long all = 0;
      int given = 0;
      for (UUID one : tenants) {
        long rows = load(migrator, one);
        all += rows;
        given += rows > 0 ? 1 : 0;
      }
      return new Outcome(shared, all, given);
    } catch (SQLException e) {
      throw new MigrationException("can't load the reference data: " + e.getMessage(), e);
    }
  }

  private static List<UUID> tenants(Connection migrator, @Nullable UUID only) throws SQLException {
    List<UUID> tenants = new ArrayList<>();
    try (Statement statement = migrator.createStatement();
        ResultSet rows = statement.executeQuery("SELECT id FROM identity.tenants ORDER BY id")) {
      while (rows.next()) {
        tenants.add(rows.getObject(1, UUID.class));
      }
    }
    if (only == null) {
      return tenants;
    }
    if (!tenants.contains(only)) {
      throw new MigrationException("there is no tenant " + only);
    }
    return List.of(only);
  }

  /** One commit of the tenant. */
  private static long load(Connection migrator, UUID tenant) throws SQLException {
    try (PreparedStatement bind =
        migrator.prepareStatement("SELECT set_config('rapport.tenant', ?, true)")) {
      bind.setString(1, tenant.toString());
      bind.execute();
    }
    run(migrator, script(TENANT));
    long rows = count(migrator);
    migrator.commit();
    return rows;
  }

  private static long count(Connection migrator) throws SQLException {
    try (Statement statement = migrator.createStatement();
        ResultSet rows = statement.executeQuery("SELECT count(*) FROM pg_temp.seeded")) {
      rows.next();
      return rows.getLong(1);
    }
  }

  /** How many rows its statements wrote. */
  private static long run(Connection migrator, Script script) throws SQLException {
    long rows = 0;
    try (Statement statement = migrator.createStatement()) {
      boolean isQuery = statement.execute(script.sql());
      int count = statement.getUpdateCount();
      while (isQuery || count >= 0) {
        rows += Math.max(count, 0);
        isQuery = statement.getMoreResults();
        count = statement.getUpdateCount();
      }
    }
    return rows;
  }
}
