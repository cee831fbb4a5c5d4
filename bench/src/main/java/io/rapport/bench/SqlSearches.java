package io.rapport.bench;

import io.rapport.vectors.SentenceVectors;
import io.rapport.vectors.StoredVectors;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;

/**
 * The searches by SQL as the server's role, over connections of their own, each search in one round
 * trip and one transaction.
 */
final class SqlSearches implements AutoCloseable {
  /** Of pgvector's own settings. */
  static final int USUAL_EFFORT = 40;

  private static final String BEGIN =
      """
      BEGIN;
      SELECT length(set_config('rapport.tenant', ?, true))
        + length(set_config('hnsw.ef_search', '%d', true))
        + length(set_config('hnsw.iterative_scan', '%s', true))
        + length(set_config('enable_seqscan', '%s', true));
      """;

  private static final String NEAREST =
      """
      SELECT e.id, e.embedding <=> (SELECT ?::text::halfvec(1536)) AS distance
        FROM search.embeddings e
       WHERE e.tenant_id = ?::uuid AND e.kind = 'identity.system_setting'
         AND e.model = 'all-minilm-l6-v2-q' %s
       ORDER BY distance LIMIT 10;
      COMMIT
      """;

  /** It can't be turned into a join, by which PostgreSQL would not go through the graph. */
  private static final String OF_TYPE =
      """
      AND EXISTS (SELECT FROM identity.system_settings s
        WHERE s.tenant_id = e.tenant_id AND s.id = e.id AND s.setting_type = '%s' OFFSET 0)
      """;

  private static final String EXACT =
      """
      SELECT e.id, (e.embedding <=> (SELECT ?::text::halfvec(1536))) + 0 AS distance
        FROM identity.system_settings s
        JOIN search.embeddings e ON e.tenant_id = s.tenant_id AND e.id = s.id
       WHERE e.tenant_id = ?::uuid AND e.kind = 'identity.system_setting'
         AND e.model = 'all-minilm-l6-v2-q' AND s.setting_type = '%s'
       ORDER BY distance LIMIT 10;
      COMMIT
      """;

  private final String sql;
  private final Supplier<UUID> tenants;
  private final List<String> questions = new ArrayList<>();
  private final List<Connection> connections = new ArrayList<>();
  private final BlockingQueue<PreparedStatement> free;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  private SqlSearches(
      Site site, Supplier<UUID> tenants, SentenceVectors vectors, String sql, int connections)
      throws SQLException {
    this.sql = sql;
    this.tenants = tenants;
    for (int i = 0; i < SentenceVectors.QUESTIONS; i++) {
      questions.add(Arrays.toString(vectors.question(i)));
    }
    this.free = new ArrayBlockingQueue<>(connections);
    for (int i = 0; i < connections; i++) {
      Connection connection = site.connectAsServer();
      this.connections.add(connection);
      free.add(connection.prepareStatement(sql));
    }
  }

  /** By the index. */
  static SqlSearches byIndex(
      Site site, UUID tenant, VectorSearches searches, int effort, String scan, int connections)
      throws SQLException {
    String type = searches.type().isEmpty() ? "" : OF_TYPE.replace("%s", searches.type());
    return new SqlSearches(
        site,
        () -> tenant,
        searches.vectors(),
        BEGIN.formatted(effort, scan, "off") + NEAREST.replace("%s", type),
        connections);
  }

  /** One by one, from the type's index. */
  static SqlSearches exact(Site site, UUID tenant, VectorSearches searches, int connections)
      throws SQLException {
    return new SqlSearches(
        site,
        () -> tenant,
        searches.vectors(),
        BEGIN.formatted(USUAL_EFFORT, "off", "on") + EXACT.replace("%s", searches.type()),
        connections);
  }

  /** As PostgreSQL thinks best, for one tenant or another. */
  static SqlSearches planned(
      Site site, Supplier<UUID> tenants, SentenceVectors vectors, int connections)
      throws SQLException {
    return new SqlSearches(
        site,
        tenants,
        vectors,
        BEGIN.formatted(USUAL_EFFORT, "relaxed_order", "on") + NEAREST.replace("%s", ""),
        connections);
  }

  Supplier<CallLoad.Call> calls() {
    return () -> {
      int question = ThreadLocalRandom.current().nextInt(questions.size());
      return end -> threads.execute(() -> call(question, end));
    };
  }

  private void call(int question, CallLoad.End end) {
    try {
      find(question);
    } catch (SQLException | InterruptedException failure) {
      end.failed(failure);
      return;
    }
    end.answered();
  }

  List<Double> find(int question) throws SQLException, InterruptedException {
    return find(tenants.get(), question);
  }

  /** The distances of a question's neighbours. */
  List<Double> find(UUID tenant, int question) throws SQLException, InterruptedException {
    PreparedStatement statement = free.take();
    try {
      statement.setString(1, tenant.toString());
      statement.setString(2, questions.get(question));
      statement.setString(3, tenant.toString());
      boolean rows = statement.execute();
      List<Double> distances = new ArrayList<>();
      for (int result = 0; result < 4; result++) {
        if (rows) {
          distances = distances(statement.getResultSet());
        }
        boolean isSearch = result == 2;
        if (isSearch) {
          break;
        }
        rows = statement.getMoreResults();
      }
      return distances;
    } finally {
      free.add(statement);
    }
  }

  private static List<Double> distances(ResultSet rows) throws SQLException {
    List<Double> distances = new ArrayList<>();
    boolean two = rows.getMetaData().getColumnCount() == 2;
    while (rows.next()) {
      distances.add(two ? rows.getDouble(2) : 0.0);
    }
    return distances;
  }

  @Override
  public void close() throws SQLException {
    threads.close();
    for (Connection connection : connections) {
      connection.close();
    }
  }

  @Override
  public String toString() {
    return sql + " over " + StoredVectors.TABLE;
  }
}
