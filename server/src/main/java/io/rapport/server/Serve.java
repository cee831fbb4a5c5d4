package io.rapport.server;

import io.rapport.db.CommandLines;
import io.rapport.db.Database;
import io.rapport.db.LocalPostgres;
import io.rapport.db.Migrations;
import io.rapport.server.ServerConfig.Variable;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Serves for people at their own machine: with a database of its own unless one is given, migrated,
 * and with a tenant for calls without a token. The options come before the environment.
 */
@Command(
    name = "bin/serve",
    mixinStandardHelpOptions = true,
    description = "Serves Rapport, with a local PostgreSQL unless RAPPORT_DATABASE_URL is set.")
public final class Serve implements Callable<Integer> {
  @Option(names = "--host", paramLabel = "ADDRESS", description = "Where to serve: 127.0.0.1.")
  private @Nullable String host;

  @Option(names = "--port", paramLabel = "N", description = "The port; 9090, or 0 for a free one.")
  private @Nullable String port;

  @Option(names = "--metrics-port", paramLabel = "N", description = "Prometheus' port; 9464.")
  private @Nullable String metricsPort;

  @Option(names = "--data", paramLabel = "DIR", description = "Where the local PostgreSQL lives.")
  private @Nullable Path data;

  @Option(names = "--jwks", paramLabel = "FILE", description = "Trust tokens signed by its keys.")
  private @Nullable String jwks;

  public static void main(String[] args) {
    int status = CommandLines.of("rapport", new Serve()).execute(args);
    if (status != 0) {
      System.exit(status);
    }
  }

  @Override
  public Integer call() throws InterruptedException {
    Map<String, String> environment = environment();
    String url = environment.getOrDefault(Variable.DATABASE_URL.key(), "");
    if (url.isEmpty()) {
      serveLocally(environment);
    } else {
      serve(environment, Database.parse(url), () -> {});
    }
    return 0;
  }

  private void serveLocally(Map<String, String> environment) throws InterruptedException {
    LocalPostgres postgres = LocalPostgres.open(directory());
    try {
      serve(environment, postgres.database(), postgres::close);
    } catch (RuntimeException e) {
      postgres.close();
      throw e;
    }
  }

  /** The scripts say where they stand; it decides which cluster is this checkout's. */
  static Path checkout() {
    return Path.of(System.getProperty("rapport.checkout", ""));
  }

  private static void serve(Map<String, String> environment, Database database, Runnable after)
      throws InterruptedException {
    Migrations.of(database).migrate();
    RapportServer server = RapportServer.start(ServerConfig.of(environment, database));
    Thread stop =
        new Thread(
            () -> {
              server.close();
              after.run();
            },
            "stop");
    Runtime.getRuntime().addShutdownHook(stop);
    String host = environment.get(Variable.HOST.key());
    System.out.println("rapport: serving on " + host + ":" + server.port());
    server.awaitTermination();
  }

  /** The environment, with the options put over it. */
  private Map<String, String> environment() {
    Map<String, String> environment = new HashMap<>(System.getenv());
    environment.putIfAbsent(Variable.HOST.key(), "127.0.0.1");
    environment.putIfAbsent(Variable.DRAIN_MS.key(), "0");
    put(environment, Variable.HOST, host);
    put(environment, Variable.PORT, port);
    put(environment, Variable.METRICS_PORT, metricsPort);
    put(environment, Variable.JWKS_FILE, jwks);
    boolean open = !environment.containsKey(Variable.TLS_CERTIFICATE.key());
    environment.putIfAbsent(Variable.DEVELOPMENT.key(), String.valueOf(open));
    boolean development = "true".equals(environment.get(Variable.DEVELOPMENT.key()));
    if (development && !environment.containsKey(Variable.EMBEDDERS.key())) {
      environment.putIfAbsent(Variable.EMBED_STALE.key(), "true"); // by the local model
    }
    if (open && !environment.containsKey(Variable.JWKS_FILE.key())) {
      environment.put(Variable.JWKS_FILE.key(), DevelopmentKey.in(directory()).jwks().toString());
    }
    return environment;
  }

  private Path directory() {
    return data == null ? LocalPostgres.defaultDirectory(checkout()) : data;
  }

  private static void put(
      Map<String, String> environment, Variable variable, @Nullable String value) {
    if (value != null) {
      environment.put(variable.key(), value);
    }
  }
}
