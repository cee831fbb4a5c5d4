package io.rapport.db;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.flywaydb.core.api.FlywayException;

/** Brings a database's schema to the version of this build, and back. */
public final class Migrations {
  private final Database login;
  private final MigrationFiles files;
  private final MigrationRunner runner;

  Migrations(Database login, MigrationFiles files) {
    this.login = login;
    this.files = files;
    this.runner = new MigrationRunner(login, files.locations());
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
      runner.migrate(pending, before);
      runner.validate(files.newest());
      return new Outcome(files.newest(), pending.size());
    } catch (SQLException e) {
      throw failure("migrate", e);
    } catch (FlywayException e) {
      throw new MigrationException(message(e), e);
    }
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
      runner.validate(files.newest());
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
        runner.takeBack(script);
      }
      Set<Integer> left = applied(lock.connection());
      return new Outcome(left.isEmpty() ? 0 : Collections.max(left), scripts.size());
    } catch (SQLException e) {
      throw failure("roll back", e);
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
