package io.rapport.db;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Base64;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicBoolean;

/** A PostgreSQL server on this machine that is made, started and stopped as it is needed. */
public final class LocalPostgres implements AutoCloseable {
  private static final String TEMPORARY_PREFIX = "rapport-postgres-";
  private static final Duration ORPHAN_AGE = Duration.ofMinutes(1);

  private final Path directory;
  private final Cluster cluster;
  private final Database database;
  private final AtomicBoolean closed = new AtomicBoolean();
  private final boolean temporary;

  private LocalPostgres(Path directory, Cluster cluster, Database database, boolean temporary) {
    this.directory = directory;
    this.cluster = cluster;
    this.database = database;
    this.temporary = temporary;
  }

  /**
   * Makes the cluster kept in {@code directory} unless it exists, and starts it unless it runs.
   * Closing the last use of a directory, over all processes, stops its server.
   */
  public static LocalPostgres open(Path directory) {
    PostgresAccount account = PostgresAccount.current();
    Path place = directory.toAbsolutePath().normalize();
    requireOurs(place);
    try {
      prepare(place, account);
      return start(place.toRealPath(), account, Durability.FSYNC, false);
    } catch (IOException e) {
      throw new LocalPostgresException("can't use " + place + ": " + e.getMessage(), e);
    }
  }

  /** A fresh cluster that is deleted when it is closed, or else when this process ends. */
  public static LocalPostgres temporary(Durability durability) {
    PostgresAccount account = PostgresAccount.current();
    try {
      Path root = temporaryRoot(account);
      deleteOrphans(root, account);
      Path directory = Files.createTempDirectory(root, TEMPORARY_PREFIX);
      prepare(directory, account);
      LocalPostgres postgres = start(directory.toRealPath(), account, durability, true);
      Runtime.getRuntime().addShutdownHook(new Thread(postgres::close, "stop-postgres"));
      return postgres;
    } catch (IOException e) {
      throw new LocalPostgresException("can't make a temporary cluster: " + e.getMessage(), e);
    }
  }

  /** Where a checkout's cluster is kept unless said otherwise: two checkouts never share one. */
  public static Path defaultDirectory(Path checkout) {
    Path base =
        PostgresAccount.current().switching()
            ? Path.of("/var/lib/rapport")
            : dataHome().resolve("rapport");
    return base.resolve(digest(checkout.toAbsolutePath().normalize().toString()).substring(0, 12));
  }

  /** Whether a cluster was ever made in {@code directory}. */
  public static boolean exists(Path directory) {
    return Cluster.isAt(directory.resolve("postgres"));
  }

  /** Refuses a directory with a PostgreSQL of somebody else's, before anything is put into it. */
  public static void requireOurs(Path directory) {
    try {
      if (Cluster.isAt(directory) || Cluster.isForeign(directory.resolve("postgres"))) {
        throw new LocalPostgresException(
            directory + " holds a PostgreSQL that Rapport didn't make; choose another --data");
      }
    } catch (IOException e) {
      throw new LocalPostgresException("can't read " + directory + ": " + e.getMessage(), e);
    }
  }

  private static Path dataHome() {
    String named = System.getenv().getOrDefault("XDG_DATA_HOME", "");
    return named.isEmpty()
        ? Path.of(System.getProperty("user.home"), ".local", "share")
        : Path.of(named);
  }

  private static String digest(String text) {
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(sha256.digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this JDK lacks SHA-256", e);
    }
  }

  private static void prepare(Path directory, PostgresAccount account) throws IOException {
    account.requireAccess(existingParent(directory));
    Files.createDirectories(directory);
    if (!account.canEnter(directory)) {
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
    }
    account.requireAccess(directory);
  }

  private static Path existingParent(Path directory) {
    Path parent = directory.getParent();
    if (parent == null) {
      return directory;
    }
    return Files.exists(parent) ? parent : existingParent(parent);
  }

