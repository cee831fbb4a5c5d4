package io.rapport.platform;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.util.UUID;
import org.jooq.tools.jdbc.DefaultConnection;
import org.jspecify.annotations.Nullable;

/**
 * A connection on which everything runs for one tenant and ends by a deadline.
 *
 * <p>Row-level security shows the rows of the tenant that the setting {@code rapport.tenant} names.
 * The setting travels in front of the statement, in the same prepared text and so in one round
 * trip, and is local to the transaction: outside of an explicit one to this very statement. So a
 * connection can't carry a tenant to its next user. Statements that are not prepared are not bound,
 * and see no rows.
 */
final class TenantConnection extends DefaultConnection {
  private static final String BIND =
      "select set_config('rapport.tenant', ?, true), set_config('statement_timeout', ?, true); ";
  private static final int BIND_PARAMETERS = 2;

  private final String tenant;
  private final long timeoutMillis;
  private boolean bound;

  TenantConnection(Connection connection, UUID tenant, long timeoutMillis) {
    super(connection);
    this.tenant = tenant.toString();
    this.timeoutMillis = timeoutMillis;
  }

  @Override
  public PreparedStatement prepareStatement(String sql) throws SQLException {
    if (bound) {
      return getDelegate().prepareStatement(sql);
    }
    bound = !getAutoCommit();
    PreparedStatement statement = getDelegate().prepareStatement(BIND + sql);
    statement.setString(1, tenant);
    statement.setString(2, String.valueOf(timeoutMillis));
    return hideBinding(statement);
  }

  @Override
  public void commit() throws SQLException {
    bound = false;
    super.commit();
  }

  @Override
  public void rollback() throws SQLException {
    bound = false;
    super.rollback();
  }

  /** The statement as its user wrote it: without the setting's parameters and its result. */
  private static PreparedStatement hideBinding(PreparedStatement statement) {
    return (PreparedStatement)
        Proxy.newProxyInstance(
            TenantConnection.class.getClassLoader(),
            new Class<?>[] {PreparedStatement.class},
            (proxy, method, arguments) -> call(statement, method, arguments));
  }

  private static @Nullable Object call(
      PreparedStatement statement, Method method, Object @Nullable [] arguments) throws Throwable {
    try {
      return switch (method.getName()) {
        case "execute" -> {
          requireOwnText(arguments);
          statement.execute();
          yield statement.getMoreResults();
        }
        case "executeQuery" -> {
          requireOwnText(arguments);
          statement.execute();
          statement.getMoreResults();
          yield statement.getResultSet();
        }
        case "executeUpdate" -> {
          requireOwnText(arguments);
          statement.execute();
          statement.getMoreResults();
          yield statement.getUpdateCount();
        }
        case "addBatch", "executeBatch", "executeLargeBatch", "executeLargeUpdate" ->
            throw new SQLFeatureNotSupportedException(method.getName());
        default -> method.invoke(statement, shift(method, arguments));
      };
    } catch (InvocationTargetException e) {
      throw e.getTargetException();
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
