package io.rapport.server;

import com.zaxxer.hikari.HikariConfig;
import io.micrometer.core.instrument.MeterRegistry;
import io.rapport.db.Database;
import java.time.Duration;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/** The pools of database connections. */
final class Pools {
  private static final Duration PATIENCE = Duration.ofMillis(500);
  private static final Duration CONNECT = Duration.ofSeconds(2);
  private static final Duration MAX_LIFETIME = Duration.ofMinutes(15);

  private Pools() {}

  /**
   * @param statementTimeout how long a statement may run; the socket gives up shortly after
   */
  static Pool open(
      String name,
      Database database,
      int size,
      Duration statementTimeout,
      Pulse pulse,
      MeterRegistry metrics) {
    HikariConfig config = new HikariConfig();
    config.setPoolName(name);
    config.setJdbcUrl(database.jdbcUrl());
    config.setUsername(database.user());
    config.setPassword(database.password());
    config.setMaximumPoolSize(size);
    config.setMinimumIdle(Math.min(size, 2));
    config.setConnectionTimeout(PATIENCE.toMillis());
    config.setValidationTimeout(PATIENCE.toMillis());
    config.setMaxLifetime(MAX_LIFETIME.toMillis());
    config.setInitializationFailTimeout(-1);
    config.setMetricRegistry(metrics);
    tell(config, "ApplicationName", "rapport");
    tell(config, "connectTimeout", CONNECT.toSeconds());
    tell(config, "cancelSignalTimeout", CONNECT.toSeconds());
    tell(config, "socketTimeout", statementTimeout.plus(CONNECT).toSeconds());
    tell(config, "tcpKeepAlive", true);
    tell(config, "logServerErrorDetail", false);
    return new Pool(config, pulse);
  }

  /** Connections that are made for whoever asks, and wait for a second and no longer. */
  static DataSource impatient(Database database) {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setUrl(database.jdbcUrl());
    source.setUser(database.user());
    source.setPassword(database.password());
    source.setApplicationName("rapport pulse");
    source.setConnectTimeout(1);
    source.setLoginTimeout(1);
    source.setSocketTimeout(1);
    return source;
  }

  /** As text: the pool passes values on as they are, and the driver knows no others. */
  private static void tell(HikariConfig config, String property, Object value) {
    config.addDataSourceProperty(property, value.toString());
  }
}