  private static LocalPostgres start(
      Path directory, PostgresAccount account, Durability durability, boolean temporary)
      throws IOException {
    PostgresBinaries binaries = PostgresBinaries.find(System.getenv());
    Cluster cluster = new Cluster(binaries, account, directory, durability);
    return DirectoryUse.of(directory)
        .enter(() -> {
          String password = password(directory);
          cluster.create(password);
          Database database = Database.local(cluster.start(), Database.NAME, password);
          createDatabase(database);
          return new LocalPostgres(directory, cluster, database, temporary);
        });
  }

  private static String password(Path directory) throws IOException {
    Path file = directory.resolve("password");
    if (!Files.exists(file)) {
      byte[] secret = new byte[32];
      new SecureRandom().nextBytes(secret);
      Path half = directory.resolve("password.new");
      Files.deleteIfExists(half);
      Files.createFile(
          half, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.writeString(half, Base64.getUrlEncoder().withoutPadding().encodeToString(secret));
      Files.move(half, file);
    }
    return Files.readString(file);
  }

  private static void createDatabase(Database database) {
    try (Connection connection = database.named("postgres").connect();
        Statement statement = connection.createStatement();
        var found =
            statement.executeQuery(
                "SELECT 1 FROM pg_database WHERE datname = '" + Database.NAME + "'")) {
      if (!found.next()) {
        statement.execute("CREATE DATABASE " + Database.NAME);
      }
    } catch (SQLException e) {
      throw new LocalPostgresException("can't create the database: " + e.getMessage(), e);
    }
  }

  private static Path temporaryRoot(PostgresAccount account) {
    Path named = Path.of(System.getProperty("java.io.tmpdir"));
    return account.canEnter(named) ? named : Path.of("/tmp");
  }

  /** Removes what processes that were killed have left. */
  private static void deleteOrphans(Path root, PostgresAccount account) throws IOException {
    try (DirectoryStream<Path> places = Files.newDirectoryStream(root, TEMPORARY_PREFIX + "*")) {
      for (Path place : places) {
        deleteIfOrphan(place, account);
      }
    }
  }

  private static void deleteIfOrphan(Path place, PostgresAccount account) throws IOException {
    try {
      if (isOld(place) && Files.isWritable(place)) {
        DirectoryUse.of(place.toRealPath()).ifUnused(() -> deleteOrphan(place, account));
      }
    } catch (NoSuchFileException e) {
      return; // another process was first
    }
  }

  private static boolean isOld(Path place) throws IOException {
    if (!Files.exists(place.resolve("users"))) {
      return false;
    }
    long age = System.currentTimeMillis() - Files.getLastModifiedTime(place).toMillis();
    return age > ORPHAN_AGE.toMillis();
  }

  private static Path deleteOrphan(Path place, PostgresAccount account) throws IOException {
    PostgresBinaries binaries = PostgresBinaries.find(System.getenv());
    new Cluster(binaries, account, place, Durability.NONE).stop();
    Trees.delete(place);
    return place;
  }

  /** The database {@code rapport}, entered as the cluster's superuser. */
  public Database database() {
    return database;
  }

  /** Where the cluster is kept. */
  public Path directory() {
    return directory;
  }

  /** The server's process. */
  long pid() throws IOException {
    return cluster
        .postmaster()
        .orElseThrow(() -> new LocalPostgresException("PostgreSQL isn't running"))
        .pid();
  }

  /** Ends all of the server's processes at once, as a crash does: nothing is written any more. */
  public void kill() throws IOException {
    Processes processes = Processes.of(pid());
    processes.freeze(); // none may see another one end, and act on it
    processes.kill();
  }

  /** Starts the server again after {@link #kill}, at the port that it had. */
  public void restart() throws IOException {
    cluster.start(database.port());
  }

  /** Halts all of the server's processes: connections stay, and nobody answers. */
  public void freeze() throws IOException {
    Processes.of(pid()).freeze();
  }

  /** Lets them go on after {@link #freeze}. */
  public void thaw() throws IOException {
    Processes.of(pid()).thaw();
  }

  /** Stops the server, unless others still use it; a second call does nothing. */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    try {
      DirectoryUse.of(directory).exit(this::stop);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path stop() throws IOException {
    cluster.stop();
    if (temporary) {
      Trees.delete(directory);
    }
    return directory;
  }
}
