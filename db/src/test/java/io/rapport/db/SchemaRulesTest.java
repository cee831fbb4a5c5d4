package io.rapport.db;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What holds for every table, also for one that is added later. */
class SchemaRulesTest {
  /** Tables that are no tenant's: their rows are seen across tenants. */
  private static final String GLOBAL_TABLES =
      "'identity.tenants', 'delivery.dora_market_benchmarks', 'delivery.dora_metric_insights'";

  /** Our tables but partitions, which follow their parents. */
  private static final String TABLES =
      """
      WITH t AS (
        SELECT n.nspname || '.' || c.relname AS name, c.oid, c.relkind, c.relowner, c.relacl, c.relrowsecurity,
               c.relforcerowsecurity
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspowner = 'rapport_migrator'::regrole AND n.nspname <> 'schema_history'
           AND c.relkind IN ('r', 'p') AND NOT c.relispartition)
      """;

  private static final String TENANT_TABLES =
      TABLES + ", tt AS (SELECT * FROM t WHERE name NOT IN (" + GLOBAL_TABLES + "))";

  private static Database database = new Database("", "", "");

  @BeforeAll
  static void migrate() throws SQLException {
    database = TestCluster.migratedDatabase();
    TestCluster.execute(database, "SELECT tracking.ensure_event_partitions(1)");
  }

  @Test
  void seesTables() throws SQLException {
    assertThat(query(TENANT_TABLES + "SELECT name FROM tt")).contains("tracking.event_ids");
  }

  @Test
  void everyTenantTableStartsWithItsTenant() throws SQLException {
    assertNone(
        TENANT_TABLES
            + """
            SELECT name FROM tt WHERE NOT EXISTS (
              SELECT FROM pg_attribute a
               WHERE a.attrelid = tt.oid AND a.attnum = 1 AND a.attname = 'tenant_id'
                 AND a.atttypid = 'uuid'::regtype AND a.attnotnull)
            """);
  }

  @Test
  void theTenantLeadsEveryKey() throws SQLException {
    assertNone(
        TENANT_TABLES
            + """
            SELECT name, k.conname FROM tt JOIN pg_constraint k ON k.conrelid = tt.oid
             WHERE k.contype IN ('p', 'u', 'f') AND k.conkey[1] <> 1
            """);
    assertNone(
        TENANT_TABLES
            + """
            SELECT name, x.indexrelid::regclass FROM tt JOIN pg_index x ON x.indrelid = tt.oid
             WHERE x.indisunique AND x.indkey[0] <> 1
            """);
    assertNone(
        TENANT_TABLES
            + "SELECT name FROM tt WHERE NOT EXISTS (SELECT FROM pg_constraint k"
            + " WHERE k.conrelid = tt.oid AND k.contype = 'p')");
  }

  @Test
  void everyTenantTableShowsRowsOfOneTenantOnly() throws SQLException {
    assertNone(
        TENANT_TABLES
            + """
            SELECT name FROM tt
             WHERE NOT relrowsecurity OR NOT relforcerowsecurity
                OR NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = tt.oid)
            """);
    assertNone(
        TENANT_TABLES
            + """
            SELECT name, p.polname FROM tt JOIN pg_policy p ON p.polrelid = tt.oid
             WHERE coalesce(pg_get_expr(p.polqual, p.polrelid),
                            pg_get_expr(p.polwithcheck, p.polrelid)) NOT LIKE '%tenant_id = %'
               AND p.polroles <> ARRAY['rapport_system'::regrole::oid]
            """);
  }

  @Test
  void columnsHaveOneTypeForOneThing() throws SQLException {
    assertNone(
        TABLES
            + """
            SELECT name, a.attname, format_type(a.atttypid, a.atttypmod)
              FROM t JOIN pg_attribute a ON a.attrelid = t.oid
              JOIN pg_type y ON y.oid = a.atttypid
             WHERE a.attnum > 0 AND NOT a.attisdropped
               AND (y.typtype = 'e' OR a.atttypid IN
                     ('varchar'::regtype, 'bpchar'::regtype, 'timestamp'::regtype,
                      'json'::regtype, 'money'::regtype, 'timetz'::regtype))
            """);
  }

  @Test
  void jsonIsOfAKnownShape() throws SQLException {
    assertNone(
        TABLES
            + """
            SELECT name, a.attname FROM t JOIN pg_attribute a ON a.attrelid = t.oid
             WHERE a.atttypid = 'jsonb'::regtype AND NOT a.attisdropped AND NOT EXISTS (
               SELECT FROM pg_constraint k
                WHERE k.conrelid = t.oid AND k.contype = 'c' AND a.attnum = ANY (k.conkey)
                  AND pg_get_constraintdef(k.oid) LIKE '%jsonb_typeof%')
            """);
  }

  @Test
  void constraintsAndIndexesAreNamedByTheirKind() throws SQLException {
    assertNone(
        TABLES
            + """
            SELECT name, k.conname FROM t JOIN pg_constraint k ON k.conrelid = t.oid
             WHERE k.contype IN ('p', 'f', 'u', 'c') AND k.conparentid = 0
               AND k.conname !~ ('^' || CASE k.contype
                 WHEN 'p' THEN 'pk' WHEN 'f' THEN 'fk' WHEN 'u' THEN 'uq' ELSE 'ck' END || '_')
            """);
    assertNone(
        TABLES
            + """
            SELECT name, c.relname FROM t JOIN pg_index x ON x.indrelid = t.oid
              JOIN pg_class c ON c.oid = x.indexrelid
             WHERE c.relname !~ '^(idx|ix)_'
               AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid
                                  AND k.contype IN ('p', 'u', 'x'))
            """);
  }

