package io.rapport.db;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.flywaydb.database.postgresql.PostgreSQLConfigurationExtension;
import org.jspecify.annotations.Nullable;

/** Brings a database's schema to the version of this build, and back. */
public final class Migrations {
  private static final Duration LOCK_PATIENCE = Duration.ofMinutes(1);
  private static final String LOCK_NOT_AVAILABLE = "55P03";

  private final Database login;
  private final MigrationFiles files;

  Migrations(Database login, MigrationFiles files) {
    this.login = login;
    this.files = files;
  }

  /** Where a change of the schema ended, and how many files it took. */
  public record Outcome(int version, int files) {}

  /** A version of the schema and, if it was applied, when. */
  public record Version(Script script, String state) {
    /** Whether it is still to be applied. */
    public boolean isPending() {
      return state.equals("pending");
    }
  }

  /** The migrations of this build over a database that is entered with {@code login}. */
  public static Migrations of(Database login) {
    return new Migrations(login, MigrationFiles.ofThisBuild());
  }

  /** The newest version of the schema that this build knows. */
  public static int schemaVersion() {
    return MigrationFiles.ofThisBuild().newest();
  }

  /** All that make the schema of this build, oldest first. */
  public static List<Script> scripts() {
    return List.copyOf(MigrationFiles.ofThisBuild().forward().values());
  }

  /**
   * Checks that the schema is the one that this build was made for; any of the roles may ask.
   *
   * @throws SchemaMismatchException if it is older, newer or none
   */
  public static void requireCurrent(Connection connection) {
    MigrationFiles known = MigrationFiles.ofThisBuild();
    try {
      Set<Integer> applied = applied(connection);
      if (!applied.equals(known.forward().keySet())) {
        throw mismatch(applied.isEmpty() ? 0 : Collections.max(applied), known.newest());
      }
    } catch (SQLException e) {
      throw new SchemaMismatchException("can't read the schema's history: " + e.getMessage());
    }
  }

  private static SchemaMismatchException mismatch(int applied, int known) {
    return new SchemaMismatchException(
        "the database has schema version %d and this build needs %d; %s"
            .formatted(
                applied,
                known,
                applied > known ? "serve it with a newer build" : "run bin/db migrate"));
  }

