package io.rapport.server;

import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.ClientAuth;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.rapport.caching.v1.AnalysisCacheServiceGrpc;
import io.rapport.caching.v1.PredictionCacheServiceGrpc;
import io.rapport.db.Migrations;
import io.rapport.platform.Failpoint;
import io.rapport.platform.UnknownRpcs;
import io.rapport.server.ServerConfig.Tls;
import io.rapport.tracking.v1.EventServiceGrpc;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;

/** A serving process: the gRPC server, its health and its figures. */
public final class RapportServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(RapportServer.class);
  private static final int MAX_MESSAGE = 8 * 1024 * 1024;
  private static final int MAX_METADATA = 8 * 1024;
  private static final int MAX_CALLS_PER_CONNECTION = 1000;
  private static final int MAX_RESETS = 2000;
  private static final int RESET_WINDOW_SECONDS = 30;
  private static final int FLOW_CONTROL_WINDOW = 4 * 1024 * 1024;
  private static final Set<String> NEVER_BLOCK =
      Set.of(
          EventServiceGrpc.getTrackEventMethod().getFullMethodName(),
          PredictionCacheServiceGrpc.getGetPredictionMethod().getFullMethodName(),
          AnalysisCacheServiceGrpc.getGetAnalysisMethod().getFullMethodName());
  private static final Duration GRACE = Duration.ofSeconds(10);
  private static final Duration LAST_GRACE = Duration.ofSeconds(2);

  private final ServerConfig config;
  private final Wiring wiring;
  private final Health health;
  private final MetricsEndpoint metrics;
  private final Server server;

  private RapportServer(ServerConfig config, Clock clock, Telemetry telemetry) {
    this.config = config;
    this.wiring = new Wiring(config, clock, telemetry);
    wiring.system.connection(Migrations::requireCurrent);
    wiring.start();
    List<String> names =
        wiring.services.stream().map(s -> s.getServiceDescriptor().getName()).toList();
    this.health = new Health(names, wiring.pulse);
    this.metrics = new MetricsEndpoint(config.host(), config.metricsPort(), wiring.metrics);
    this.server = build();
  }

  /** Starts serving; returns when calls are answered. */
  public static RapportServer start(ServerConfig config) {
    SLF4JBridgeHandler.removeHandlersForRootLogger();
    SLF4JBridgeHandler.install();
    return start(config, Clock.systemUTC());
  }

  static RapportServer start(ServerConfig config, Clock clock) {
    return start(config, clock, Telemetry.of(config.traces()));
  }

  static RapportServer start(ServerConfig config, Clock clock, Telemetry telemetry) {
    requireNoFailpoints(config);
    RapportServer rapport = new RapportServer(config, clock, telemetry);
    try {
      rapport.health.start();
      rapport.server.start();
      Failpoint.arm();
    } catch (IOException e) {
      rapport.close();
      throw new UncheckedIOException("can't serve on " + config.host() + ":" + config.port(), e);
    }
    log.info(
        "serving: {}; on port {}, metrics on {}", config, rapport.port(), rapport.metricsPort());
    return rapport;
  }

  private static void requireNoFailpoints(ServerConfig config) {
    try {
      if (Failpoint.areSet() && !config.development()) {
        throw new ServerConfig.InvalidConfigException(
            "failpoints are for development: start without rapport.failpoints");
      }
    } catch (ExceptionInInitializerError e) {
      throw new ServerConfig.InvalidConfigException(String.valueOf(e.getCause()));
    }
  }

  public int port() {
    return server.getPort();
  }

  public int metricsPort() {
    return metrics.port();
  }

  public void awaitTermination() throws InterruptedException {
    server.awaitTermination();
  }

  private Server build() {
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(new InetSocketAddress(config.host(), config.port()))
            .executor(Executors.newVirtualThreadPerTaskExecutor())
            .callExecutor(new CallExecutors(NEVER_BLOCK, wiring.callers))
            .fallbackHandlerRegistry(new UnknownRpcs())
            .maxInboundMessageSize(MAX_MESSAGE)
            .maxInboundMetadataSize(MAX_METADATA)
            .maxConcurrentCallsPerConnection(MAX_CALLS_PER_CONNECTION)
            .maxRstFramesPerWindow(MAX_RESETS, RESET_WINDOW_SECONDS)
            .flowControlWindow(FLOW_CONTROL_WINDOW)
            .handshakeTimeout(5, TimeUnit.SECONDS)
            .maxConnectionIdle(5, TimeUnit.MINUTES)
            .maxConnectionAge(30, TimeUnit.MINUTES)
            .maxConnectionAgeGrace(30, TimeUnit.SECONDS)
            .keepAliveTime(60, TimeUnit.SECONDS)
            .keepAliveTimeout(10, TimeUnit.SECONDS)
            .permitKeepAliveTime(30, TimeUnit.SECONDS)
            .permitKeepAliveWithoutCalls(true)
            .addService(health.service())
            .addService(ProtoReflectionServiceV1.newInstance());
    wiring.services.forEach(builder::addService);
    wiring.interceptors.reversed().forEach(builder::intercept); // the last added comes first
    if (config.tls() != null) {
      builder.sslContext(ssl(config.tls()));
    }
    return builder.build();
  }

  private static SslContext ssl(Tls tls) {
    try {
      SslContextBuilder ssl =
          GrpcSslContexts.forServer(tls.certificate().toFile(), tls.key().toFile());
      if (tls.clientCa() != null) {
        ssl.trustManager(tls.clientCa().toFile()).clientAuth(ClientAuth.REQUIRE);
      }
      return ssl.build();
    } catch (IOException e) {
      throw new UncheckedIOException("the certificate or key can't be used", e);
    }
  }

  /**
   * Stops: health says so first, so that callers go elsewhere; then calls under way are finished;
   * what is left after that is broken off, because grpc-java may wait for ever for a call whose
   * message was too large.
   */
  @Override
  public void close() {
    health.close();
    try {
      TimeUnit.MILLISECONDS.sleep(config.drain().toMillis());
      wiring.streams.close(); // they would not end by themselves
      server.shutdown();
      if (!server.awaitTermination(GRACE.toMillis(), TimeUnit.MILLISECONDS)) {
        server.shutdownNow();
        server.awaitTermination(LAST_GRACE.toMillis(), TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException e) {
      server.shutdownNow();
      Thread.currentThread().interrupt();
    }
    metrics.close();
    wiring.close();
  }
}