  @Test
  void everyForeignKeyIsTheBeginningOfAnIndex() throws SQLException {
    assertNone(
        TABLES
            + """
            SELECT name, k.conname FROM t JOIN pg_constraint k ON k.conrelid = t.oid
             WHERE k.contype = 'f' AND k.conparentid = 0 AND NOT EXISTS (
               SELECT FROM pg_index x
                WHERE x.indrelid = t.oid AND x.indpred IS NULL
                  AND (x.indkey::smallint[])[0:cardinality(k.conkey) - 1] @> k.conkey
                  AND (x.indkey::smallint[])[0:cardinality(k.conkey) - 1] <@ k.conkey)
            """);
  }

  @Test
  void theServersRolesOwnAndBypassNothing() throws SQLException {
    assertNone(
        """
        SELECT rolname FROM pg_roles
         WHERE rolname IN ('rapport_server', 'rapport_system')
           AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
        """);
    assertNone(
        """
        SELECT r.rolname, d.objid FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
         WHERE r.rolname IN ('rapport_server', 'rapport_system') AND d.deptype = 'o'
        """);
    assertNone(
        """
        SELECT m.roleid::regrole, m.member::regrole FROM pg_auth_members m
         WHERE m.member IN ('rapport_server'::regrole, 'rapport_system'::regrole)
        """);
    assertThat(query("SELECT rolbypassrls FROM pg_roles WHERE rolname = 'rapport_migrator'"))
        .containsExactly("t");
  }

  @Test
  void nobodyReachesPartitionsPastTheirParentsButToAddEvents() throws SQLException {
    assertThat(query("SELECT count(*) > 0 FROM pg_class WHERE relispartition"))
        .containsExactly("t");
    assertNone(
        """
        SELECT c.relname, a.grantee::regrole, a.privilege_type
          FROM pg_class c, aclexplode(c.relacl) a
         WHERE c.relispartition AND a.grantee <> c.relowner
           AND NOT (c.relname ~ '^behavioral_events_' AND a.privilege_type = 'INSERT'
             AND a.grantee = 'rapport_server'::regrole)
        """);
  }

  /** In a partition no policy holds, so a constraint must. */
  @Test
  void theServerAddsEventsToPartitionsOnlyForItsTenant() throws SQLException {
    String own = "00000000-0000-4000-8000-00000000000b";
    String other = "00000000-0000-4000-8000-00000000000c";
    Database server = database.as(Role.SERVER);
    Database bound = server.with("-c rapport.tenant=" + own);

    TestCluster.execute(bound, insertIntoPartition(own));
    assertThatThrownBy(() -> TestCluster.execute(bound, insertIntoPartition(other)))
        .hasMessageContaining("ck_behavioral_events_tenant");
    assertThatThrownBy(() -> TestCluster.execute(server, insertIntoPartition(own)))
        .hasMessageContaining("ck_behavioral_events_tenant");
  }

  private static String insertIntoPartition(String tenant) throws SQLException {
    String partition = query("SELECT tracking.event_partition(now())").getFirst();
    return """
    INSERT INTO tracking.%s (tenant_id, id, user_id, event_type, occurred_at, recorded_at)
    VALUES ('%s', gen_random_uuid(), gen_random_uuid(), 'test', now(), now())
    """
        .formatted(partition, tenant);
  }

  @Test
  void nothingIsGrantedToEverybody() throws SQLException {
    assertNone(
        TABLES
            + "SELECT name, a.privilege_type FROM t, aclexplode(t.relacl) a WHERE a.grantee = 0");
  }

  @Test
  void functionsWithTheirOwnersRightsFixTheirSearchPath() throws SQLException {
    assertNone(
        """
        SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE p.prosecdef AND n.nspowner = 'rapport_migrator'::regrole
           AND NOT EXISTS (SELECT FROM unnest(p.proconfig) c WHERE c LIKE 'search_path=%')
        """);
    assertNone(
        """
        SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE p.prosecdef AND n.nspowner = 'rapport_migrator'::regrole
           AND (p.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0))
        """);
  }

  @Test
  void everythingBelongsToTheMigrator() throws SQLException {
    assertNone(TABLES + "SELECT name FROM t WHERE relowner <> 'rapport_migrator'::regrole");
  }

  @Test
  void aTenantSeesItsOwnRowsAndNobodySeesAny() throws SQLException {
    String tenant = "00000000-0000-4000-8000-00000000000a";
    TestCluster.execute(
        database,
        "INSERT INTO identity.users (tenant_id, id) VALUES"
            + " ('%s', gen_random_uuid()), (gen_random_uuid(), gen_random_uuid())"
                .formatted(tenant));
    Database server = database.as(Role.SERVER);

    assertThat(TestCluster.query(server, "SELECT count(*) FROM identity.users"))
        .containsExactly("0");
    assertThat(
            TestCluster.query(
                server.with("-c rapport.tenant=" + tenant), "SELECT tenant_id FROM identity.users"))
        .containsExactly(tenant);
  }

  private static void assertNone(String sql) throws SQLException {
    assertThat(query(sql)).isEmpty();
  }

  private static List<String> query(String sql) throws SQLException {
    return TestCluster.query(database, sql);
  }
}
