package io.rapport.platform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.grpc.Context;
import io.rapport.db.Database;
import io.rapport.db.Role;
import io.rapport.platform.Lanes.Lane;
import io.rapport.server.Rapport;
import java.sql.Connection;
import java.time.Duration;
import org.jooq.exception.DataAccessException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Who gets a connection when there are too few. */
class ConnectionsTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private final HikariDataSource pool = pool();
  private final HikariDataSource reserved = pool();
  private final TenantDb db =
      new TenantDb(Connections.of(pool), Connections.of(reserved), Duration.ofSeconds(5));

  private static HikariDataSource pool() {
    Database database = rapport.database().as(Role.SERVER);
    HikariDataSource pool = new HikariDataSource();
    pool.setJdbcUrl(database.jdbcUrl());
    pool.setUsername(database.user());
    pool.setPassword(database.password());
    pool.setMaximumPoolSize(1);
    pool.setConnectionTimeout(250);
    return pool;
  }

  @AfterEach
  void close() {
    pool.close();
    reserved.close();
  }

  @Test
  void reservedCallsHaveTheirOwn() throws Exception {
    try (Connection _ = pool.getConnection()) {
      assertThatThrownBy(this::one).isInstanceOf(DataAccessException.class);

      assertThat(Lanes.in(Context.current(), Lane.RESERVED).call(this::one)).isEqualTo(1);
    }
    assertThat(one()).isEqualTo(1);
  }

  private int one() {
    return db.read(rapport.tenant(), dsl -> dsl.fetchSingle("SELECT 1").get(0, Integer.class));
  }
}
