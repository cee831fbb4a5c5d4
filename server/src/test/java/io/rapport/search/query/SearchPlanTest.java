package io.rapport.search.query;

import static io.rapport.search.query.GivenVectors.MODEL;
import static io.rapport.search.query.GivenVectors.SETTINGS;
import static io.rapport.search.query.GivenVectors.axis;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.FieldMask;
import io.rapport.platform.resource.Sql;
import io.rapport.server.Rapport;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** How PostgreSQL does as the server's role what a search has decided. */
class SearchPlanTest {
  private static void active(Sql sql) {
    sql.add("t.active");
  }

  @RegisterExtension static final Rapport rapport = new Rapport();

  private final NearestStore store = new NearestStore();
  private final NearestStore.Direction direction =
      new NearestStore.Direction(MODEL, new Embedding(axis(0)));

  @Test
  void goesAlongTheGraphOfOneKind() throws SQLException {
    String plan = plan(store.graphSql(lookup(List.of()), direction, 100));

    assertThat(plan).contains("Index Scan using", "hnsw", "Order By: (embedding <=> ");
    assertThat(plan).doesNotContain("Append", "Seq Scan", "JIT");
  }

  @Test
  void asksForEachRowOfTheGraphWhetherItPasses() throws SQLException {
    String plan = plan(store.graphSql(lookup(List.of(SearchPlanTest::active)), direction, 100));

    assertThat(plan).contains("hnsw", "pk_system_settings").doesNotContain("Sort Key: ((e.embed");
    assertThat(plan).doesNotContain("Append", "Seq Scan", "JIT");
  }

  @Test
  void comparesFewWithoutTheGraph() throws SQLException {
    List<Consumer<Sql>> filtered = List.of(SearchPlanTest::active);
    for (List<Consumer<Sql>> conditions : List.of(List.<Consumer<Sql>>of(), filtered)) {
      String plan = plan(store.narrowSql(lookup(conditions), direction, 5000));

      assertThat(plan).doesNotContain("hnsw").contains("One-Time Filter");
      assertThat(plan).doesNotContain("Append");
    }
  }

  @Test
  void looksUpEachThatMayHaveNoVector() throws SQLException {
    for (List<Consumer<Sql>> conditions :
        List.of(List.<Consumer<Sql>>of(), List.<Consumer<Sql>>of(SearchPlanTest::active))) {
      String plan = plan(store.withoutVectorSql(lookup(conditions).source(), MODEL));

      assertThat(plan).contains("SubPlan", "_embeddings_pkey").doesNotContain("Join", "Nested");
    }
  }

  private static Lookup lookup(List<Consumer<Sql>> conditions) {
    Kind kind =
        new SearchKinds(
                new SearchFeature.Areas(
                    (dsl, tenant, users, wanted) -> {}, (dsl, tenant, ids) -> Map.of()))
            .get(SETTINGS, "kind");
    Source source =
        new Source(kind, rapport.tenant(), conditions, 0, FieldMask.getDefaultInstance());
    return new Lookup(source, 10, 10, 3, List.of(), null, null, false);
  }

  private static String plan(Sql sql) throws SQLException {
    int end = sql.text().indexOf(";") + 1;
    try (Connection db =
            DriverManager.getConnection(
                rapport.database().jdbcUrl(),
                rapport.database().user(),
                rapport.database().password());
        Statement statement = db.createStatement()) {
      db.setAutoCommit(false);
      statement.execute("SET ROLE rapport_server");
      statement.execute("SET LOCAL jit_above_cost = 0"); // what may be compiled is
      statement.execute("SELECT set_config('rapport.tenant', '" + rapport.tenant() + "', true)");
      if (end > 0) {
        statement.execute(sql.text().substring(0, end));
        return planForAll(statement, sql.text().substring(end));
      }
      try (PreparedStatement explained =
          db.prepareStatement("EXPLAIN " + sql.text().substring(end))) {
        sql.bind(explained, db);
        return read(explained.executeQuery());
      }
    }
  }

  /** The one plan for whatever values. */
  private static String planForAll(Statement statement, String sql) throws SQLException {
    Matcher places = Pattern.compile("\\?").matcher(sql);
    AtomicInteger count = new AtomicInteger();
    statement.execute(
        "PREPARE search AS " + places.replaceAll(_ -> "\\$" + count.incrementAndGet()));
    String nothing = String.join(", ", Collections.nCopies(count.get(), "NULL"));
    return read(statement.executeQuery("EXPLAIN EXECUTE search (" + nothing + ")"));
  }

  private static String read(ResultSet lines) throws SQLException {
    StringBuilder plan = new StringBuilder();
    try (lines) {
      while (lines.next()) {
        plan.append(lines.getString(1)).append('\n');
      }
    }
    return plan.toString();
  }
}
