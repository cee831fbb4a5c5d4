package io.rapport.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rapport.caching.CachingFeature;
import io.rapport.db.Database;
import io.rapport.platform.Admission.Limits;
import io.rapport.search.audit.SearchAuditFeature;
import io.rapport.search.embedder.EmbedderFeature;
import io.rapport.search.embedding.EmbeddingFeature;
import io.rapport.server.ServerConfig.InvalidConfigException;
import io.rapport.server.ServerConfig.Logs;
import io.rapport.server.ServerConfig.Tls;
import io.rapport.server.ServerConfig.Tokens;
import io.rapport.server.ServerConfig.Variable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ServerConfigTest {
  private static final String SECRET = "hunter2-canary";
  private static final String URL = "postgresql://ada:" + SECRET + "@127.0.0.1:5432/rapport";

  @TempDir static Path directory = Path.of("");
  private final Path certificate = directory.resolve("certificate");
  private final Path privateKey = directory.resolve("key");
  private final Path clientCa = directory.resolve("client-ca");
  private final Path jwks = directory.resolve("jwks");
  private final Path other = directory.resolve("other");

  @BeforeEach
  void writeFiles() throws IOException {
    for (Path file : new Path[] {certificate, privateKey, clientCa, jwks, other}) {
      Files.writeString(file, "");
    }
  }

  @Test
  void hasTheDefaultsThatAreWrittenDown() {
    ServerConfig config =
        ServerConfig.of(Map.of("RAPPORT_DATABASE_URL", URL, "RAPPORT_JWKS_FILE", jwks.toString()));

    assertThat(config)
        .isEqualTo(
            new ServerConfig(
                Database.parse(URL),
                "127.0.0.1",
                9090,
                9464,
                false,
                null,
                new Tokens(jwks, null, null),
                10,
                4,
                Duration.ofSeconds(5),
                new Limits(120, 16, 1000),
                new Logs("text", false, Duration.ofSeconds(1)),
                null,
                1000,
                Duration.ofDays(7),
                new CachingFeature.Limits(32L * 1024 * 1024, 1024L * 1024 * 1024),
                10_000,
                new EmbedderFeature.Settings(false, 1, null),
                new EmbeddingFeature.Settings(false, 1, 0),
                new SearchAuditFeature.Settings(1000, Duration.ofSeconds(60), 5000),
                Duration.ofSeconds(2)));
  }

  @ParameterizedTest
  @EnumSource(Variable.class)
  void takesEveryVariable(Variable variable) {
    ServerConfig before = ServerConfig.of(environment());
    Map<String, String> changed = environment();
    changed.put(variable.key(), others().get(variable));

    assertThat(ServerConfig.of(changed)).isNotEqualTo(before);
  }

  @Test
  void takesCertificatesAndKeysFromWhereTheyAre() {
    ServerConfig config = ServerConfig.of(environment());

    assertThat(config.tls()).isEqualTo(new Tls(certificate, privateKey, clientCa));
    assertThat(config.tokens()).isEqualTo(new Tokens(jwks, "issuer", "audience"));
  }

  @Test
  void refusesVariablesThatItDoesNotKnow() {
    assertRefused("RAPPORT_PROT", "9090", "unknown variables: RAPPORT_PROT");
  }

  @Test
  void leavesVariablesOfOthersAlone() {
    Map<String, String> environment = environment();
    environment.put("PATH", "/bin");
    environment.put("PORT", "x");
    environment.put("RAPPORT_POSTGRES_BIN", "/usr/lib/postgresql/15/bin");

    assertThat(ServerConfig.of(environment)).isEqualTo(ServerConfig.of(environment()));
  }

  @ParameterizedTest
  @CsvSource({
    "RAPPORT_PORT, -1",
    "RAPPORT_PORT, 65536",
    "RAPPORT_PORT, x",
    "RAPPORT_PORT, ''",
    "RAPPORT_METRICS_PORT, 65536",
    "RAPPORT_DATABASE_CONNECTIONS, 1",
    "RAPPORT_DATABASE_CONNECTIONS, 99999999999",
    "RAPPORT_EVENT_WRITERS, 0",
    "RAPPORT_STATEMENT_TIMEOUT_MS, 0",
    "RAPPORT_STATEMENT_TIMEOUT_MS, -5",
    "RAPPORT_STREAMS_PER_TENANT, 0",
    "RAPPORT_CHANGE_RETENTION_HOURS, 0",
    "RAPPORT_NEAR_CACHE_MB, -1",
    "RAPPORT_CACHE_MB_PER_TENANT, 0",
    "RAPPORT_LEARNING_ENTRIES_PER_TENANT, 0",
    "RAPPORT_DRAIN_MS, -1",
    "RAPPORT_EMBEDDERS, remote",
    "RAPPORT_EMBEDDERS, 'none,local'",
    "RAPPORT_EMBEDDERS, 'local,local'",
    "RAPPORT_EMBEDDING_URL, ''",
    "RAPPORT_EMBEDDING_URL, ftp://127.0.0.1/v1",
    "RAPPORT_EMBEDDING_MODEL, ''",
    "RAPPORT_EMBEDDING_KEY, 'a b'",
    "RAPPORT_EMBEDDING_DIMENSIONS, 1537",
    "RAPPORT_EMBEDDING_THREADS, 0",
    "RAPPORT_EMBED_STALE, yes",
    "RAPPORT_EMBED_WORKERS, 0",
    "RAPPORT_EMBED_TEXTS_PER_SECOND, -1",
    "RAPPORT_MAX_CALLS, -1",
    "RAPPORT_MAX_RESERVED_CALLS, 0",
    "RAPPORT_MAX_STREAMS, 0",
    "RAPPORT_LOG_FORMAT, xml",
    "RAPPORT_LOG_CALLS, yes",
    "RAPPORT_SLOW_CALL_MS, 0",
    "OTEL_EXPORTER_OTLP_ENDPOINT, collector:4318",
    "OTEL_EXPORTER_OTLP_ENDPOINT, http://collector:4318/{}",
    "RAPPORT_DEVELOPMENT, yes",
    "RAPPORT_DEVELOPMENT, TRUE",
    "RAPPORT_JWKS_FILE, /nowhere/at/all",
    "RAPPORT_TLS_KEY, /nowhere/at/all"
  })
  void namesTheVariableThatIsWrong(String key, String value) {
    assertRefused(key, value, key);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0.0.0.0", "::", "192.0.2.1"})
  void refusesOtherAddressesThanLoopbackWithoutTls(String host) {
    assertThatThrownBy(() ->
            ServerConfig.of(
                Map.of(
                    "RAPPORT_DATABASE_URL", URL,
                    "RAPPORT_HOST", host,
                    "RAPPORT_JWKS_FILE", jwks.toString())))
        .isInstanceOf(InvalidConfigException.class)
        .hasMessageContaining("RAPPORT_TLS_CERTIFICATE");
  }

  @Test
  void refusesDevelopmentElsewhereThanOnLoopbackAlsoWithTls() {
    Map<String, String> environment = environment();
    environment.put("RAPPORT_HOST", "0.0.0.0");
    assertThat(ServerConfig.of(environment).host()).isEqualTo("0.0.0.0");
    environment.put("RAPPORT_DEVELOPMENT", "true");

    assertThatThrownBy(() -> ServerConfig.of(environment))
        .isInstanceOf(InvalidConfigException.class)
        .hasMessageContaining("RAPPORT_DEVELOPMENT");
  }

  @Test
  void refusesHalfACertificate() {
    for (String key :
        new String[] {"RAPPORT_TLS_CERTIFICATE", "RAPPORT_TLS_KEY", "RAPPORT_TLS_CLIENT_CA"}) {
      Map<String, String> environment =
          new HashMap<>(Map.of("RAPPORT_DATABASE_URL", URL, "RAPPORT_DEVELOPMENT", "true"));
      environment.put(key, other.toString());

      assertThatThrownBy(() -> ServerConfig.of(environment))
          .as(key)
          .isInstanceOf(InvalidConfigException.class);
    }
  }

  @Test
  void needsADatabaseAndAWayToKnowItsCallers() {
    assertThatThrownBy(() -> ServerConfig.of(Map.of()))
        .isInstanceOf(InvalidConfigException.class)
        .hasMessageContaining("RAPPORT_DATABASE_URL");
    assertThatThrownBy(() -> ServerConfig.of(Map.of("RAPPORT_DATABASE_URL", URL)))
        .isInstanceOf(InvalidConfigException.class)
        .hasMessageContaining("RAPPORT_JWKS_FILE");
  }

  @Test
  void neverTellsThePassword() {
    ServerConfig config = ServerConfig.of(environment());

    assertThat(config.toString()).doesNotContain(SECRET);
    assertThat(config.database().toString()).doesNotContain(SECRET);
    for (String wrong :
        new String[] {URL.replace("postgresql:", "mysql:"), SECRET, "://" + SECRET}) {
      assertThatThrownBy(() -> ServerConfig.of(Map.of("RAPPORT_DATABASE_URL", wrong)))
          .isInstanceOf(InvalidConfigException.class)
          .hasMessageNotContaining(SECRET);
    }
  }

  private void assertRefused(String key, String value, String message) {
    Map<String, String> environment = environment();
    environment.put(key, value);

    assertThatThrownBy(() -> ServerConfig.of(environment))
        .isInstanceOf(InvalidConfigException.class)
        .hasMessageContaining(message);
  }

  /** Every variable, each with a value. */
  private Map<String, String> environment() {
    Map<Variable, String> values = new EnumMap<>(Variable.class);
    values.put(Variable.DATABASE_URL, URL);
    values.put(Variable.HOST, "127.0.0.1");
    values.put(Variable.PORT, "1");
    values.put(Variable.METRICS_PORT, "2");
    values.put(Variable.DEVELOPMENT, "false");
    values.put(Variable.TLS_CERTIFICATE, certificate.toString());
    values.put(Variable.TLS_KEY, privateKey.toString());
    values.put(Variable.TLS_CLIENT_CA, clientCa.toString());
    values.put(Variable.JWKS_FILE, jwks.toString());
    values.put(Variable.TOKEN_ISSUER, "issuer");
    values.put(Variable.TOKEN_AUDIENCE, "audience");
    values.put(Variable.DATABASE_CONNECTIONS, "3");
    values.put(Variable.EVENT_WRITERS, "4");
    values.put(Variable.STATEMENT_TIMEOUT_MS, "500");
    values.put(Variable.MAX_CALLS, "70");
    values.put(Variable.MAX_RESERVED_CALLS, "8");
    values.put(Variable.MAX_STREAMS, "90");
    values.put(Variable.LOG_FORMAT, "text");
    values.put(Variable.LOG_CALLS, "false");
    values.put(Variable.SLOW_CALL_MS, "100");
    values.put(Variable.STREAMS_PER_TENANT, "7");
    values.put(Variable.CHANGE_RETENTION_HOURS, "24");
    values.put(Variable.NEAR_CACHE_MB, "5");
    values.put(Variable.CACHE_MB_PER_TENANT, "9");
    values.put(Variable.LEARNING_ENTRIES_PER_TENANT, "77");
    values.put(Variable.EMBEDDERS, "openai");
    values.put(Variable.EMBEDDING_THREADS, "2");
    values.put(Variable.EMBEDDING_URL, "http://127.0.0.1:1/v1");
    values.put(Variable.EMBEDDING_MODEL, "m");
    values.put(Variable.EMBEDDING_KEY, "k");
    values.put(Variable.EMBEDDING_KEY_FILE, jwks.toString());
    values.put(Variable.EMBEDDING_DIMENSIONS, "8");
    values.put(Variable.EMBEDDING_SHORTEN, "false");
    values.put(Variable.EMBEDDING_BATCH, "9");
    values.put(Variable.EMBEDDING_TIMEOUT_MS, "1000");
    values.put(Variable.EMBED_STALE, "true");
    values.put(Variable.EMBED_WORKERS, "3");
    values.put(Variable.EMBED_TEXTS_PER_SECOND, "4");
    values.put(Variable.RECALL_SAMPLE, "10");
    values.put(Variable.RECALL_AUDIT_SECONDS, "5");
    values.put(Variable.RECALL_MIN_ROWS, "6");
    values.put(Variable.DRAIN_MS, "6");
    assertThat(values).hasSize(Variable.values().length);
    Map<String, String> environment = new HashMap<>();
    values.forEach((variable, value) -> environment.put(variable.key(), value));
    return environment;
  }

  private Map<Variable, String> others() {
    Map<Variable, String> values = new EnumMap<>(Variable.class);
    values.put(Variable.DATABASE_URL, URL.replace("ada", "bob"));
    values.put(Variable.HOST, "localhost");
    values.put(Variable.DEVELOPMENT, "true");
    values.put(Variable.TOKEN_ISSUER, "other");
    values.put(Variable.TOKEN_AUDIENCE, "other");
    values.put(Variable.EVENT_WRITERS, "7");
    values.put(Variable.LOG_FORMAT, "json");
    values.put(Variable.LOG_CALLS, "true");
    values.put(Variable.EMBEDDERS, "local,openai");
    values.put(Variable.EMBEDDING_THREADS, "3");
    values.put(Variable.EMBEDDING_URL, "http://127.0.0.1:2/v1");
    values.put(Variable.EMBEDDING_SHORTEN, "true");
    values.put(Variable.EMBED_STALE, "false");
    values.put(Variable.EMBED_WORKERS, "2");
    values.put(Variable.RECALL_SAMPLE, "0");
    values.put(Variable.RECALL_AUDIT_SECONDS, "0");
    values.put(Variable.RECALL_MIN_ROWS, "7");
    for (Variable variable : Variable.values()) {
      boolean file = Files.exists(Path.of(environment().getOrDefault(variable.key(), "")));
      values.putIfAbsent(variable, file ? other.toString() : "777");
    }
    return values;
  }
}
