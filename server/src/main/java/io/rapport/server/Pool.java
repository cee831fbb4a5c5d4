package io.rapport.server;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jooq.tools.jdbc.DefaultConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A pool whose connections are broken off when the database no longer answers. */
final class Pool extends HikariDataSource {
  private static final Logger log = LoggerFactory.getLogger(Pool.class);

  private final Pulse pulse;
  private final Set<Connection> lent = ConcurrentHashMap.newKeySet();

  Pool(HikariConfig config, Pulse pulse) {
    super(config);
    this.pulse = pulse;
    pulse.add(answers -> {
      if (!answers) {
        breakOff();
      }
    });
  }

  @Override
  public Connection getConnection() throws SQLException {
    pulse.require();
    Connection connection = super.getConnection();
    lent.add(connection);
    if (!pulse.answers()) { // who breaks off may just have missed it
      lent.remove(connection);
      connection.close();
      pulse.require();
    }
    return new DefaultConnection(connection) {
      @Override
      public void close() throws SQLException {
        lent.remove(connection);
        if (!connection.isClosed()) {
          pulse.heard();
        }
        super.close();
      }
    };
  }

  private void breakOff() {
    getHikariPoolMXBean().softEvictConnections(); // so that none of these is lent again
    lent.forEach(Pool::breakOff);
  }

  private static void breakOff(Connection connection) {
    try {
      connection.abort(Runnable::run);
    } catch (SQLException e) {
      log.debug("a connection can't be broken off", e);
    }
  }
}
