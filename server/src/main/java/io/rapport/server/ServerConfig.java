package io.rapport.server;

import io.rapport.caching.CachingFeature;
import io.rapport.db.Database;
import io.rapport.platform.Admission.Limits;
import io.rapport.search.audit.SearchAuditFeature;
import io.rapport.search.embedder.EmbedderFeature;
import io.rapport.search.embedding.EmbeddingFeature;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The server's settings, from environment variables. docs/operations.md tells what each is for.
 *
 * @param database with the login that may act as the server's and the system's role
 * @param metricsPort 0: any free port
 * @param development serve callers without a token, on loopback only
 * @param limits how many calls may be under way
 * @param traces the collector that traces are sent to, if any
 * @param streamsPerTenant how many streams that don't end by themselves
 * @param changeRetention how long the log of changes is kept
 * @param caches how much the caches keep
 * @param learningEntries how many entries a tenant's learning memory has room for
 * @param embedders what makes vectors of texts
 * @param embedding what the server embeds by itself
 * @param audits how much of searches is done again to see whether they find what there is
 * @param drain how long to go on serving after health says NOT_SERVING
 */
public record ServerConfig(
    Database database,
    String host,
    int port,
    int metricsPort,
    boolean development,
    @Nullable Tls tls,
    @Nullable Tokens tokens,
    int databaseConnections,
    int eventWriters,
    Duration statementTimeout,
    Limits limits,
    Logs logs,
    @Nullable URI traces,
    int streamsPerTenant,
    Duration changeRetention,
    CachingFeature.Limits caches,
    int learningEntries,
    EmbedderFeature.Settings embedders,
    EmbeddingFeature.Settings embedding,
    SearchAuditFeature.Settings audits,
    Duration drain) {

  private static final String PREFIX = "RAPPORT_";
  private static final long MEGABYTE = 1024 * 1024;
  private static final int MAX_PORT = 65_535;

  /** What the server needs beside what {@code bin/} uses. */
  private static final Set<String> NOT_OURS =
      Set.of("RAPPORT_MIGRATOR_URL", "RAPPORT_POSTGRES_BIN", "RAPPORT_JAVA_OPTIONS");

  /** OpenTelemetry's own variable. */
  private static final String COLLECTOR = "OTEL_EXPORTER_OTLP_ENDPOINT";

  /** Calls beyond the connections wait for one, and not for long. */
  private static final int CALLS_PER_CONNECTION = 12;

  /**
   * What the log says of calls.
   *
   * @param format text or json
   * @param calls whether each call has a line
   * @param slow how long a call takes that has a line in any case
   */
  public record Logs(String format, boolean calls, Duration slow) {}

  /** Certificates; with {@code clientCa}, callers must have one too. */
  public record Tls(Path certificate, Path key, @Nullable Path clientCa) {}

  /** Whose tokens are trusted. */
  public record Tokens(Path jwks, @Nullable String issuer, @Nullable String audience) {}

  /** Settings that can't be served with; the message tells what to change. */
  public static final class InvalidConfigException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    InvalidConfigException(String message) {
      super(message);
    }
  }

  /** The variables that the server knows. */
  public enum Variable {
    DATABASE_URL(""),
    HOST("127.0.0.1"),
    PORT("9090"),
    METRICS_PORT("9464"),
    DEVELOPMENT("false"),
    TLS_CERTIFICATE(""),
    TLS_KEY(""),
    TLS_CLIENT_CA(""),
    JWKS_FILE(""),
    TOKEN_ISSUER(""),
    TOKEN_AUDIENCE(""),
    DATABASE_CONNECTIONS("10"),
    EVENT_WRITERS("4"),
    STATEMENT_TIMEOUT_MS("5000"),
    MAX_CALLS("0"),
    MAX_RESERVED_CALLS("16"),
    MAX_STREAMS("1000"),
    LOG_FORMAT("text"),
    LOG_CALLS("false"),
    SLOW_CALL_MS("1000"),
    STREAMS_PER_TENANT("1000"),
    CHANGE_RETENTION_HOURS("168"),
    NEAR_CACHE_MB("32"),
    CACHE_MB_PER_TENANT("1024"),
    LEARNING_ENTRIES_PER_TENANT("10000"),
    EMBEDDERS(""),
    EMBEDDING_THREADS("1"),
    EMBEDDING_URL(""),
    EMBEDDING_MODEL(""),
    EMBEDDING_KEY(""),
    EMBEDDING_KEY_FILE(""),
    EMBEDDING_DIMENSIONS("1536"),
    EMBEDDING_SHORTEN("false"),
    EMBEDDING_BATCH("64"),
    EMBEDDING_TIMEOUT_MS("10000"),
    EMBED_STALE("false"),
    EMBED_WORKERS("1"),
    EMBED_TEXTS_PER_SECOND("0"),
    RECALL_MIN_ROWS("5000"),
    RECALL_SAMPLE("1000"),
    RECALL_AUDIT_SECONDS("60"),
    DRAIN_MS("2000");

    private final String defaultValue;

    Variable(String defaultValue) {
      this.defaultValue = defaultValue;
    }

    /** Its name in the environment. */
    public String key() {
      return PREFIX + name();
    }
  }

  /** Reads and checks the settings; refuses variables of ours that it doesn't know. */
  public static ServerConfig of(Map<String, String> environment) {
    String url = environment.getOrDefault(Variable.DATABASE_URL.key(), "");
    require(!url.isEmpty(), "RAPPORT_DATABASE_URL must be set");
    return of(environment, database(url));
  }

  private static Database database(String url) {
    try {
      return Database.parse(url);
    } catch (IllegalArgumentException e) {
      throw new InvalidConfigException("RAPPORT_DATABASE_URL: " + e.getMessage());
    }
  }

  /** The same with a database that is known already. */
  static ServerConfig of(Map<String, String> environment, Database database) {
    refuseUnknown(environment);
    Source source = new Source(environment);
    return new ServerConfig(
            database,
            source.text(Variable.HOST),
            source.number(Variable.PORT, 0, MAX_PORT),
            source.number(Variable.METRICS_PORT, 0, MAX_PORT),
            source.flag(Variable.DEVELOPMENT),
            source.tls(),
            source.tokens(),
            source.number(Variable.DATABASE_CONNECTIONS, 2, 1000),
            source.number(Variable.EVENT_WRITERS, 1, 64),
            Duration.ofMillis(source.number(Variable.STATEMENT_TIMEOUT_MS, 100, 600_000)),
            source.limits(),
            source.logs(),
            source.collector(),
            source.number(Variable.STREAMS_PER_TENANT, 1, 1_000_000),
            Duration.ofHours(source.number(Variable.CHANGE_RETENTION_HOURS, 1, 87_600)),
            source.caches(),
            source.number(Variable.LEARNING_ENTRIES_PER_TENANT, 1, 1_000_000),
            new EmbeddingSettings(source).embedders(),
            new EmbeddingSettings(source).embedding(),
            source.audits(),
            Duration.ofMillis(source.number(Variable.DRAIN_MS, 0, 60_000)))
        .checked();
  }

  private static void refuseUnknown(Map<String, String> environment) {
    Set<String> known = Stream.of(Variable.values()).map(Variable::key).collect(Collectors.toSet());
    Set<String> unknown = new TreeSet<>(environment.keySet());
    unknown.removeIf(key -> !key.startsWith(PREFIX) || known.contains(key));
    unknown.removeAll(NOT_OURS);
    if (!unknown.isEmpty()) {
      throw new InvalidConfigException("unknown variables: " + String.join(", ", unknown));
    }
  }

  private ServerConfig checked() {
    require(
        development || tokens != null,
        "RAPPORT_JWKS_FILE must be set, or RAPPORT_DEVELOPMENT=true on loopback");
    require(
        isLoopback(host) || tls != null,
        "only loopback is served without TLS: set RAPPORT_TLS_CERTIFICATE and RAPPORT_TLS_KEY");
    require(isLoopback(host) || !development, "RAPPORT_DEVELOPMENT is for loopback addresses only");
    return this;
  }

  private static boolean isLoopback(String host) {
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException e) {
      throw new InvalidConfigException("RAPPORT_HOST is not an address of this machine: " + host);
    }
  }

  static void require(boolean holds, String message) {
    if (!holds) {
      throw new InvalidConfigException(message);
    }
  }

  /** Says nothing of the database's password. */
  @Override
  public String toString() {
    return "host=%s port=%d metricsPort=%d development=%s tls=%s tokens=%s connections=%d"
        .formatted(host, port, metricsPort, development, tls, tokens, databaseConnections);
  }

  /** The variables, read as what they should be. */
  record Source(Map<String, String> environment) {
    String text(Variable variable) {
      return environment.getOrDefault(variable.key(), variable.defaultValue);
    }

    @Nullable String optional(Variable variable) {
      String text = text(variable);
      return text.isEmpty() ? null : text;
    }

    int number(Variable variable, int min, int max) {
      String message = variable.key() + " must be a number from " + min + " to " + max;
      try {
        int number = Integer.parseInt(text(variable));
        require(number >= min && number <= max, message);
        return number;
      } catch (NumberFormatException e) {
        throw new InvalidConfigException(message);
      }
    }

    boolean flag(Variable variable) {
      String text = text(variable);
      require(
          text.equals("true") || text.equals("false"), variable.key() + " must be true or false");
      return text.equals("true");
    }

    Limits limits() {
      int calls = number(Variable.MAX_CALLS, 0, 100_000);
      int connections = number(Variable.DATABASE_CONNECTIONS, 2, 1000);
      return new Limits(
          calls == 0 ? CALLS_PER_CONNECTION * connections : calls,
          number(Variable.MAX_RESERVED_CALLS, 1, 1000),
          number(Variable.MAX_STREAMS, 1, 100_000));
    }

    CachingFeature.Limits caches() {
      return new CachingFeature.Limits(
          number(Variable.NEAR_CACHE_MB, 0, 1_000_000) * MEGABYTE,
          number(Variable.CACHE_MB_PER_TENANT, 1, 100_000_000) * MEGABYTE);
    }

    SearchAuditFeature.Settings audits() {
      return new SearchAuditFeature.Settings(
          number(Variable.RECALL_SAMPLE, 0, 1_000_000_000),
          Duration.ofSeconds(number(Variable.RECALL_AUDIT_SECONDS, 0, 86_400)),
          number(Variable.RECALL_MIN_ROWS, 1, 1_000_000));
    }

    /** The format is read by logback.xml; here it is only checked. */
    Logs logs() {
      String format = text(Variable.LOG_FORMAT);
      require(
          format.equals("text") || format.equals("json"),
          Variable.LOG_FORMAT.key() + " must be text or json");
      return new Logs(
          format,
          flag(Variable.LOG_CALLS),
          Duration.ofMillis(number(Variable.SLOW_CALL_MS, 1, 3_600_000)));
    }

    @Nullable URI collector() {
      String text = environment.getOrDefault(COLLECTOR, "");
      if (text.isEmpty()) {
        return null;
      }
      require(text.matches("https?://[^/].*"), COLLECTOR + " must begin with http:// or https://");
      try {
        return new URI(text);
      } catch (URISyntaxException e) {
        throw new InvalidConfigException(COLLECTOR + " is not a URL");
      }
    }

    @Nullable Path file(Variable variable) {
      String text = text(variable);
      if (text.isEmpty()) {
        return null;
      }
      require(Files.isReadable(Path.of(text)), variable.key() + " can't be read: " + text);
      return Path.of(text);
    }

    @Nullable Tls tls() {
      Path certificate = file(Variable.TLS_CERTIFICATE);
      Path key = file(Variable.TLS_KEY);
      Path clientCa = file(Variable.TLS_CLIENT_CA);
      if (certificate != null && key != null) {
        return new Tls(certificate, key, clientCa);
      }
      require(
          certificate == null && key == null && clientCa == null,
          "TLS needs both RAPPORT_TLS_CERTIFICATE and RAPPORT_TLS_KEY");
      return null;
    }

    @Nullable Tokens tokens() {
      Path jwks = file(Variable.JWKS_FILE);
      return jwks == null
          ? null
          : new Tokens(jwks, optional(Variable.TOKEN_ISSUER), optional(Variable.TOKEN_AUDIENCE));
    }
  }
}
