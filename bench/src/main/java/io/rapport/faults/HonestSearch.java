package io.rapport.faults;

import com.google.common.primitives.Floats;
import io.grpc.ManagedChannel;
import io.rapport.bench.Report;
import io.rapport.identity.v1.SystemSetting;
import io.rapport.identity.v1.SystemSettingFilter;
import io.rapport.search.v1.EntityFilter;
import io.rapport.search.v1.SearchHit;
import io.rapport.search.v1.SearchRequest;
import io.rapport.search.v1.SearchResponse;
import io.rapport.search.v1.SearchServiceGrpc;
import io.rapport.search.v1.SearchSource;
import io.rapport.search.v1.VectorQuery;
import io.rapport.vectors.SentenceVectors;
import io.rapport.vectors.StoredVectors;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

/**
 * P34: if there are ten neighbours that pass a filter, ten come back, and nearly all of them are
 * the nearest: with filters that let 0.1, 1, 10 and 100 % pass, while a writer deletes, puts back
 * and changes vectors and VACUUM runs. Control: PostgreSQL asked as applications often ask it, by
 * the index without iterative scan.
 */
final class HonestSearch implements Promise {
  private static final String ID = "P34";
  private static final int ROWS = 100_000;
  private static final int QUICK_ROWS = 20_000;
  private static final int NEIGHBOURS = 10;

  /** A writer may move the farthest neighbour a little. */
  private static final double NEAR = 1e-4;

  /** The rows that a filter lets pass; none: all. */
  private record Width(String name, List<SystemSetting.Type> types, double enough) {
    private static List<Width> all() {
      return List.of(
          new Width("0.1", List.of(SystemSetting.Type.JSON), 0.99),
          new Width("1", List.of(SystemSetting.Type.DECIMAL), 0.99),
          new Width("10", List.of(SystemSetting.Type.BOOLEAN), 0.95),
          new Width("100", List.of(), 0.95));
    }

    private boolean passes(int row) {
      return types.isEmpty() || types.contains(SystemSetting.Type.valueOf(StoredVectors.type(row)));
    }

    private SearchSource source() {
      SearchSource.Builder source = SearchSource.newBuilder().setKind(StoredVectors.KIND);
      if (!types.isEmpty()) {
        source.setFilter(
            EntityFilter.newBuilder()
                .setSystemSetting(SystemSettingFilter.newBuilder().addAllSettingType(types)));
      }
      return source.build();
    }
  }

  /** What came of the searches of one width. */
  private static final class Tally {
    private final List<Double> millis = new ArrayList<>();
    private int asked;
    private int shortAnswers;
    private double recall;

    private void add(double[] nearest, List<Double> distances, double took) {
      int expected = Math.min(NEIGHBOURS, nearest.length);
      double farthest = nearest[expected - 1] + NEAR;
      long found = distances.stream().filter(it -> it <= farthest).count();
      asked++;
      millis.add(took);
      shortAnswers += distances.size() < expected ? 1 : 0;
      recall += Math.min(found, expected) / (double) expected;
    }

    private double meanRecall() {
      return Math.round(10_000 * recall / Math.max(1, asked)) / 10_000.0;
    }

    private double p95() {
      Collections.sort(millis);
      return Math.round(10 * millis.get((int) (0.95 * millis.size()))) / 10.0;
    }
  }

  /** Finds distances for a question among the rows of a width. */
  private interface Search {
    List<Double> of(int question, Width width) throws Exception;
  }

  /**
   * Writes as long as it is open. Only every seventh row that a filter lets pass is touched, and it
   * is back with what it was before the next is; so what is nearest changes by one row at most.
   */
  private static final class Churn implements AutoCloseable {
    private final AtomicBoolean stop = new AtomicBoolean();
    private final LongAdder writes = new LongAdder();
    private final LongAdder vacuums = new LongAdder();
    private final List<Thread> threads;

    private Churn(Victim victim, int rows) {
      this.threads =
          List.of(
              Thread.ofVirtual().start(() -> write(victim, rows)),
              Thread.ofVirtual().start(() -> vacuum(victim)));
    }

    private void write(Victim victim, int rows) {
      try (Connection admin = victim.connect();
          Statement statement = admin.createStatement()) {
        statement.execute(
            "CREATE TEMPORARY TABLE away AS SELECT * FROM search.embeddings WITH NO DATA");
        for (int row = 0; !stop.get(); row = (row + 7) % rows) {
          String id = StoredVectors.id(row).toString();
          statement.execute(
              "WITH gone AS ("
                  + "DELETE FROM search.embeddings WHERE kind = 'identity.system_setting' AND id = '"
                  + id
                  + "' RETURNING *"
                  + ") INSERT INTO away SELECT * FROM gone");
          statement.execute("INSERT INTO search.embeddings SELECT * FROM away");
          statement.execute("TRUNCATE away");
          statement.execute(
              "UPDATE search.embeddings SET embedded_at = now()"
                  + " WHERE kind = 'identity.system_setting' AND id = '"
                  + id
                  + "'");
          writes.add(3);
        }
      } catch (SQLException failure) {
        Report.say("  the writer failed: %s", failure);
      }
    }

