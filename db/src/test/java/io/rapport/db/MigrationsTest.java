package io.rapport.db;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MigrationsTest {
  private static final int NEXT = Migrations.schemaVersion() + 1;
  private static final RollbackTarget TO_NOTHING = new RollbackTarget.To(0);

  @TempDir private Path directory;

  @Test
  void leavesTheSameSchemaAfterDownAndUp() throws Exception {
    Database database = TestCluster.migratedDatabase();
    String before = TestCluster.dump(database);

    var down = Migrations.of(database).rollback(TO_NOTHING, script -> {});
    assertThat(down).isEqualTo(new Migrations.Outcome(0, Migrations.schemaVersion()));
    assertThat(TestCluster.dump(database)).doesNotContain("CREATE TABLE");
    Migrations.of(database).migrate();

    assertThat(TestCluster.dump(database)).isEqualTo(before).contains("CREATE TABLE");
  }

  @Test
  void leavesTheSameSchemaAfterEachSingleVersionDownAndUp() throws Exception {
    Database database = TestCluster.migratedDatabase();
    List<String> dumps = new ArrayList<>();
    for (int version = Migrations.schemaVersion(); version > 0; version--) {
      dumps.add(TestCluster.dump(database));
      Migrations.of(database).rollback(new RollbackTarget.Count(1), script -> {});
    }

    Migrations.of(database).migrate();

    assertThat(dumps).doesNotHaveDuplicates();
    assertThat(TestCluster.dump(database)).isEqualTo(dumps.getFirst());
  }

  @Test
  void doesNothingTheSecondTime() throws Exception {
    Database database = TestCluster.migratedDatabase();

    assertThat(Migrations.of(database).migrate().files()).isZero();
    assertThat(Migrations.of(database).validate()).isEqualTo(Migrations.schemaVersion());
  }

  @Test
  void changesNothingWhenAskedWhatItWouldDo() throws Exception {
    Database database = TestCluster.emptyDatabase();
    String empty = TestCluster.dump(database);
    assertThat(Migrations.of(database).pending()).hasSize(Migrations.schemaVersion());
    assertThat(TestCluster.dump(database)).isEqualTo(empty);

    Migrations.of(database).migrate();
    String full = TestCluster.dump(database);
    assertThat(Migrations.of(database).rollbackScripts(TO_NOTHING))
        .extracting(Script::version)
        .first()
        .isEqualTo(Migrations.schemaVersion());
    assertThat(TestCluster.dump(database)).isEqualTo(full);
    Migrations.of(database).validate();
  }

  @Test
  void hasAWayBackFromEachVersion() {
    MigrationFiles files = MigrationFiles.ofThisBuild();

    assertThat(files.back().keySet()).isEqualTo(files.forward().keySet());
  }

  @Test
  void appliesEachFileOnceUnderThreeMigrators() throws Exception {
    Database database = TestCluster.emptyDatabase();
    MoreFiles more = MoreFiles.in(directory);
    List<Process> migrators = new ArrayList<>();
    for (int n = 0; n < 3; n++) {
      migrators.add(MigratorProcess.start(database, more));
    }

    for (Process migrator : migrators) {
      assertThat(migrator.waitFor()).isZero();
    }
    assertThat(
            TestCluster.query(
                database,
                "SELECT version, count(*) FROM schema_history.flyway_schema_history"
                    + " WHERE version IS NOT NULL GROUP BY 1 HAVING count(*) > 1"))
        .isEmpty();
    assertThat(Migrations.of(database).validate()).isEqualTo(Migrations.schemaVersion());
  }

  @Test
  void leavesNothingHalfDoneWhenKilled() throws Exception {
    Database database = TestCluster.migratedDatabase();
    MoreFiles slow =
        MoreFiles.in(directory)
            .add(NEXT, "slow", "CREATE TABLE tracking.half (); SELECT pg_sleep(3600);", "");
    Process migrator = MigratorProcess.start(database, slow);
    String sleeping =
        "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
    TestCluster.await("the sleep", () -> !TestCluster.query(database, sleeping).isEmpty());

    migrator.destroyForcibly().waitFor();

    slow.add(NEXT, "slow", "CREATE TABLE tracking.half ();", "DROP TABLE tracking.half;");
    assertThat(slow.over(database).migrate()).isEqualTo(new Migrations.Outcome(NEXT, 1));
    assertThat(TestCluster.query(database, sleeping)).isEmpty();
    assertThat(slow.over(database).validate()).isEqualTo(NEXT);
  }

  @Test
  void leavesNothingOfAFileThatFails() throws Exception {
    Database database = TestCluster.migratedDatabase();
    String before = TestCluster.dump(database);
    MoreFiles wrong =
        MoreFiles.in(directory).add(NEXT, "wrong", "CREATE TABLE tracking.x (); SELECT 1/0;", "");

    assertThatThrownBy(() -> wrong.over(database).migrate())
        .isInstanceOf(MigrationException.class)
        .hasMessageContaining("division by zero");

    assertThat(TestCluster.dump(database)).isEqualTo(before);
    assertThat(Migrations.of(database).validate()).isEqualTo(Migrations.schemaVersion());
  }

  @Test
  void waitsForALockInShortTries() throws Exception {
    Database database = TestCluster.migratedDatabase();
    MoreFiles more =
        MoreFiles.in(directory)
            .add(NEXT, "add", "ALTER TABLE identity.users ADD COLUMN x text;", "");
    Process migrator;
    try (Connection reader = database.connect()) {
      reader.setAutoCommit(false);
      reader.createStatement().execute("SELECT count(*) FROM identity.users");
      migrator = MigratorProcess.start(database, more);
      String log =
          "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
              + " AND datname = current_database() AND usename = 'rapport_migrator'";
      TestCluster.await("a try", () -> !TestCluster.query(database, log).isEmpty());
      TestCluster.await("its end", () -> TestCluster.query(database, log).isEmpty());
      TestCluster.await("another", () -> !TestCluster.query(database, log).isEmpty());
    }

    assertThat(migrator.waitFor()).isZero();
    assertThat(more.over(database).validate()).isEqualTo(NEXT);
  }

  @Test
  void buildsAnIndexBesideOpenTransactions() throws Exception {
    Database database = TestCluster.migratedDatabase();

    MoreFiles more = index("CREATE INDEX CONCURRENTLY ix_users_x ON identity.users (id);");

    assertThat(more.over(database).migrate().version()).isEqualTo(NEXT);
    assertThat(more.over(database).validate()).isEqualTo(NEXT);
    more.over(database).rollback(new RollbackTarget.Count(1), script -> {});
    assertThat(Migrations.of(database).validate()).isEqualTo(Migrations.schemaVersion());
  }

  @Test
  void rebuildsAnIndexThatAFailureLeftHalfMade() throws Exception {
    Database database = TestCluster.migratedDatabase();
    String tenant = "00000000-0000-4000-8000-000000000001";
    TestCluster.execute(
        database,
        """
        INSERT INTO identity.users (tenant_id, id)
        VALUES ('%1$s', gen_random_uuid()), ('%1$s', gen_random_uuid())
        """
            .formatted(tenant));
    MoreFiles more =
        index("CREATE UNIQUE INDEX CONCURRENTLY ix_users_x ON identity.users (tenant_id);");
    assertThatThrownBy(() -> more.over(database).migrate()).isInstanceOf(MigrationException.class);
    assertThatThrownBy(() -> Migrations.of(database).validate())
        .hasMessageContaining("half-made indexes: [identity.ix_users_x]");

    TestCluster.execute(database, "DELETE FROM identity.users");

    assertThat(more.over(database).migrate()).isEqualTo(new Migrations.Outcome(NEXT, 1));
    assertThat(more.over(database).validate()).isEqualTo(NEXT);
  }

  @Test
  void rebuildsAnIndexWhoseMigratorWasKilled() throws Exception {
    Database database = TestCluster.migratedDatabase();
    MoreFiles more = index("CREATE INDEX CONCURRENTLY ix_users_x ON identity.users (id);");
    String invalid = "SELECT 1 FROM pg_index WHERE NOT indisvalid";
    try (Connection writer = database.connect()) {
      writer.setAutoCommit(false);
      writer.createStatement().execute("LOCK TABLE identity.users IN ROW EXCLUSIVE MODE");
      Process migrator = MigratorProcess.start(database, more);
      TestCluster.await(
          "the half-made index", () -> !TestCluster.query(database, invalid).isEmpty());
      migrator.destroyForcibly().waitFor();
    }

    assertThat(more.over(database).migrate().version()).isEqualTo(NEXT);
    assertThat(more.over(database).validate()).isEqualTo(NEXT);
  }

  private MoreFiles index(String sql) throws Exception {
    return MoreFiles.in(directory).add(NEXT, "index", sql, "DROP INDEX identity.ix_users_x;");
  }

  @Test
  void refusesADatabaseThatIsNewerThanTheBuild() throws Exception {
    Database database = TestCluster.migratedDatabase();
    MoreFiles.in(directory)
        .add(NEXT, "newer", "CREATE TABLE tracking.newer ();", "DROP TABLE tracking.newer;")
        .over(database)
        .migrate();

    assertThatThrownBy(() -> Migrations.of(database).migrate())
        .isInstanceOf(SchemaMismatchException.class)
        .hasMessageContaining("[" + NEXT + "]");
    assertThatThrownBy(() -> Migrations.of(database).rollback(TO_NOTHING, script -> {}))
        .isInstanceOf(SchemaMismatchException.class);
    try (Connection server = database.as(Role.SERVER).connect()) {
      assertThatThrownBy(() -> Migrations.requireCurrent(server))
          .isInstanceOf(SchemaMismatchException.class)
          .hasMessageContaining("newer build");
    }
  }

  @Test
  void refusesAFileThatWasAlteredAfterItRan() throws Exception {
    Database database = TestCluster.migratedDatabase();
    MoreFiles more = MoreFiles.in(directory).add(NEXT, "one", "CREATE TABLE tracking.one ();", "");
    more.over(database).migrate();
    more.add(NEXT, "one", "CREATE TABLE tracking.two ();", "");

    assertThatThrownBy(() -> more.over(database).validate()).hasMessageContaining("checksum");
  }

  @Test
  void letsTheServersRolesSeeWhichSchemaItIs() throws Exception {
    Database database = TestCluster.migratedDatabase();
    for (Role role : Role.values()) {
      try (Connection connection = database.as(role).connect()) {
        Migrations.requireCurrent(connection);
      }
    }

    Migrations.of(database).rollback(new RollbackTarget.Count(1), script -> {});
    try (Connection server = database.as(Role.SERVER).connect()) {
      assertThatThrownBy(() -> Migrations.requireCurrent(server))
          .isInstanceOf(SchemaMismatchException.class)
          .hasMessageContaining("bin/db migrate");
    }
  }

  @Test
  void keepsTheDataOfAnOlderDatabase() throws Exception {
    Database database = TestCluster.migratedDatabase();
    TestCluster.execute(
        database,
        "INSERT INTO identity.users (tenant_id, id) VALUES (gen_random_uuid(), gen_random_uuid())");

    MoreFiles more =
        MoreFiles.in(directory)
            .add(NEXT, "add", "ALTER TABLE identity.users ADD COLUMN x text;", "");
    more.over(database).migrate();

    assertThat(TestCluster.query(database, "SELECT count(*) FROM identity.users"))
        .containsExactly("1");
  }

  @Test
  void worksForALoginThatIsNoRoleOfOurs() throws Exception {
    Database database = TestCluster.emptyDatabase();
    TestCluster.execute(database, "CREATE ROLE someone LOGIN SUPERUSER PASSWORD 'some&one'");
    Database someone = new Database(database.jdbcUrl(), "someone", "some&one");

    Migrations.of(someone).migrate();

    assertThat(
            TestCluster.query(
                someone.as(Role.SERVER),
                "SELECT current_user, current_setting('statement_timeout')"))
        .containsExactly("rapport_server|5s");
    assertThat(TestCluster.query(database.as(Role.SERVER), "SHOW lock_timeout"))
        .containsExactly("500ms");
  }
}
