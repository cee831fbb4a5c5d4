package io.rapport.platform;

import static io.rapport.server.Given.eventOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.rapport.client.RapportClient;
import io.rapport.db.Database;
import io.rapport.db.Role;
import io.rapport.server.Rapport;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A connection goes from tenant to tenant and takes nothing along. */
class TenantConnectionTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final String TENANTS = "SELECT DISTINCT tenant_id FROM identity.users";

  private final HikariDataSource pool = new HikariDataSource();
  private final TenantDb db = new TenantDb(pool, Duration.ofSeconds(5));
  private final List<UUID> tenants = new ArrayList<>();

  @BeforeEach
  void openAPoolAsTheServersRole() {
    Database database = rapport.database().as(Role.SERVER);
    pool.setJdbcUrl(database.jdbcUrl());
    pool.setUsername(database.user());
    pool.setPassword(database.password());
    for (int i = 0; i < 3; i++) {
      UUID tenant = rapport.newTenant();
      try (RapportClient client = rapport.clientOf(tenant)) {
        client.events().track(eventOf("ada").build());
      }
      tenants.add(tenant);
    }
  }

  @AfterEach
  void closeThePool() {
    pool.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void neverCarriesATenantOver(int connections) throws SQLException {
    pool.setMaximumPoolSize(connections);
    Random random = new Random(7);

    for (int i = 0; i < 2_000; i++) {
      UUID tenant = tenants.get(random.nextInt(3));
      switch (random.nextInt(6)) {
        case 0 -> assertThat(seen(tenant)).containsExactly(tenant);
        case 1 -> failAfterReading(tenant);
        case 2 -> failInSql(tenant, "SELECT 1 / 0");
        case 3 ->
            failInSql(tenant, "INSERT INTO identity.users (tenant_id, id) VALUES (NULL, NULL)");
        case 4 -> assertThat(seenInTransaction(tenant)).containsExactly(tenant);
        default -> assertThat(unboundTenants()).isEmpty();
      }
    }
  }

  /** Once prepared by name, such a statement is parted from the setting before it by a Sync. */
  @Test
  void staysBoundHoweverOftenAStatementGivesTexts() {
    pool.setMaximumPoolSize(1);
    UUID tenant = tenants.getFirst();

    for (int i = 0; i < 20; i++) {
      List<String> subjects =
          db.read(
              tenant,
              dsl ->
                  dsl.fetch("SELECT subject FROM identity.identity_links")
                      .getValues(0, String.class));

      assertThat(subjects).containsExactly("ada");
    }
  }

  @Test
  void isBoundAnewAfterACommitAndARollback() throws SQLException {
    pool.setMaximumPoolSize(1);
    UUID tenant = tenants.getFirst();

    try (Connection connection = pool.getConnection()) {
      Connection bound = TenantConnection.of(connection, tenant, () -> 5_000, DatabaseWatch.NONE);
      bound.setAutoCommit(false);
      for (int i = 0; i < 8; i++) {
        assertThat(TenantDb.dsl(bound).fetch(TENANTS).intoSet(0, UUID.class))
            .containsExactly(tenant);
        if (i % 2 == 0) {
          bound.commit();
        } else {
          bound.rollback();
        }
      }
    }
  }

  @Test
  void showsNoRowsToAStatementThatIsNotPrepared() throws SQLException {
    pool.setMaximumPoolSize(1);

    try (Connection connection = pool.getConnection()) {
      Connection bound =
          TenantConnection.of(connection, tenants.getFirst(), () -> 5_000, DatabaseWatch.NONE);
      try (Statement statement = bound.createStatement();
          var rows = statement.executeQuery(TENANTS)) {
        assertThat(rows.next()).isFalse();
      }
    }
  }

  @Test
  void showsNoOtherTenantsRowsWhateverIsAskedFor() {
    UUID mine = tenants.get(0);
    UUID theirs = tenants.get(1);

    for (String table :
        List.of(
            "identity.users",
            "identity.identity_links",
            "tracking.event_ids",
            "tracking.behavioral_events")) {
      int found =
          db.read(
              mine,
              dsl ->
                  dsl.fetchSingle("SELECT count(*) FROM " + table + " WHERE tenant_id = ?", theirs)
                      .get(0, Integer.class));
      assertThat(found).as(table).isZero();
    }
  }

  @Test
  void writesNothingForAnotherTenant() {
    UUID mine = tenants.get(0);
    UUID theirs = tenants.get(1);

    assertThatThrownBy(() ->
            db.write(
                mine,
                tx ->
                    tx.execute(
                        "INSERT INTO identity.users (tenant_id, id) VALUES (?, ?)",
                        theirs,
                        UUID.randomUUID())))
        .hasMessageContaining("row-level security");
  }

  @Test
  void recordsForTheNamedTenantsOnlyAndReadsNoEvents() {
    UUID named = tenants.get(0);
    UUID other = tenants.get(1);

    assertThat(recordId(List.of(named), named)).isOne();
    assertThatThrownBy(() -> recordId(List.of(named), other))
        .hasMessageContaining("row-level security");
    assertThat(
            db.<Boolean>recording(
                tenants,
                connection ->
                    TenantDb.dsl(connection).fetchExists(DSL.table("tracking.behavioral_events"))))
        .isFalse();
  }

  private int recordId(List<UUID> bound, UUID tenant) {
    return db.recording(
        bound,
        connection ->
            TenantDb.dsl(connection)
                .execute(
                    """
                    INSERT INTO tracking.event_ids (tenant_id, event_id, digest, recorded_at)
                    VALUES (?, ?, decode(repeat('00', 32), 'hex'), now())
                    """,
                    tenant,
                    UUID.randomUUID()));
  }

  @Test
  void endsAStatementByTheDeadlineAndTheNextIsFreeOfIt() {
    pool.setMaximumPoolSize(1);
    TenantDb hurried = new TenantDb(pool, Duration.ofMillis(100));
    UUID tenant = tenants.getFirst();

    assertThatThrownBy(() -> hurried.read(tenant, dsl -> dsl.fetch("SELECT pg_sleep(5)")))
        .isInstanceOf(DataAccessException.class);

    int slept = db.read(tenant, dsl -> dsl.fetch("SELECT pg_sleep(0.2)").size());
    assertThat(slept).isEqualTo(1);
    assertThat(seen(tenant)).containsExactly(tenant);
  }

  private Set<UUID> seen(UUID tenant) {
    return db.read(tenant, dsl -> dsl.fetch(TENANTS).intoSet(0, UUID.class));
  }

  private Set<UUID> seenInTransaction(UUID tenant) {
    return db.write(
        tenant,
        tx -> {
          tx.fetch("SELECT 1");
          return tx.fetch(TENANTS).intoSet(0, UUID.class);
        });
  }

  private void failAfterReading(UUID tenant) {
    assertThatThrownBy(() ->
            db.write(
                tenant,
                tx -> {
                  assertThat(tx.fetch(TENANTS)).hasSize(1);
                  throw new IllegalStateException("given up");
                }))
        .hasMessage("given up");
  }

  private void failInSql(UUID tenant, String sql) {
    assertThatThrownBy(() ->
            db.write(
                tenant,
                tx -> {
                  tx.fetch(TENANTS);
                  return tx.execute(sql);
                }))
        .isInstanceOf(DataAccessException.class);
  }

  private List<UUID> unboundTenants() throws SQLException {
    try (Connection connection = pool.getConnection()) {
      return TenantDb.dsl(connection).fetch(TENANTS).getValues(0, UUID.class);
    }
  }
}
