package io.rapport.platform;

import static java.util.stream.Collectors.joining;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.util.Collection;
import java.util.UUID;
import java.util.function.LongSupplier;
import org.jooq.tools.jdbc.DefaultConnection;
import org.jspecify.annotations.Nullable;

/**
 * A connection on which everything runs for one tenant and ends by a deadline.
 *
 * <p>Row-level security shows the rows of the tenant that the setting {@code rapport.tenant} names.
 * The setting travels in front of the statement, in the same prepared text, and is local to the
 * transaction: outside of an explicit one to the transaction of this very statement. So a
 * connection can't carry a tenant to its next user. Statements that are not prepared are not bound,
 * and see no rows.
 *
 * <p>The transaction must be an explicit one, though all of it is sent at once: the driver parts a
 * text of several statements by a Sync, which ends an implicit transaction, as soon as it has seen
 * that one of them gives rows of unbounded length. See docs/adr/0002.
 */
final class TenantConnection extends DefaultConnection {
  /** Gives numbers, because rows of unbounded length cost a round trip. */
  private static final String BIND =
      "SELECT length(set_config(?, ?, true)) + length(set_config('statement_timeout', ?, true)); ";

  private static final int BIND_PARAMETERS = 3;

  private final Binding binding;
  private final LongSupplier timeoutMillis;
  private final DatabaseWatch watch;

  /** The setting that row-level security asks, and what it says. */
  private record Binding(String setting, String value) {}

  /** A statement that carries the binding in front: how many results to hide, and its own text. */
  private record Bound(PreparedStatement statement, int hidden, String sql, DatabaseWatch watch) {}

  private TenantConnection(
      Connection connection, Binding binding, LongSupplier timeoutMillis, DatabaseWatch watch) {
    super(connection);
    this.binding = binding;
    this.timeoutMillis = timeoutMillis;
    this.watch = watch;
  }

  static TenantConnection of(
      Connection connection, UUID tenant, LongSupplier timeoutMillis, DatabaseWatch watch) {
    return new TenantConnection(
        connection, new Binding("rapport.tenant", tenant.toString()), timeoutMillis, watch);
  }

  /** A connection that may add what is recorded of several tenants, and read none of it. */
  static TenantConnection recording(
      Connection connection,
      Collection<UUID> tenants,
      LongSupplier timeoutMillis,
      DatabaseWatch watch) {
    String all = tenants.stream().map(UUID::toString).collect(joining(","));
    return new TenantConnection(
        connection, new Binding("rapport.tenants", all), timeoutMillis, watch);
  }

  @Override
  public PreparedStatement prepareStatement(String sql) throws SQLException {
    return getAutoCommit()
        ? hideBinding(new Bound(bind("BEGIN; " + BIND + sql + "; COMMIT"), 2, sql, watch))
        : hideBinding(new Bound(bind(BIND + sql), 1, sql, watch));
  }

  private PreparedStatement bind(String sql) throws SQLException {
    PreparedStatement statement = getDelegate().prepareStatement(sql);
    statement.setString(1, binding.setting());
    statement.setString(2, binding.value());
    statement.setString(3, String.valueOf(timeoutMillis.getAsLong()));
    return statement;
  }

  /** The statement as its user wrote it: without the setting's parameters and results. */
  private static PreparedStatement hideBinding(Bound bound) {
    return (PreparedStatement)
        Proxy.newProxyInstance(
            TenantConnection.class.getClassLoader(),
            new Class<?>[] {PreparedStatement.class},
            (proxy, method, arguments) -> call(bound, method, arguments));
  }

  private static @Nullable Object call(Bound bound, Method method, Object @Nullable [] arguments)
      throws Throwable {
    PreparedStatement statement = bound.statement();
    try {
      return switch (method.getName()) {
        case "execute" -> {
          requireOwnText(arguments);
          yield execute(bound);
        }
        case "executeQuery" -> {
          requireOwnText(arguments);
          execute(bound);
          yield bound.watch().rows(statement.getResultSet());
        }
        case "executeUpdate" -> {
          requireOwnText(arguments);
          execute(bound);
          yield bound.watch().rows(statement.getUpdateCount());
        }
        case "getResultSet" -> bound.watch().rows(statement.getResultSet());
        case "getUpdateCount" -> bound.watch().rows(statement.getUpdateCount());
        case "addBatch", "executeBatch", "executeLargeBatch", "executeLargeUpdate" ->
            throw new SQLFeatureNotSupportedException(method.getName());
        default -> method.invoke(statement, shift(method, arguments));
      };
    } catch (InvocationTargetException e) {
      throw e.getTargetException();
    }
  }

  /** Executes, and goes past the results that the statement's user doesn't know of. */
  private static boolean execute(Bound bound) throws SQLException {
    return bound.watch().statement(bound.sql(), () -> execute(bound.statement(), bound.hidden()));
  }

  private static boolean execute(PreparedStatement statement, int hidden) throws SQLException {
    Connection connection = statement.getConnection();
    boolean alone = connection.getAutoCommit(); // a connection that is lost can't say
    boolean done = false;
    try {
      boolean rows = statement.execute();
      for (int i = 0; i < hidden; i++) {
        rows = statement.getMoreResults();
      }
      Failures.requireSureCommit(statement.getWarnings());
      done = true;
      return rows;
    } finally {
      if (!done && alone) {
        endTransaction(connection);
      }
    }
  }

  /** A statement that failed leaves the transaction open that came with it. */
  private static void endTransaction(Connection connection) {
    try (Statement rollback = connection.createStatement()) {
      rollback.execute("ROLLBACK");
    } catch (SQLException e) {
      // The connection is lost, and with it the transaction: what led here is thrown already.
      return;
    }
  }

  private static void requireOwnText(Object @Nullable [] arguments) throws SQLException {
    if (arguments != null && arguments.length > 0) {
      throw new SQLFeatureNotSupportedException("the statement has a text already");
    }
  }

  private static Object @Nullable [] shift(Method method, Object @Nullable [] arguments) {
    if (arguments == null || arguments.length < 2 || !(arguments[0] instanceof Integer index)) {
      return arguments;
    }
    boolean setsParameter =
        method.getDeclaringClass() != Statement.class && method.getName().startsWith("set");
    if (!setsParameter) {
      return arguments;
    }
    Object[] shifted = arguments.clone();
    shifted[0] = index + BIND_PARAMETERS;
    return shifted;
  }
}
