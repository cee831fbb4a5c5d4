package io.rapport.monitoring.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.rapport.db.Role;
import io.rapport.server.Rapport;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** How PostgreSQL finds entries alike, as the server's role and under row-level security. */
class SimilarPlanTest {
  private static final int OWN = 10_000;
  private static final int OF_OTHERS = 40_000;

  @RegisterExtension static final Rapport rapport = new Rapport();

  private static void fill(String tenant, int entries) {
    rapport
        .sql()
        .execute(
            """
            INSERT INTO monitoring.ai_learning_memory (tenant_id, id, error_type, user_intent,
              failed_query, specific_issue, suggested_fix, confidence)
            SELECT TENANT, gen_random_uuid(), 'type' || i % 6,
              'show the ' || md5((i % 500)::text) || ' of project ' || i % 50,
              'SELECT ' || md5((i % 700)::text) || ' FROM issues', 'there is no column ' || i % 90,
              'x', (i % 100) / 100.0
              FROM generate_series(1, COUNT) AS i
            """
                .replace("TENANT", tenant)
                .replace("COUNT", String.valueOf(entries)));
  }

  @Test
  void looksAtTheTenantsOwnEntriesOnly() throws SQLException {
    fill("'" + rapport.tenant() + "'::uuid", OWN);
    fill("md5((i % 20)::text)::uuid", OF_OTHERS);
    rapport.sql().execute("ANALYZE monitoring.ai_learning_memory");

    String plan = plan();

    assertThat(plan)
        .contains("ix_ai_learning_memory_")
        .doesNotContain("Seq Scan on ai_learning_memory")
        .doesNotContain("never executed");
    assertThat(plan.lines().filter(it -> it.contains("Execution Time")))
        .singleElement()
        .satisfies(
            it -> assertThat(Double.parseDouble(it.replaceAll("[^0-9.]", ""))).isLessThan(2000));
  }

  private static String plan() throws SQLException {
    var server = rapport.database().as(Role.SERVER);
    String query =
        MemoryStore.SIMILAR
            .replace("{0}", "'" + rapport.tenant() + "'")
            .replace("{1}", "'show issues of project 7'")
            .replace("{2}", "''")
            .replace("{3}", "0.7")
            .replace("{4}", "5");
    StringBuilder plan = new StringBuilder();
    try (Connection connection =
            DriverManager.getConnection(server.jdbcUrl(), server.user(), server.password());
        Statement statement = connection.createStatement()) {
      statement.execute("SET rapport.tenant = '" + rapport.tenant() + "'");
      try (ResultSet rows = statement.executeQuery("EXPLAIN (ANALYZE) " + query)) {
        while (rows.next()) {
          plan.append(rows.getString(1)).append('\n');
        }
      }
    }
    return plan.toString();
  }
}
