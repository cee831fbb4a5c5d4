package io.rapport.db;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** Reference data, through the command. */
class ReferenceDataTest {
  private static final String ALL_ROWS =
      """
      SELECT to_jsonb(w) FROM delivery.workflows w UNION ALL
      SELECT to_jsonb(h) FROM delivery.issuetype_hierarchies h UNION ALL
      SELECT to_jsonb(m) FROM delivery.issuetype_mappings m UNION ALL
      SELECT to_jsonb(b) FROM delivery.dora_market_benchmarks b UNION ALL
      SELECT to_jsonb(i) FROM delivery.dora_metric_insights i UNION ALL
      SELECT to_jsonb(c) FROM platform.change_log c UNION ALL
      SELECT to_jsonb(d) - 'words' FROM search.documents d ORDER BY 1
      """;

  private Database database = new Database("", "", "");

  @BeforeEach
  void migrate() throws SQLException {
    database = TestCluster.migratedDatabase();
  }

  private String tenant(String name) throws SQLException {
    String id = UUID.randomUUID().toString();
    execute(
        "INSERT INTO identity.tenants (id, display_name, secret) VALUES ('%s', '%s', sha256('x'))"
            .formatted(id, name));
    return id;
  }

  private void execute(String sql) throws SQLException {
    TestCluster.execute(database, sql);
  }

  private List<String> query(String sql) throws SQLException {
    return TestCluster.query(database, sql);
  }

  private String seed(String... more) {
    StringWriter out = new StringWriter();
    CommandLine command =
        DbCommand.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(out));
    String url =
        database.jdbcUrl() + "&user=" + database.user() + "&password=" + database.password();
    List<String> arguments = new java.util.ArrayList<>(List.of("seed", "--url", url));
    arguments.addAll(List.of(more));
    command.execute(arguments.toArray(String[]::new));
    return out.toString();
  }

  @Test
  void givesEveryTenantItsRowsOnce() throws SQLException {
    tenant("a");
    tenant("b");

    assertThat(seed()).isEqualTo("rapport: added 20 shared rows, and 56 rows of 2 tenant(s)\n");
    List<String> rows = query(ALL_ROWS);
    assertThat(seed()).isEqualTo("rapport: added 0 shared rows, and 0 rows of 0 tenant(s)\n");

    assertThat(query(ALL_ROWS)).isEqualTo(rows);
    assertThat(
            query(
                "SELECT DISTINCT string_agg(step_name, ', ' ORDER BY step_number)"
                    + " FROM delivery.workflows GROUP BY tenant_id"))
        .containsExactly(
            "Backlog, Refinement, Ready to Work, To Do, In Progress, Ready for Story Testing, Story"
                + " Testing, Ready for Acceptance, Acceptance Testing, Ready for Prod, Done,"
                + " Discarded");
    assertThat(
            query(
                "SELECT issuetype_to FROM delivery.issuetype_mappings m"
                    + " JOIN delivery.issuetype_hierarchies h ON (h.tenant_id, h.id) ="
                    + " (m.tenant_id, m.issuetype_hierarchy_id) WHERE level_number = -1"
                    + " GROUP BY 1 ORDER BY 1"))
        .containsExactly("Defect", "Sub-task");
  }

  @Test
  void leavesWhatATenantHasMadeOfThem() throws SQLException {
    String tenant = tenant("a");
    seed();
    execute(
        """
        UPDATE delivery.workflows SET step_category = 'DONE', active = false
         WHERE step_name = 'Refinement';
        UPDATE delivery.issuetype_hierarchies SET level_name = 'Saga' WHERE level_number = 1;
        UPDATE delivery.dora_market_benchmarks SET metric_value = 'seldom'
         WHERE performance_tier = 'LOW' AND metric_name = 'Deployment Frequency';
        DELETE FROM delivery.dora_metric_insights WHERE metric_name = 'Change Failure Rate';
        """);
    List<String> kept = query("SELECT to_jsonb(w) FROM delivery.workflows w ORDER BY id");

    assertThat(seed("--tenant", tenant))
        .isEqualTo("rapport: added 1 shared rows, and 0 rows of 0 tenant(s)\n");

    assertThat(query("SELECT to_jsonb(w) FROM delivery.workflows w ORDER BY id")).isEqualTo(kept);
    assertThat(
            query("SELECT level_name FROM delivery.issuetype_hierarchies WHERE level_number = 1"))
        .containsExactly("Saga");
    assertThat(
            query(
                "SELECT count(*) FROM delivery.dora_market_benchmarks WHERE metric_value = 'seldom'"))
        .containsExactly("1");
  }

  @Test
  void logsWhatATenantIsGivenAsOneCommit() throws SQLException {
    String tenant = tenant("a");
    tenant("b");

    assertThat(seed("--tenant", tenant))
        .isEqualTo("rapport: added 20 shared rows, and 28 rows of 1 tenant(s)\n");

    assertThat(query("SELECT tenant_id, position FROM platform.tenant_heads")).hasSize(1);
    assertThat(
            query(
                "SELECT kind || ' ' || op || ' ' || position || ' ' || count(DISTINCT entity_id)"
                    + " FROM platform.change_log GROUP BY kind, op, position ORDER BY kind"))
        .containsExactly(
            "delivery.issuetype_hierarchy CREATED 1 6",
            "delivery.issuetype_mapping CREATED 1 10",
            "delivery.workflow CREATED 1 12");
    assertThat(query("SELECT DISTINCT tenant_id FROM delivery.workflows")).containsExactly(tenant);
  }

  @Test
  void changesNothingWhenItIsOnlyTried() throws SQLException {
    tenant("a");

    assertThat(seed("--dry-run")).contains("-- tenant.sql").contains("'Backlog'");

    assertThat(query("SELECT id FROM delivery.workflows")).isEmpty();
    assertThat(query("SELECT id FROM delivery.dora_market_benchmarks")).isEmpty();
  }

  @Test
  void knowsNoTenantThatIsNotThere() throws SQLException {
    String nobody = UUID.randomUUID().toString();

    assertThat(seed("--tenant", nobody)).isEqualTo("rapport: there is no tenant " + nobody + "\n");

    assertThat(query("SELECT id FROM delivery.dora_market_benchmarks")).isEmpty();
  }
}
