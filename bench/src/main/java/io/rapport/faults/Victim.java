package io.rapport.faults;

import com.nimbusds.jose.JOSEException;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.rapport.bench.ServerProcess;
import io.rapport.bench.Tenants;
import io.rapport.client.RapportClient;
import io.rapport.db.Database;
import io.rapport.db.Durability;
import io.rapport.db.LocalPostgres;
import io.rapport.db.Migrations;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A durable PostgreSQL and a server on it, to be killed and started again. */
final class Victim implements AutoCloseable {
  private static final String ALL_RIGHTS =
      "tracking.read tracking.write identity.read identity.write caching.read caching.write"
          + " versioning.read versioning.write versioning.train versioning.promote"
          + " monitoring.read monitoring.write delivery.read delivery.write"
          + " embedding.read embedding.write search.read changes.read"
          + " operator";

  private final Path directory;
  private final LocalPostgres postgres;
  private final Tenants tenants;
  private final Map<String, String> settings = new HashMap<>();
  private volatile @Nullable ServerProcess server;

  private Victim(Path directory, LocalPostgres postgres, Tenants tenants) {
    this.directory = directory;
    this.postgres = postgres;
    this.tenants = tenants;
    settings.put("RAPPORT_DATABASE_URL", url(postgres.database()));
    settings.put("RAPPORT_PORT", "0");
    settings.put("RAPPORT_METRICS_PORT", "0");
    settings.put("RAPPORT_DEVELOPMENT", "true");
    settings.put("RAPPORT_DRAIN_MS", "0");
    settings.put("RAPPORT_JWKS_FILE", directory.resolve("jwks.json").toString());
  }

  /** With the schema, and no server yet. */
  static Victim open() throws IOException, JOSEException {
    LocalPostgres postgres = LocalPostgres.temporary(Durability.FSYNC);
    try {
      Migrations.of(postgres.database()).migrate();
      Path directory = Files.createTempDirectory("rapport-faults-");
      Tenants tenants = new Tenants();
      Files.writeString(directory.resolve("jwks.json"), tenants.jwks());
      return new Victim(directory, postgres, tenants);
    } catch (IOException | RuntimeException | JOSEException e) {
      postgres.close();
      throw e;
    }
  }

  /** The same with a server. */
  static Victim serving() throws IOException, JOSEException {
    Victim victim = open();
    victim.start();
    return victim;
  }

  private static String url(Database database) {
    return database.jdbcUrl()
        + "&user="
        + URLEncoder.encode(database.user(), StandardCharsets.UTF_8)
        + "&password="
        + URLEncoder.encode(database.password(), StandardCharsets.UTF_8);
  }

  /** For servers that are started from now on. */
  Victim set(String variable, String value) {
    settings.put(variable, value);
    return this;
  }

  /** Lets servers that are started from now on reach the database through a proxy. */
  Victim databaseBehind(TcpProxy proxy) {
    return set("RAPPORT_DATABASE_URL", url(postgres.database().at(proxy.port())));
  }

  /** Starts the server; at the port that the one before had, if there was one. */
  void start() throws IOException {
    ServerProcess started =
        ServerProcess.start(settings, List.of(), directory.resolve("server.log"));
    settings.put("RAPPORT_PORT", String.valueOf(started.port()));
    server = started;
  }

  /** A server beside it, at a port of its own; whoever asks closes it. */
  ServerProcess another() throws IOException {
    return another(0, List.of());
  }

  /** The same at the port of one that has ended. */
  ServerProcess another(int port) throws IOException {
    return another(port, List.of());
  }

  /** The same that fails at a point; see the server's Failpoint. */
  ServerProcess anotherWith(String failpoints) throws IOException {
    return another(0, List.of("-Drapport.failpoints=" + failpoints));
  }

  private ServerProcess another(int port, List<String> options) throws IOException {
    Map<String, String> own = new HashMap<>(settings);
    own.put("RAPPORT_PORT", String.valueOf(port));
    return ServerProcess.start(own, options, directory.resolve("server.log"));
  }

  ServerProcess server() {
    ServerProcess running = server;
    if (running == null) {
      throw new IllegalStateException("no server was started");
    }
    return running;
  }

  int port() {
    return server().port();
  }

  LocalPostgres postgres() {
    return postgres;
  }

  Database database() {
    return postgres.database();
  }

  /** A tenant of its own. */
  UUID newTenant() throws SQLException, JOSEException {
    try (Connection admin = connect()) {
      return tenants.make(admin, 1).getFirst().id();
    }
  }

  /** A token with all rights in a tenant. */
  String token(UUID tenant) throws JOSEException {
    return token(tenant, "faults");
  }

  String token(UUID tenant, String subject) throws JOSEException {
    return token(tenant, subject, ALL_RIGHTS);
  }

  String token(UUID tenant, String subject, String rights) throws JOSEException {
    return tenants.token(tenant, subject, rights);
  }

  RapportClient.Builder client(int port, UUID tenant) throws JOSEException {
    return RapportClient.builder("127.0.0.1:" + port).token(token(tenant));
  }

  RapportClient client(UUID tenant) throws JOSEException {
    return client(port(), tenant).build();
  }

  /** A bare channel, which repeats nothing by itself. */
  static ManagedChannel channel(int port) {
    return ManagedChannelBuilder.forAddress("127.0.0.1", port)
        .usePlaintext()
        .disableRetry()
        .build();
  }

  /** A connection as the superuser, past any proxy. */
  Connection connect() throws SQLException {
    return connect(database());
  }

  static Connection connect(Database to) throws SQLException {
    return DriverManager.getConnection(to.jdbcUrl(), to.user(), to.password());
  }

  void execute(String sql) throws SQLException {
    try (Connection admin = connect();
        Statement statement = admin.createStatement()) {
      statement.execute(sql);
    }
  }

  long number(String sql) throws SQLException {
    try (Connection admin = connect();
        Statement statement = admin.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      rows.next();
      return rows.getLong(1);
    }
  }

  /** The id of a user that is known under an identity of ours. */
  String userOf(UUID tenant, String subject) throws SQLException {
    try (Connection admin = connect();
        PreparedStatement find =
            admin.prepareStatement(
                "SELECT user_id FROM identity.identity_links WHERE tenant_id = ? AND subject = ?")) {
      find.setObject(1, tenant);
      find.setString(2, subject);
      try (ResultSet rows = find.executeQuery()) {
        rows.next();
        return String.valueOf(rows.getString(1));
      }
    }
  }

  /** What a query gives, in its order. */
  List<String> list(String sql) throws SQLException {
    List<String> all = new ArrayList<>();
    try (Connection admin = connect();
        Statement statement = admin.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        all.add(String.valueOf(rows.getString(1)));
      }
    }
    return all;
  }

  /** How often each key that a query gives is there. */
  Map<String, Integer> counts(String sql) throws SQLException {
    Map<String, Integer> counts = new HashMap<>();
    try (Connection admin = connect();
        Statement statement = admin.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        counts.merge(String.valueOf(rows.getString(1)), 1, Integer::sum);
      }
    }
    return counts;
  }

  /** The first column of a query's rows, and what is in the second. */
  Map<String, String> texts(String sql) throws SQLException {
    Map<String, String> texts = new HashMap<>();
    try (Connection admin = connect();
        Statement statement = admin.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        texts.put(String.valueOf(rows.getString(1)), String.valueOf(rows.getString(2)));
      }
    }
    return texts;
  }

  @Override
  public void close() {
    ServerProcess running = server;
    if (running != null) {
      running.close();
    }
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
