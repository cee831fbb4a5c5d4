package io.rapport.db;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** One throw-away cluster for a run of the tests, with an own database for each that asks. */
final class TestCluster {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final LocalPostgres POSTGRES = LocalPostgres.temporary(Durability.NONE);
  private static final AtomicInteger DATABASES = new AtomicInteger();

  private TestCluster() {}

  /** What a deadline waits for. */
  interface Condition {
    boolean holds() throws Exception;
  }

  static Database emptyDatabase() throws SQLException {
    String name = "test_" + DATABASES.incrementAndGet();
    execute(POSTGRES.database(), "CREATE DATABASE " + name);
    return POSTGRES.database().named(name);
  }

  static Database migratedDatabase() throws SQLException {
    Database database = emptyDatabase();
    Migrations.of(database).migrate();
    return database;
  }

  static void execute(Database database, String sql) throws SQLException {
    try (Connection connection = database.connect();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** The rows of a query, their columns joined by {@code |}. */
  static List<String> query(Database database, String sql) throws SQLException {
    List<String> found = new ArrayList<>();
    try (Connection connection = database.connect();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      int columns = rows.getMetaData().getColumnCount();
      while (rows.next()) {
        List<String> row = new ArrayList<>();
        for (int column = 1; column <= columns; column++) {
          row.add(rows.getString(column) + "");
        }
        found.add(String.join("|", row));
      }
    }
    return found;
  }

  static void await(String what, Condition condition) throws Exception {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.holds()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("in vain awaited: " + what);
      }
      Pauses.pause();
    }
  }

  /** The schema as pg_dump tells it, without the history. */
  static String dump(Database database) throws Exception {
    PostgresBinaries binaries = PostgresBinaries.find(System.getenv());
    String uri = database.jdbcUrl().substring("jdbc:".length()).replaceFirst("\\?.*", "");
    ProcessBuilder builder =
        new ProcessBuilder(
            binaries.program("pg_dump"), "-s", "-N", History.SCHEMA, "-U", database.user(), uri);
    builder.environment().putAll(Map.of("PGPASSWORD", database.password()));
    Process process = builder.redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    if (process.waitFor() != 0) {
      throw new AssertionError(output);
    }
    return output.replaceAll("(?m)^\\\\(un)?restrict .*$", "");
  }

  /** Another JVM that runs {@code main} with these classes. */
  static Process java(Class<?> main, String... arguments) throws Exception {
    return java(Path.of(System.getProperty("java.io.tmpdir")), main, arguments);
  }

  /** The same with another directory for temporary files. */
  static Process java(Path temporary, Class<?> main, String... arguments) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Djava.io.tmpdir=" + temporary);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start();
  }
}
