package io.rapport.db;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The files and the process of one PostgreSQL cluster; its callers take turns. */
final class Cluster {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final String VERSION = "PG_VERSION";

  /** The line by which a cluster shows that it was made here. */
  private static final String INCLUDE = "include_if_exists 'rapport.conf'";

  private static final int LONGEST_SOCKET_PATH = 107;

  private final PostgresBinaries binaries;
  private final PostgresAccount account;
  private final Path files;
  private final Durability durability;

  Cluster(
      PostgresBinaries binaries, PostgresAccount account, Path directory, Durability durability) {
    this.binaries = binaries;
    this.account = account;
    this.files = directory.resolve("postgres");
    this.durability = durability;
  }

  /** Whether {@code files} are those of a cluster. */
  static boolean isAt(Path files) {
    return Files.exists(files.resolve(VERSION));
  }

  /** Whether {@code files} are those of a cluster that something else made. */
  static boolean isForeign(Path files) throws IOException {
    Path settings = files.resolve("postgresql.conf");
    return isAt(files) && !(Files.exists(settings) && Files.readString(settings).contains(INCLUDE));
  }

  /** Makes the cluster's files, unless they exist; a half-made set is replaced. */
  void create(String password) throws IOException {
    if (isAt(files)) {
      requireUsable();
      return;
    }
    Path half = files.resolveSibling("postgres.new");
    Trees.delete(half);
    Files.createDirectory(half);
    Files.setPosixFilePermissions(half, PosixFilePermissions.fromString("rwx------"));
    account.own(half);
    initialise(half, password);
    Files.writeString(
        half.resolve("postgresql.conf"),
        Files.readString(half.resolve("postgresql.conf")) + "\n" + INCLUDE + "\n");
    Files.move(half, files, StandardCopyOption.ATOMIC_MOVE);
  }

  /** What no waiting would heal is said at once. */
  private void requireUsable() throws IOException {
    String made = Files.readString(files.resolve(VERSION)).strip();
    if (!made.equals(Integer.toString(binaries.major()))) {
      throw new LocalPostgresException(
          "%s was made by PostgreSQL %s, and this is %d; name the programs of %s in"
                  .formatted(files, made, binaries.major(), made)
              + " RAPPORT_POSTGRES_BIN, or choose another --data");
    }
    String owner = Files.getOwner(files).getName();
    if (account.switching() && !account.isNamed(owner)) {
      throw new LocalPostgresException(
          "%s belongs to the user %s; choose another --data, or be that user"
              .formatted(files, owner));
    }
  }

  private void initialise(Path half, String password) throws IOException {
    Path secret = half.resolveSibling("initial-password");
    Files.deleteIfExists(secret);
    Files.createFile(
        secret, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try {
      Files.writeString(secret, password);
      account.own(secret);
      Shell.Answer answer = account.run(initdb(half, secret));
      if (!answer.ok()) {
        throw new LocalPostgresException("initdb failed: " + answer.output());
      }
    } finally {
      Files.delete(secret);
    }
  }

  private List<String> initdb(Path half, Path secret) {
    boolean linux = System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("linux");
    List<String> command = new ArrayList<>();
    command.add(binaries.program("initdb"));
    command.addAll(List.of("-D", half.toString(), "-U", Database.LOCAL_ADMIN));
    command.addAll(List.of("--pwfile", secret.toString(), "-A", "scram-sha-256"));
    command.addAll(List.of("--data-checksums", "-E", "UTF8"));
    command.addAll(List.of("--locale", linux ? "C.UTF-8" : "C"));
    if (durability == Durability.NONE) {
      command.add("--no-sync");
    }
    return command;
  }

  /** Adopts the running server, or starts it; returns its port. */
  int start() throws IOException {
    return start(0);
  }

  /** The same at this port; 0: any free one. */
  int start(int port) throws IOException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    String failure = "";
    while (System.nanoTime() < deadline) {
      Optional<Postmaster> running = postmaster();
      if (running.isPresent() && running.get().ready()) {
        return running.get().port();
      }
      if (running.isEmpty()) {
        failure = tryStart(port == 0 ? freePort() : port);
      }
      if (!failure.isEmpty() || running.isPresent()) {
        Pauses.pause();
      }
    }
    throw new LocalPostgresException("PostgreSQL didn't start: " + failure);
  }

  /** Returns why it didn't start: nothing if it did. */
  private String tryStart(int port) throws IOException {
    writeSettings(port);
    Path log = files.resolve("server.log");
    long before = Files.exists(log) ? Files.size(log) : 0;
    Shell.Answer answer =
        account.run(
            List.of(
                binaries.program("pg_ctl"),
                "start",
                "-s",
                "-w",
                "-t",
                "60",
                "-D",
                files.toString(),
                "-l",
                log.toString()));
    return answer.ok() ? "" : answer.output() + " " + tail(log, before);
  }

  private static String tail(Path log, long from) throws IOException {
    if (!Files.exists(log)) {
      return "";
    }
    byte[] bytes = Files.readAllBytes(log);
    int start = (int) Math.max(from, bytes.length - 2000L);
    return new String(bytes, start, bytes.length - start, StandardCharsets.UTF_8).strip();
  }

  /** The server that runs on these files; what a dead one left behind counts as none. */
  Optional<Postmaster> postmaster() throws IOException {
    return Postmaster.read(files.resolve("postmaster.pid"));
  }

  void stop() throws IOException {
    if (postmaster().isEmpty()) {
      return;
    }
    String mode = durability == Durability.NONE ? "immediate" : "fast";
    Shell.Answer answer =
        account.run(
            List.of(
                binaries.program("pg_ctl"),
                "stop",
                "-s",
                "-w",
                "-t",
                "60",
                "-m",
                mode,
                "-D",
                files.toString()));
    if (!answer.ok() && postmaster().isPresent()) {
      throw new LocalPostgresException("PostgreSQL didn't stop: " + answer.output());
    }
  }

  private void writeSettings(int port) throws IOException {
    boolean durable = durability == Durability.FSYNC;
    boolean socketFits =
        (files + "/.s.PGSQL.65535").getBytes(StandardCharsets.UTF_8).length <= LONGEST_SOCKET_PATH;
    List<String> settings = new ArrayList<>();
    settings.add("listen_addresses = '127.0.0.1'");
    settings.add("port = " + port);
    settings.add("unix_socket_directories = " + (socketFits ? quote(files) : "''"));
    settings.add("shared_buffers = " + (durable ? "256MB" : "64MB"));
    settings.add("max_wal_size = 2GB");
    settings.add("log_parameter_max_length_on_error = 0");
    settings.add("log_line_prefix = '%m [%p] %q%u@%d '");
    settings.add("timezone = 'UTC'");
    settings.add("log_timezone = 'UTC'");
    settings.add("fsync = " + (durable ? "on" : "off"));
    settings.add("synchronous_commit = " + (durable ? "on" : "off"));
    settings.add("full_page_writes = " + (durable ? "on" : "off"));
    Files.write(files.resolve("rapport.conf"), settings);
  }

  private static String quote(Path path) {
    return "'" + path.toString().replace("'", "''") + "'";
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
