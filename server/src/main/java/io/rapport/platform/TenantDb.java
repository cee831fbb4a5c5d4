package io.rapport.platform;

import io.grpc.Context;
import io.grpc.Deadline;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;

/** The database as one tenant sees it: the one place where work is bound to a tenant. */
public final class TenantDb {
  private final Connections connections;
  private final Connections reserved;
  private final Duration cap;

  /**
   * @param cap how long a statement may run at most, whatever the caller's deadline
   */
  public TenantDb(DataSource connections, Duration cap) {
    this(Connections.of(connections), Connections.of(connections), cap);
  }

  /**
   * @param reserved for calls that must be answered when all else is busy
   * @param cap how long a statement may run at most, whatever the caller's deadline
   */
  public TenantDb(Connections connections, Connections reserved, Duration cap) {
    this.connections = connections;
    this.reserved = reserved;
    this.cap = cap;
  }

  /** Work on a connection that may fail as JDBC does. */
  @FunctionalInterface
  public interface Work<T> {
    T on(Connection connection) throws SQLException;
  }

  /** The same, followed by who wants to know of it. */
  private interface WatchedWork<T> {
    T on(Connection connection, DatabaseWatch watch) throws SQLException;
  }

  /** Runs queries, each in a transaction of its own and in one round trip. */
  public <T> T read(UUID tenant, Function<DSLContext, T> queries) {
    return autoCommit(tenant, connection -> queries.apply(dsl(connection)));
  }

  /** Runs work in one transaction: all of it is done, or nothing. */
  public <T> T write(UUID tenant, Function<DSLContext, T> work) {
    return transaction(tenant, connection -> work.apply(dsl(connection)));
  }

  /** Runs work in a transaction, and undoes it. */
  <T> T undone(UUID tenant, Function<DSLContext, T> work) {
    return use(
        "trial",
        tenant,
        (connection, watch) -> {
          Connection bound = bind(connection, tenant, watch);
          bound.setAutoCommit(false);
          T result = orRollBack(bound, it -> work.apply(dsl(it)));
          bound.rollback();
          return result;
        });
  }

  /** Runs statements, each in a transaction of its own and in one round trip. */
  public <T> T autoCommit(UUID tenant, Work<T> work) {
    return use(
        "statements", tenant, (connection, watch) -> work.on(bind(connection, tenant, watch)));
  }

  /** Runs statements that record for several tenants, each in a transaction of its own. */
  public <T> T recording(Collection<UUID> tenants, Work<T> work) {
    return use(
        "recording",
        tenants.iterator().next(),
        (connection, watch) -> {
          Failpoint.hit("tx.beforeCommit"); // which the statement brings along
          return work.on(
              TenantConnection.recording(connection, tenants, this::timeoutMillis, watch));
        });
  }

  /** Runs work in one transaction: all of it is done, or nothing. */
  public <T> T transaction(UUID tenant, Work<T> work) {
    return use(
        "transaction",
        tenant,
        (connection, watch) -> {
          Connection bound = bind(connection, tenant, watch);
          bound.setAutoCommit(false);
          T result = orRollBack(bound, work);
          Failpoint.hit("tx.beforeCommit");
          commit(bound, watch);
          return result;
        });
  }

  private <T> T use(String kind, UUID tenant, WatchedWork<T> work) {
    DatabaseWatch watch = DatabaseWatch.current();
    Connections source = Lanes.isReserved() ? reserved : connections;
    try {
      return watch.use(
          kind,
          () -> {
            try (Connections.Lease lease = watch.waitForConnection(() -> source.lend(tenant))) {
              return work.on(lease.connection(), watch);
            }
          });
    } catch (SQLException e) {
      throw failed(e);
    }
  }

  private Connection bind(Connection connection, UUID tenant, DatabaseWatch watch) {
    return TenantConnection.of(connection, tenant, this::timeoutMillis, watch);
  }

  private static DataAccessException failed(SQLException e) {
    return new DataAccessException("a statement failed", e);
  }

  /** jOOQ on a connection that is bound already. */
  public static DSLContext dsl(Connection connection) {
    return DSL.using(connection, SQLDialect.POSTGRES);
  }

  /** jOOQ on connections that are bound to no tenant: for what no tenant owns. */
  public static DSLContext dsl(DataSource connections) {
    return DSL.using(connections, SQLDialect.POSTGRES);
  }

  private static <T> T orRollBack(Connection connection, Work<T> work) throws SQLException {
    boolean done = false;
    try {
      T result = work.on(connection);
      done = true;
      return result;
    } finally {
      if (!done) {
        rollBack(connection);
      }
    }
  }

  private static void rollBack(Connection connection) {
    try {
      connection.rollback();
    } catch (SQLException e) {
      // The connection is lost, and with it the transaction: what led here is thrown already.
      return;
    }
  }

  private static void commit(Connection connection, DatabaseWatch watch) throws SQLException {
    try {
      watch.statement("COMMIT", () -> commit(connection));
    } catch (SQLException e) {
      if (Failures.outcomeUnknown(e)) {
        throw Failures.unknownOutcome();
      }
      throw e;
    }
  }

  private static boolean commit(Connection connection) throws SQLException {
    connection.commit();
    Failures.requireSureCommit(connection.getWarnings());
    return true;
  }

  private long timeoutMillis() {
    Deadline deadline = Context.current().getDeadline();
    long capMillis = cap.toMillis();
    return deadline == null
        ? capMillis
        : Math.clamp(deadline.timeRemaining(TimeUnit.MILLISECONDS), 1, capMillis);
  }
}