  private static Set<Integer> applied(Connection connection) throws SQLException {
    return History.read(connection).stream()
        .filter(History.Entry::success)
        .map(History.Entry::version)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** What {@link #migrate} would run, oldest first; changes nothing. */
  public List<Script> pending() {
    try (Connection connection = login.connect()) {
      return pending(connection);
    } catch (SQLException e) {
      throw failure("read", e);
    }
  }

  private List<Script> pending(Connection connection) throws SQLException {
    Set<Integer> applied = applied(connection);
    requireKnown(applied);
    return files.forward().values().stream()
        .filter(script -> !applied.contains(script.version()))
        .toList();
  }

  private void requireKnown(Set<Integer> applied) {
    Set<Integer> unknown = new TreeSet<>(applied);
    unknown.removeAll(files.forward().keySet());
    if (!unknown.isEmpty()) {
      throw new SchemaMismatchException(
          "the database has schema versions that this build doesn't know: " + unknown);
    }
  }

  /** Brings the schema to the newest version, and makes the roles that it needs. */
  public Outcome migrate() {
    return migrate(script -> {});
  }

  /** The same; tells {@code before} each file before it runs. */
  public Outcome migrate(Consumer<Script> before) {
    try (MigrationLock lock = MigrationLock.take(login)) {
      new Bootstrap(login, lock.connection()).run();
      List<Script> pending = pending(lock.connection());
      for (List<Script> batch : batches(pending)) {
        batch.forEach(before);
        run(batch);
      }
      flyway("0", files.newest()).validate();
      return new Outcome(files.newest(), pending.size());
    } catch (SQLException e) {
      throw failure("migrate", e);
    } catch (FlywayException e) {
      throw new MigrationException(message(e), e);
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
        Flyway.configure(Migrations.class.getClassLoader())
            .dataSource(migrator.jdbcUrl(), migrator.user(), migrator.password())
            .locations(files.locations().toArray(String[]::new))
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

  /** Every version that this build knows or the database has. */
  public List<Version> info() {
    try (Connection connection = login.connect()) {
      List<Version> versions = new ArrayList<>();
      List<History.Entry> entries = History.read(connection);
      for (Script script : files.forward().values()) {
        versions.add(new Version(script, state(script, entries)));
      }
      entries.stream()
          .filter(entry -> !files.forward().containsKey(entry.version()))
          .map(entry -> new Version(new Script(entry.version(), entry.file(), ""), "unknown"))
          .forEach(versions::add);
      return versions;
    } catch (SQLException e) {
      throw failure("read", e);
    }
  }

  private static String state(Script script, List<History.Entry> entries) {
    return entries.stream()
        .filter(entry -> entry.version() == script.version())
        .map(entry -> entry.success() ? "applied " + entry.installedAt() : "failed")
        .reduce((first, last) -> last)
        .orElse("pending");
  }

  /**
   * Checks that the database has exactly this build's schema: all files, unaltered, and no index
   * half made.
   */
  public int validate() {
    try (Connection connection = login.connect()) {
      List<Script> pending = pending(connection);
      if (!pending.isEmpty()) {
        throw mismatch(pending.getFirst().version() - 1, files.newest());
      }
      List<ConcurrentIndex> invalid = ConcurrentIndex.invalid(connection);
      if (!invalid.isEmpty()) {
        throw new MigrationException("half-made indexes: " + invalid);
      }
      flyway("150ms", files.newest()).validate();
      return files.newest();
    } catch (SQLException e) {
      throw failure("validate", e);
    } catch (FlywayException e) {
      throw new MigrationException(message(e), e);
    }
  }

  /** What {@link #rollback} would run, newest first; changes nothing. */
  public List<Script> rollbackScripts(RollbackTarget target) {
    try (Connection connection = login.connect()) {
      return rollbackScripts(target, connection);
    } catch (SQLException e) {
      throw failure("read", e);
    }
  }

  private List<Script> rollbackScripts(RollbackTarget target, Connection connection)
      throws SQLException {
    Set<Integer> applied = applied(connection);
    requireKnown(applied);
    List<Integer> newestFirst = new ArrayList<>(applied).reversed();
    List<Integer> versions =
        switch (target) {
          case RollbackTarget.Count(int count) ->
              newestFirst.subList(0, Math.min(count, newestFirst.size()));
          case RollbackTarget.To(int version) ->
              newestFirst.stream().filter(applicable -> applicable > version).toList();
        };
    return versions.stream().map(this::rollbackScript).toList();
  }

  private Script rollbackScript(int version) {
    Script script = files.back().get(version);
    if (script == null) {
      throw new MigrationException("no file takes back version " + version);
    }
    return script;
  }

  /** Takes versions back, each in one transaction; tells {@code before} each file first. */
  public Outcome rollback(RollbackTarget target, Consumer<Script> before) {
    try (MigrationLock lock = MigrationLock.take(login)) {
      List<Script> scripts = rollbackScripts(target, lock.connection());
      for (Script script : scripts) {
        before.accept(script);
        retrying(() -> takeBack(script));
      }
      Set<Integer> left = applied(lock.connection());
      return new Outcome(left.isEmpty() ? 0 : Collections.max(left), scripts.size());
    } catch (SQLException e) {
      throw failure("roll back", e);
    }
  }

  private void takeBack(Script script) throws SQLException {
    try (Connection migrator = migrator("150ms").connect();
        Statement statement = migrator.createStatement()) {
      migrator.setAutoCommit(false);
      statement.execute(script.sql());
      History.forget(migrator, script.version());
      migrator.commit();
    }
  }

  private static MigrationException failure(String verb, SQLException e) {
    return new MigrationException("can't " + verb + " the schema: " + e.getMessage(), e);
  }

  private static String message(FlywayException e) {
    String message = e.getMessage();
    return message == null ? e.toString() : message.strip();
  }
}