    private void vacuum(Victim victim) {
      try (Connection admin = victim.connect();
          Statement statement = admin.createStatement()) {
        while (!stop.get()) {
          statement.execute("VACUUM " + StoredVectors.TABLE);
          vacuums.increment();
          Threads.sleep(1_000);
        }
      } catch (SQLException failure) {
        Report.say("  VACUUM failed: %s", failure);
      }
    }

    @Override
    public void close() {
      stop.set(true);
      try {
        for (Thread thread : threads) {
          thread.join();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      Report.say("  beside it: %,d writes, %,d times VACUUM", writes.sum(), vacuums.sum());
    }
  }

  @Override
  public List<Verdict> test(Run run) throws Exception {
    SentenceVectors vectors = SentenceVectors.load(run.pick(QUICK_ROWS, ROWS));
    List<Verdict> verdicts = new ArrayList<>();
    try (Victim victim = Victim.serving();
        Connection admin = victim.connect()) {
      UUID tenant = victim.newTenant();
      new StoredVectors(admin, vectors).put(row -> tenant);
      ManagedChannel channel = Victim.channel(victim.port());
      Calls calls = new Calls(channel, victim.token(tenant), 20_000);
      for (Width width : Width.all()) {
        try (Churn _ = new Churn(victim, vectors.rows())) {
          Tally tally =
              ask(run, vectors, width, (question, of) -> search(calls, vectors, question, of));
          verdicts.add(verdict(width, tally));
        }
      }
      channel.shutdownNow();
      verdicts.add(control(run, vectors, admin));
    }
    return verdicts;
  }

  private static Verdict verdict(Width width, Tally tally) {
    return figures(width, tally)
        .met(tally.shortAnswers == 0 && tally.meanRecall() >= width.enough());
  }

  private static Verdict.Figures figures(Width width, Tally tally) {
    return Verdict.of(ID)
        .with("passes_percent", width.name())
        .with("searches", tally.asked)
        .with("short_answers", tally.shortAnswers)
        .with("recall10", tally.meanRecall())
        .with("p95_ms", tally.p95());
  }

  private static Tally ask(Run run, SentenceVectors vectors, Width width, Search search)
      throws Exception {
    Tally tally = new Tally();
    for (int question = 0; question < run.pick(60, 300); question++) {
      double[] nearest = vectors.nearest(question, NEIGHBOURS, width::passes);
      long start = System.nanoTime();
      List<Double> found = search.of(question, width);
      tally.add(nearest, found, (System.nanoTime() - start) / 1e6);
    }
    return tally;
  }

  private static List<Double> search(
      Calls calls, SentenceVectors vectors, int question, Width width) {
    SearchRequest request =
        SearchRequest.newBuilder()
            .setVector(
                VectorQuery.newBuilder()
                    .setModel(SentenceVectors.MODEL)
                    .addAllValues(Floats.asList(vectors.question(question))))
            .addSources(width.source())
            .setLimit(NEIGHBOURS)
            .build();
    Calls.End<SearchResponse> end = calls.call(SearchServiceGrpc.getSearchMethod(), request);
    SearchResponse answer = end.answer();
    if (answer == null) {
      throw new IllegalStateException("a search failed: " + end);
    }
    return answer.getHitsList().stream().map(SearchHit::getScore).map(score -> 1 - score).toList();
  }

  /** The same filter by an index that was never told to go on. */
  private static Verdict control(Run run, SentenceVectors vectors, Connection admin)
      throws Exception {
    Width width = Width.all().get(1);
    admin.setAutoCommit(false);
    try (Statement statement = admin.createStatement()) {
      statement.execute(
          "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off;"
              + " SET LOCAL hnsw.iterative_scan = off");
      Tally tally =
          ask(run, vectors, width, (question, of) -> byIndex(statement, vectors, question, of));
      return figures(width, tally).with("iterative_scan", "off").failed(tally.shortAnswers > 0);
    } finally {
      admin.rollback();
      admin.setAutoCommit(true);
    }
  }

  private static List<Double> byIndex(
      Statement statement, SentenceVectors vectors, int question, Width width) throws SQLException {
    String vector = java.util.Arrays.toString(vectors.question(question));
    List<Double> found = new ArrayList<>();
    try (var rows =
        statement.executeQuery(
            """
            SELECT e.embedding <=> '%s'::halfvec(1536) AS distance FROM search.embeddings e
             WHERE e.kind = 'identity.system_setting' AND EXISTS (
               SELECT FROM identity.system_settings s WHERE s.tenant_id = e.tenant_id
                  AND s.id = e.id AND s.setting_type = '%s' OFFSET 0)
             ORDER BY distance LIMIT %d
            """
                .formatted(vector, width.types().getFirst(), NEIGHBOURS))) {
      while (rows.next()) {
        found.add(rows.getDouble(1));
      }
    }
    return found;
  }
}
