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
  private final DataSource connections;
  private final Duration cap;

  /**
   * @param cap how long a statement may run at most, whatever the caller's deadline
   */
  public TenantDb(DataSource connections, Duration cap) {
    this.connections = connections;
    this.cap = cap;
  }

  /** Work on a connection that may fail as JDBC does. */
  @FunctionalInterface
  public interface Work<T> {
    T on(Connection connection) throws SQLException;
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
    try (Connection connection = connections.getConnection()) {
      Connection bound = TenantConnection.of(connection, tenant, this::timeoutMillis);
      bound.setAutoCommit(false);
      T result = orRollBack(bound, it -> work.apply(dsl(it)));
      bound.rollback();
      return result;
    } catch (SQLException e) {
      throw failed(e);
    }
  }

  /** Runs statements, each in a transaction of its own and in one round trip. */
  public <T> T autoCommit(UUID tenant, Work<T> work) {
    try (Connection connection = connections.getConnection()) {
      return work.on(TenantConnection.of(connection, tenant, this::timeoutMillis));
    } catch (SQLException e) {
      throw failed(e);
    }
  }

  /** Runs statements that record for several tenants, each in a transaction of its own. */
  public <T> T recording(Collection<UUID> tenants, Work<T> work) {
    try (Connection connection = connections.getConnection()) {
      return work.on(TenantConnection.recording(connection, tenants, this::timeoutMillis));
    } catch (SQLException e) {
      throw failed(e);
    }
  }

  /** Runs work in one transaction: all of it is done, or nothing. */
  public <T> T transaction(UUID tenant, Work<T> work) {
    try (Connection connection = connections.getConnection()) {
      Connection bound = TenantConnection.of(connection, tenant, this::timeoutMillis);
      bound.setAutoCommit(false);
      T result = orRollBack(bound, work);
      commit(bound);
      return result;
    } catch (SQLException e) {
      throw new DataAccessException("a transaction failed", e);
    }
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

  private static void commit(Connection connection) throws SQLException {
    try {
      connection.commit();
      Failures.requireSureCommit(connection.getWarnings());
    } catch (SQLException e) {
      if (Failures.outcomeUnknown(e)) {
        throw Failures.unknownOutcome();
      }
      throw e;
    }
  }

  private long timeoutMillis() {
    Deadline deadline = Context.current().getDeadline();
    long capMillis = cap.toMillis();
    return deadline == null
        ? capMillis
        : Math.clamp(deadline.timeRemaining(TimeUnit.MILLISECONDS), 1, capMillis);
  }
}
