package io.rapport.server;

import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.opentelemetry.api.OpenTelemetry;
import io.rapport.client.RapportClient;
import io.rapport.db.Database;
import io.rapport.db.Durability;
import io.rapport.db.LocalPostgres;
import io.rapport.db.Migrations;
import io.rapport.identity.v1.CreateTenantRequest;
import io.rapport.identity.v1.Tenant;
import io.rapport.identity.v1.TenantServiceGrpc;
import io.rapport.platform.Traces;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A real server on a real port over a real PostgreSQL, one for all tests of a run. Each test has a
 * tenant of its own, so what others left behind can't be seen.
 */
public final class Rapport implements BeforeEachCallback, AfterEachCallback {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private UUID tenant = new UUID(0, 0);
  private RapportClient client = RapportClient.connect("127.0.0.1:1");

  /** What all tests of the run share. */
  private static final class Shared {
    static final SettableClock clock = new SettableClock();
    static final Tokens tokens = new Tokens();
    static final LocalPostgres postgres = postgres();
    static final RapportServer server = serve(Map.of());
    static final ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", server.port())
            .usePlaintext()
            .maxInboundMessageSize(16 * 1024 * 1024)
            .build();

    static final DSLContext sql =
        DSL.using(
            postgres.database().jdbcUrl(),
            postgres.database().user(),
            postgres.database().password());

    private static LocalPostgres postgres() {
      LocalPostgres postgres = LocalPostgres.temporary(Durability.NONE);
      Migrations.of(postgres.database()).migrate();
      return postgres;
    }

    static RapportServer serve(Map<String, String> variables) {
      return RapportServer.start(config(variables), clock);
    }

    static ServerConfig config(Map<String, String> variables) {
      Map<String, String> environment = new HashMap<>();
      environment.put("RAPPORT_PORT", "0");
      environment.put("RAPPORT_METRICS_PORT", "0");
      environment.put("RAPPORT_DRAIN_MS", "0");
      environment.put("RAPPORT_DEVELOPMENT", "true");
      environment.put("RAPPORT_JWKS_FILE", tokens.jwks().toString());
      environment.putAll(variables);
      return ServerConfig.of(environment, postgres.database());
    }
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    Shared.clock.reset();
    tenant = newTenant();
    client.close();
    client = clientOf(tenant);
  }

  @Override
  public void afterEach(ExtensionContext context) {
    client.close();
  }

  /** The tenant of this test. */
  public UUID tenant() {
    return tenant;
  }

  /** The SDK with all rights, for the tenant of this test. */
  public RapportClient client() {
    return client;
  }

  public RapportClient clientOf(UUID id) {
    return client(id, Shared.server);
  }

  /** The SDK with all rights, for the tenant of this test, at another server. */
  public RapportClient clientOf(RapportServer server) {
    return client(tenant, server);
  }

  private RapportClient client(UUID id, RapportServer server) {
    return RapportClient.builder("127.0.0.1:" + server.port())
        .token(tokens().of(id, Tokens.ALL_RIGHTS))
        .build();
  }

  /** A tenant beside the test's own. */
  public UUID newTenant() {
    UUID id = UUID.randomUUID();
    Tenant made = Tenant.newBuilder().setId(id.toString()).setDisplayName("test " + id).build();
    TenantServiceGrpc.newBlockingStub(anonymousChannel())
        .createTenant(CreateTenantRequest.newBuilder().setTenant(made).build());
    return id;
  }

  /** For bare stubs, with all rights, for the tenant of this test. */
  public Channel channel() {
    return channel(tokens().of(tenant, Tokens.ALL_RIGHTS));
  }

  public Channel channel(String token) {
    Metadata headers = new Metadata();
    headers.put(AUTHORIZATION, "Bearer " + token);
    return ClientInterceptors.intercept(
        anonymousChannel(), MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  /** Calls without a token: the development tenant's, with all rights. */
  public Channel anonymousChannel() {
    return Shared.channel;
  }

  public Tokens tokens() {
    return Shared.tokens;
  }

  public SettableClock clock() {
    return Shared.clock;
  }

  public int port() {
    return Shared.server.port();
  }

  public int metricsPort() {
    return Shared.server.metricsPort();
  }

  /** A further server over the same database, with its own settings. */
  public RapportServer serve(Map<String, String> variables) {
    return Shared.serve(variables);
  }

  /** A further server, whose spans come here. */
  RapportServer serve(OpenTelemetry telemetry, Map<String, String> variables) {
    return RapportServer.start(
        Shared.config(variables), Shared.clock, new Telemetry(Traces.of(telemetry), () -> {}));
  }

  public Database database() {
    return Shared.postgres.database();
  }

  /** The database as its superuser sees it: everything, of all tenants. */
  public DSLContext sql() {
    return Shared.sql;
  }
}
