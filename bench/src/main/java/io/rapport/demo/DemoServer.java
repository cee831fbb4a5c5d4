package io.rapport.demo;

import io.rapport.bench.ServerProcess;
import io.rapport.client.RapportClient;
import io.rapport.db.Database;
import io.rapport.db.Durability;
import io.rapport.db.LocalPostgres;
import io.rapport.db.Migrations;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A server on a database of its own, both of which are gone when it is closed. */
final class DemoServer implements AutoCloseable {
  private final Path directory;
  private final LocalPostgres postgres;
  private ServerProcess server;

  private DemoServer(Path directory, LocalPostgres postgres) throws IOException {
    this.directory = directory;
    this.postgres = postgres;
    this.server = serve(directory, postgres.database());
  }

  static DemoServer start() throws IOException {
    Path directory = Files.createTempDirectory("rapport-demo-");
    LocalPostgres postgres = LocalPostgres.temporary(Durability.FSYNC);
    try {
      Migrations.of(postgres.database()).migrate();
      return new DemoServer(directory, postgres);
    } catch (IOException | RuntimeException e) {
      postgres.close();
      throw e;
    }
  }

  private static ServerProcess serve(Path directory, Database database) throws IOException {
    Map<String, String> environment =
        Map.of(
            "RAPPORT_DATABASE_URL", url(database),
            "RAPPORT_PORT", "0",
            "RAPPORT_METRICS_PORT", "0",
            "RAPPORT_DEVELOPMENT", "true",
            "RAPPORT_EMBED_STALE", "true",
            "RAPPORT_EMBED_WORKERS", "2",
            "RAPPORT_DRAIN_MS", "0");
    return ServerProcess.start(environment, List.of(), directory.resolve("server.log"));
  }

  /** Stops the server, and starts another on the same database. */
  void restart() throws IOException {
    server.close();
    server = serve(directory, postgres.database());
  }

  private static String url(Database database) {
    return "%s&user=%s&password=%s"
        .formatted(database.jdbcUrl(), encoded(database.user()), encoded(database.password()));
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  /** Where files can be put. */
  Path directory() {
    return directory;
  }

  RapportClient client() {
    return RapportClient.builder("127.0.0.1:" + server.port()).build();
  }

  @Override
  public void close() {
    server.close();
    postgres.close();
  }
}
