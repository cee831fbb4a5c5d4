package io.rapport.bench;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.rapport.db.Database;
import io.rapport.db.Role;
import io.rapport.identity.IdentityFeature;
import io.rapport.identity.UserStore;
import io.rapport.identity.v1.UserServiceGrpc;
import io.rapport.platform.AuthInterceptor;
import io.rapport.platform.Callers;
import io.rapport.platform.ChangeLog;
import io.rapport.platform.Contract;
import io.rapport.platform.OpenStreams;
import io.rapport.platform.Rights;
import io.rapport.platform.Rpcs;
import io.rapport.platform.Rules;
import io.rapport.platform.TenantDb;
import io.rapport.platform.UnitOfWork;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;

/**
 * Users served by the resource engine and by hand: two servers in this process, alike in all else,
 * over the same connections.
 */
final class UserServers implements AutoCloseable {
  private static final int CONNECTIONS = 10;
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final HikariDataSource pool;
  private final HikariDataSource systemPool;
  private final OpenStreams streams;
  private final Server engine;
  private final Server byHand;
  private final ManagedChannel engineChannel;
  private final ManagedChannel byHandChannel;

  UserServers(Database database) throws IOException {
    this.pool = pool(database.as(Role.SERVER));
    this.systemPool = pool(database.as(Role.SYSTEM));
    Clock clock = Clock.systemUTC();
    this.streams = new OpenStreams(clock, 1);
    Contract contract = Contract.load();
    Rpcs rpcs = new Rpcs(contract, new Rules(), clock, streams);
    TenantDb db = new TenantDb(pool, TIMEOUT);
    ChangeLog changes = new ChangeLog(List.of(IdentityFeature.activity()), tenant -> {});
    UnitOfWork work = new UnitOfWork(db, changes);
    TenantDb system = new TenantDb(systemPool, TIMEOUT);
    UnitOfWork systemWork = new UnitOfWork(system, changes);
    IdentityFeature identity =
        new IdentityFeature(db, work, system, systemWork, new UserStore(), clock);
    Callers callers =
        new Callers(
            token -> {
              throw new IllegalStateException("nobody sends a token");
            },
            identity.tenants(),
            new Callers.Anonymous(Site.DEVELOPMENT_TENANT, Rights.all(contract)),
            clock);
    AuthInterceptor auth = new AuthInterceptor(callers, Rights.of(contract));
    ServerServiceDefinition users =
        identity.services(rpcs).stream()
            .filter(it -> it.getServiceDescriptor().getName().equals(UserServiceGrpc.SERVICE_NAME))
            .findFirst()
            .orElseThrow();
    this.engine = serve(users, auth);
    this.byHand = serve(new UsersByHand(db, work).bind(rpcs), auth);
    this.engineChannel = channel(engine);
    this.byHandChannel = channel(byHand);
  }

  private static HikariDataSource pool(Database database) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(database.jdbcUrl());
    config.setUsername(database.user());
    config.setPassword(database.password());
    config.setMaximumPoolSize(CONNECTIONS);
    return new HikariDataSource(config);
  }

  private static Server serve(ServerServiceDefinition service, AuthInterceptor auth)
      throws IOException {
    return NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
        .executor(Executors.newVirtualThreadPerTaskExecutor())
        .addService(service)
        .intercept(auth)
        .build()
        .start();
  }

  private static ManagedChannel channel(Server server) {
    return ManagedChannelBuilder.forTarget("127.0.0.1:" + server.getPort()).usePlaintext().build();
  }

  UserServiceGrpc.UserServiceBlockingStub engine() {
    return UserServiceGrpc.newBlockingStub(engineChannel);
  }

  UserServiceGrpc.UserServiceBlockingStub byHand() {
    return UserServiceGrpc.newBlockingStub(byHandChannel);
  }

  @Override
  public void close() {
    engineChannel.shutdownNow();
    byHandChannel.shutdownNow();
    engine.shutdownNow();
    byHand.shutdownNow();
    streams.close();
    pool.close();
    systemPool.close();
  }
}
