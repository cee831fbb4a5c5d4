package io.rapport.db;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.flywaydb.database.postgresql.PostgreSQLConfigurationExtension;
import org.jspecify.annotations.Nullable;

/**
 * Runs the files that {@link Migrations} chose, as the migrator, without keeping others waiting.
 */
final class MigrationRunner {
  private static final Duration LOCK_PATIENCE = Duration.ofMinutes(1);
  private static final String LOCK_NOT_AVAILABLE = "55P03";

  private final Database login;
  private final List<String> locations;

  MigrationRunner(Database login, List<String> locations) {
    this.login = login;
    this.locations = locations;
  }

  /** Runs the files, oldest first; tells {@code before} each file before it runs. */
  void migrate(List<Script> pending, Consumer<Script> before) throws SQLException {
    for (List<Script> batch : batches(pending)) {
      batch.forEach(before);
      run(batch);
    }
  }

  /** Checks that what was run is what the files up to {@code newest} still say. */
  void validate(int newest) {
    flyway("150ms", newest).validate();
  }

  /** Takes one version back, in one transaction. */
  void takeBack(Script script) throws SQLException {
    retrying(() -> backInOneTransaction(script));
  }

  private void backInOneTransaction(Script script) throws SQLException {
    try (Connection migrator = migrator("150ms").connect();
        Statement statement = migrator.createStatement()) {
      migrator.setAutoCommit(false);
      statement.execute(script.sql());
      History.forget(migrator, script.version());
      migrator.commit();
    }
  }

  /** Files that run one after the other without a look at what an earlier try has left. */
  private static List<List<Script>> batches(List<Script> scripts) {
    List<List<Script>> batches = new ArrayList<>();
    boolean open = false;
    for (Script script : scripts) {
      boolean alone = script.concurrentIndex().isPresent();
      if (!open || alone) {
        batches.add(new ArrayList<>());
      }
      batches.getLast().add(script);
      open = !alone;
    }
    return batches;
  }

  private void run(List<Script> batch) throws SQLException {
    var index = batch.getFirst().concurrentIndex();
    int target = batch.getLast().version();
    if (index.isEmpty()) {
      retrying(() -> flyway("150ms", target).migrate());
      return;
    }
    try (Connection migrator = migrator("0").connect()) {
      index.get().drop(migrator);
      forgetFailed(migrator, target);
    }
    // It blocks nobody while it waits for older transactions to end.
    flyway("0", target).migrate();
  }

  /** Outside a transaction, Flyway writes failures down and would go no further. */
  private static void forgetFailed(Connection migrator, int version) throws SQLException {
    for (History.Entry entry : History.read(migrator)) {
      if (entry.version() == version && !entry.success()) {
        History.forget(migrator, version);
      }
    }
  }

  /**
   * The server looks now and then whether the migrator still lives: a killed one holds no locks.
   */
  private Database migrator(String lockTimeout) {
    return login
        .as(Role.MIGRATOR)
        .with("-c client_connection_check_interval=1s -c lock_timeout=" + lockTimeout);
  }

  private Flyway flyway(String lockTimeout, int target) {
    Database migrator = migrator(lockTimeout);
    FluentConfiguration configuration =
        Flyway.configure(MigrationRunner.class.getClassLoader())
            .dataSource(migrator.jdbcUrl(), migrator.user(), migrator.password())
            .locations(locations.toArray(String[]::new))
            .defaultSchema(History.SCHEMA)
            .schemas(History.SCHEMA)
            .table(History.TABLE)
            .createSchemas(false)
            .cleanDisabled(true)
            .outOfOrder(false)
            .validateMigrationNaming(true)
            .ignoreMigrationPatterns("*:pending")
            .target(Integer.toString(target))
            .loggers("slf4j");
    configuration
        .getConfigurationExtension(PostgreSQLConfigurationExtension.class)
        .setTransactionalLock(false);
    return configuration.load();
  }

  /** What a change of the schema may do again as a whole. */
  private interface Change {
    void run() throws SQLException;
  }

  /** Rather than queue for a lock, and make everybody queue behind, a change gives up soon. */
  private static void retrying(Change change) throws SQLException {
    long deadline = System.nanoTime() + LOCK_PATIENCE.toNanos();
    while (true) {
      try {
        change.run();
        return;
      } catch (SQLException | FlywayException e) {
        if (!isLockTimeout(e) || System.nanoTime() > deadline) {
          throw e;
        }
        Pauses.pause();
      }
    }
  }

  private static boolean isLockTimeout(Throwable failure) {
    for (@Nullable Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof SQLException e && LOCK_NOT_AVAILABLE.equals(e.getSQLState())) {
        return true;
      }
    }
    return false;
  }
}
