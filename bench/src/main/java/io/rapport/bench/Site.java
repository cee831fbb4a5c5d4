package io.rapport.bench;

import com.nimbusds.jose.JOSEException;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.rapport.db.Database;
import io.rapport.db.Durability;
import io.rapport.db.LocalPostgres;
import io.rapport.db.Migrations;
import io.rapport.db.Role;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** A durable PostgreSQL of its own with the schema, and the service on it. */
final class Site implements AutoCloseable {
  /** The tenant of calls without a token. */
  static final UUID DEVELOPMENT_TENANT = UUID.fromString("00000000-0000-7000-8000-000000000001");

  private static final ProcFiles PROC = new ProcFiles(Path.of("/proc"));

  private static final int LOG_LINES = 60;

  private final Path directory;
  private final List<String> options;
  private final LocalPostgres postgres;
  private final Tenants tenants;
  private final Connection admin;
  private final long postmaster;
  private ServerProcess server;

  private Site(Path directory, LocalPostgres postgres, Tenants tenants, List<String> options)
      throws SQLException, IOException {
    this.directory = directory;
    this.options = options;
    this.postgres = postgres;
    this.tenants = tenants;
    this.admin = connect(postgres.database());
    this.postmaster = parent(Long.parseLong(setting("SELECT pg_backend_pid()")));
    this.server = newServer(Map.of());
  }

  private static long parent(long pid) {
    return ProcessHandle.of(pid).flatMap(ProcessHandle::parent).map(ProcessHandle::pid).orElse(0L);
  }

  static Site open() throws IOException, SQLException, JOSEException {
    return open(List.of());
  }

  /**
   * @param options more options for the server's JVM
   */
  static Site open(List<String> options) throws IOException, SQLException, JOSEException {
    LocalPostgres postgres = LocalPostgres.temporary(Durability.FSYNC);
    try {
      Migrations.of(postgres.database()).migrate();
      Path directory = Files.createTempDirectory("rapport-bench-");
      Tenants tenants = new Tenants();
      Files.writeString(directory.resolve("jwks.json"), tenants.jwks());
      return new Site(directory, postgres, tenants, options);
    } catch (IOException | SQLException | RuntimeException | JOSEException e) {
      postgres.close();
      throw e;
    }
  }

  private ServerProcess newServer(Map<String, String> more) throws IOException {
    Map<String, String> environment = new HashMap<>(more);
    environment.putAll(
        Map.of(
            "RAPPORT_DATABASE_URL", url(postgres.database()),
            "RAPPORT_PORT", "0",
            "RAPPORT_METRICS_PORT", "0",
            "RAPPORT_DEVELOPMENT", "true",
            "RAPPORT_DRAIN_MS", "0",
            "RAPPORT_JWKS_FILE", directory.resolve("jwks.json").toString()));
    return ServerProcess.start(environment, options, directory.resolve("server.log"));
  }

  private static String url(Database database) {
    return database.jdbcUrl()
        + "&user="
        + URLEncoder.encode(database.user(), StandardCharsets.UTF_8)
        + "&password="
        + URLEncoder.encode(database.password(), StandardCharsets.UTF_8);
  }

  private static Connection connect(Database database) throws SQLException {
    return DriverManager.getConnection(database.jdbcUrl(), database.user(), database.password());
  }

  /** A connection that owns the tables and that row-level security doesn't bind. */
  Connection connectAsMigrator() throws SQLException {
    return connect(postgres.database().as(Role.MIGRATOR));
  }

  /** A connection as the server has them. */
  Connection connectAsServer() throws SQLException {
    return connect(postgres.database().as(Role.SERVER));
  }

  Connection admin() {
    return admin;
  }

  Database database() {
    return postgres.database();
  }

  Path directory() {
    return directory;
  }

  String target() {
    return "127.0.0.1:" + server.port();
  }

  /** A bare channel to the server. */
  ManagedChannel channel() {
    return ManagedChannelBuilder.forTarget(target()).usePlaintext().directExecutor().build();
  }

  List<Tenants.Tenant> makeTenants(int count) throws SQLException, JOSEException {
    return tenants.make(admin, count);
  }

  ServerProcess server() {
    return server;
  }

  void stopServer() {
    server.close();
  }

  /** Starts the server again, after {@link #stopServer}. */
  void startServer() throws IOException {
    server = newServer(Map.of());
  }

  /** Starts it anew with more settings, which are said. */
  void restartServer(Map<String, String> more) throws IOException {
    Report.say("  the server has %s", more);
    server.close();
    server = newServer(more);
  }

  double residentMegabytes() {
    return PROC.residentMegabytes(server.pid());
  }

  CpuUse cpu() {
    double[] machine = PROC.stolenAndAll();
    return new CpuUse(
        PROC.cpu(ProcessHandle.current().pid()),
        PROC.cpu(server.pid()),
        PROC.cpuOfTree(postmaster),
        PROC.cpuOfThreads(server.pid()),
        machine[0],
        machine[1]);
  }

  String endOfLog() throws IOException {
    List<String> lines = Files.readAllLines(directory.resolve("server.log"));
    return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
  }

  /** The first value that a query gives. */
  String setting(String query) throws SQLException {
    try (Statement statement = admin.createStatement();
        ResultSet rows = statement.executeQuery(query)) {
      return rows.next() ? String.valueOf(rows.getString(1)) : "";
    }
  }

  long number(String query) throws SQLException {
    return Long.parseLong(setting(query));
  }

  /** Removes all events, so that each run finds the tables as the one before did. */
  void empty() throws SQLException {
    try (Statement statement = admin.createStatement()) {
      statement.execute("TRUNCATE tracking.event_ids, tracking.behavioral_events");
      statement.execute("CHECKPOINT");
    }
  }

  @Override
  public void close() throws SQLException {
    server.close();
    admin.close();
    postgres.close();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        Files.delete(file);
      }
      Files.delete(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
