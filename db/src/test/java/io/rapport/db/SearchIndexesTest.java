package io.rapport.db;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SearchIndexesTest {
  private static final String KIND = "identity.system_setting";
  private static final String INDEX = "search.idx_system_settings_embedding_hnsw";
  private static final int MEMORY = 1024;

  private final List<String> said = new ArrayList<>();
  private Database database = new Database("", "", "");

  @BeforeEach
  void migrate() throws SQLException {
    database = TestCluster.migratedDatabase();
  }

  @Test
  void buildsAnewWhatServes() throws SQLException {
    String before = file();

    assertThat(reindex(KIND, false)).isEqualTo(1);
    assertThat(file()).isNotEqualTo(before);
    assertThat(one("SELECT indisvalid FROM pg_index WHERE indexrelid = '" + INDEX + "'::regclass"))
        .isEqualTo("t");
  }

  @Test
  void buildsThoseOfAllKinds() throws SQLException {
    String kinds = one("SELECT count(*) FROM search.indexes()");

    assertThat(reindex("", false)).isEqualTo(Integer.parseInt(kinds)).isGreaterThan(1);
  }

  @Test
  void removesWhatABuildLeftBehind() throws SQLException {
    TestCluster.execute(
        database,
        "CREATE INDEX left_ccnew ON search.identity_system_settings_embeddings"
            + " USING hnsw (embedding public.halfvec_cosine_ops)");
    TestCluster.execute(
        database,
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'search.left_ccnew'::regclass");

    assertThat(reindex(KIND, false)).isEqualTo(1);
    assertThat(one("SELECT to_regclass('search.left_ccnew')")).isEqualTo("null");
    assertThat(one("SELECT to_regclass('" + INDEX + "')")).isEqualTo(INDEX);
  }

  @Test
  void onlyTellsWhatItWouldDo() throws SQLException {
    String before = file();

    reindex(KIND, true);

    assertThat(said)
        .contains("REINDEX INDEX CONCURRENTLY search.\"idx_system_settings_embedding_hnsw\";");
    assertThat(file()).isEqualTo(before);
  }

  @Test
  void saysThatMemoryIsShort() throws SQLException {
    TestCluster.execute(
        database,
        "UPDATE pg_class SET reltuples = 1000000"
            + " WHERE oid = 'search.identity_system_settings_embeddings'::regclass");

    reindex(KIND, true);

    assertThat(said.getFirst())
        .contains("needs about 3,819 MB and may take 1,024")
        .contains("--memory allows more");
    assertThat(said).contains("SET maintenance_work_mem = '1024MB';");
  }

  @Test
  void goesOneAtATime() throws SQLException {
    try (Connection other = database.as(Role.MIGRATOR).connect();
        Statement statement = other.createStatement()) {
      statement.execute("SELECT pg_advisory_lock(hashtextextended('search.reindex', 0))");

      assertThatThrownBy(() -> reindex(KIND, false))
          .isInstanceOf(MigrationException.class)
          .hasMessageContaining("another reindex is running");
    }
  }

  @Test
  void knowsTheKinds() {
    assertThatThrownBy(() -> reindex("nothing.such", false))
        .isInstanceOf(MigrationException.class)
        .hasMessage("no index of vectors is of nothing.such");
  }

  @ParameterizedTest
  @CsvSource({
    "0.8.0, false",
    "0.8.3, false",
    "0.8.4, true",
    "0.8, false",
    "0.9.0, true",
    "1.0, true",
    "x, false"
  })
  void buildsByOneWorkerWhereSeveralAreNotSafe(String version, boolean safe) {
    assertThat(SearchIndexes.isParallelSafe(version)).isEqualTo(safe);
  }

  private int reindex(String kind, boolean dryRun) {
    return new SearchIndexes(database, said::add).reindex(kind, MEMORY, dryRun);
  }

  private String file() throws SQLException {
    return one("SELECT pg_relation_filenode('" + INDEX + "')");
  }

  private String one(String sql) throws SQLException {
    try (Connection connection = database.connect();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      rows.next();
      return String.valueOf(rows.getString(1));
    }
  }
}
