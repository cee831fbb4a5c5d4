package io.rapport.db;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Builds the indexes of vectors anew, one at a time, while they serve. A build that was cut short
 * leaves an index behind that isn't valid; the next one removes it first.
 */
final class SearchIndexes {
  private static final String FIND =
      """
      SELECT kind, name, valid, estimated_rows FROM search.indexes()
       WHERE ? = '' OR kind = ? ORDER BY kind, valid, name
      """;

  private static final String PROGRESS =
      """
      SELECT phase, COALESCE(rows_done, 0), COALESCE(rows_total, 0) FROM search.indexes()
       WHERE kind = ? AND phase IS NOT NULL LIMIT 1
      """;

  private static final String ALONE =
      "SELECT pg_try_advisory_lock(hashtextextended('search.reindex', 0))";

  /** Before it, pgvector's parallel builds could read and write past their memory. */
  private static final int[] PARALLEL_SINCE = {0, 8, 4};

  private static final Pattern VERSION = Pattern.compile("(\\d+)\\.(\\d+)(?:\\.(\\d+))?.*");
  private static final int DIMENSIONS = 1536;
  private static final long MEGABYTE = 1024 * 1024;
  private static final long LEAST_MEGABYTES = 64;
  private static final long PERIOD_MILLIS = 2_000;

  private final Database migrator;
  private final Consumer<String> out;

  /**
   * @param login who may act as the migrator
   * @param out is told what is done
   */
  SearchIndexes(Database login, Consumer<String> out) {
    this.migrator = login.as(Role.MIGRATOR);
    this.out = out;
  }

  /** An index, and how many vectors it is thought to hold. */
  private record Index(String kind, String name, boolean valid, long rows) {
    private String quoted() {
      return "search.\"" + name.replace("\"", "\"\"") + "\"";
    }

    /** What the graph takes while it is built: each vector, its links and a third for the rest. */
    private long megabytes() {
      return (long) (rows * (8 + 2.0 * DIMENSIONS) * 1.3 / MEGABYTE) + 1;
    }
  }

  /**
   * Builds anew those of a kind, or all if it is empty.
   *
   * @param memory the megabytes that a build may take
   * @param dryRun only tell the statements
   * @return how many were built
   */
  int reindex(String kind, int memory, boolean dryRun) {
    try (Connection connection = migrator.connect();
        Statement statement = connection.createStatement()) {
      requireAlone(statement);
      List<Index> found = find(connection, kind);
      if (found.isEmpty()) {
        throw new MigrationException(
            kind.isEmpty() ? "there is no index of vectors" : "no index of vectors is of " + kind);
      }
      boolean parallel = isParallelSafe(statement);
      int built = 0;
      for (Index index : found) {
        for (String sql : statements(index, memory, parallel)) {
          if (dryRun) {
            out.accept(sql + ";");
          } else {
            run(statement, index, sql);
          }
        }
        built += index.valid() ? 1 : 0;
      }
      return built;
    } catch (SQLException e) {
      throw new MigrationException("the indexes can't be built anew: " + e.getMessage(), e);
    }
  }

  private static void requireAlone(Statement statement) throws SQLException {
    try (ResultSet rows = statement.executeQuery(ALONE)) {
      if (!rows.next() || !rows.getBoolean(1)) {
        throw new MigrationException("another reindex is running; wait until it has ended");
      }
    }
  }

  private static List<Index> find(Connection connection, String kind) throws SQLException {
    List<Index> found = new ArrayList<>();
    try (PreparedStatement query = connection.prepareStatement(FIND)) {
      query.setString(1, kind);
      query.setString(2, kind);
      try (ResultSet rows = query.executeQuery()) {
        while (rows.next()) {
          found.add(
              new Index(rows.getString(1), rows.getString(2), rows.getBoolean(3), rows.getLong(4)));
        }
      }
    }
    return found;
  }

  private static boolean isParallelSafe(Statement statement) throws SQLException {
    try (ResultSet rows =
        statement.executeQuery("SELECT extversion FROM pg_extension WHERE extname = 'vector'")) {
      return rows.next() && isParallelSafe(rows.getString(1));
    }
  }

  /** Whether indexes may be built by several workers with this version of pgvector. */
  static boolean isParallelSafe(String version) {
    Matcher parts = VERSION.matcher(version);
    if (!parts.matches()) {
      return false;
    }
    for (int i = 0; i < PARALLEL_SINCE.length; i++) {
      String part = parts.group(i + 1);
      int number = part == null ? 0 : Integer.parseInt(part);
      if (number != PARALLEL_SINCE[i]) {
        return number > PARALLEL_SINCE[i];
      }
    }
    return true;
  }

  private List<String> statements(Index index, int memory, boolean parallel) {
    if (!index.valid()) {
      return List.of("DROP INDEX CONCURRENTLY " + index.quoted());
    }
    if (index.megabytes() > memory) {
      out.accept(
          "%s needs about %,d MB and may take %,d: the build goes on without, but many times slower; --memory allows more"
              .formatted(index.name(), index.megabytes(), memory));
    }
    List<String> statements = new ArrayList<>();
    if (!parallel) {
      statements.add("SET max_parallel_maintenance_workers = 0");
    }
    long megabytes = Math.max(LEAST_MEGABYTES, Math.min(index.megabytes(), memory));
    statements.add("SET maintenance_work_mem = '" + megabytes + "MB'");
    statements.add("REINDEX INDEX CONCURRENTLY " + index.quoted());
    return statements;
  }

  private void run(Statement statement, Index index, String sql) throws SQLException {
    if (sql.startsWith("SET")) {
      statement.execute(sql);
      return;
    }
    out.accept("%s (%s, about %,d vectors)".formatted(sql, index.kind(), index.rows()));
    Thread watch = Thread.ofVirtual().name("reindex-progress").start(() -> tell(index.kind()));
    try {
      long start = System.nanoTime();
      statement.execute(sql);
      out.accept("done in %.1f s".formatted((System.nanoTime() - start) / 1e9));
    } finally {
      watch.interrupt();
    }
  }

  /** Until it is interrupted. */
  private void tell(String kind) {
    try (Connection connection = migrator.connect();
        PreparedStatement query = connection.prepareStatement(PROGRESS)) {
      query.setString(1, kind);
      while (true) {
        Thread.sleep(PERIOD_MILLIS);
        try (ResultSet rows = query.executeQuery()) {
          if (rows.next()) {
            out.accept(
                "  %s: %,d of %,d".formatted(rows.getString(1), rows.getLong(2), rows.getLong(3)));
          }
        }
      }
    } catch (SQLException failure) {
      out.accept("  the progress can't be seen: " + failure.getMessage());
    } catch (InterruptedException done) {
      Thread.currentThread().interrupt();
    }
  }
}
