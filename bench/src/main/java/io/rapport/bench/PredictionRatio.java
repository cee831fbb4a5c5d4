package io.rapport.bench;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import io.rapport.client.IngestSummary;
import io.rapport.client.PredictionWriter;
import io.rapport.client.RapportClient;
import io.rapport.db.Database;
import io.rapport.db.Role;
import io.rapport.monitoring.v1.LoggedPrediction;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;

/**
 * Predictions a second through the SDK's writer, against batches of inserts of the same rows into
 * the same table over JDBC, past row-level security. The peer keeps no figures and looks nothing
 * up.
 */
final class PredictionRatio implements Ratio {
  private static final String NAME = "prediction_log";
  private static final double TARGET = 0.75;
  private static final List<Integer> BATCHES = List.of(500, 2_000, 10_000);
  private static final String INSERT =
      """
      INSERT INTO monitoring.prediction_log (tenant_id, id, model_name, model_version,
        prediction_type, segment, prediction_value, input_features, feature_count,
        confidence_score, is_anomaly, severity, response_time_ms, predicted_at, recorded_at, digest)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?::jsonb, ?, ?, false, 'NORMAL', ?, ?, now(), ?)
      """;

  private final SplittableRandom random = new SplittableRandom(11);

  /** A connection, how it sends batches, and how many rows are one. */
  private record Peer(Site site, Connection connection, String sends, int batch) {
    Run run(List<LoggedPrediction> rows) throws Exception {
      empty(site);
      return Run.of(site, () -> insert(connection, batch, rows));
    }
  }

  @Override
  public List<Result> measure(Site site, Samples samples, Settings settings) throws Exception {
    int rows = settings.rows() / 2;
    try (RapportClient client = RapportClient.connect(site.target());
        Connection plain = site.connectAsMigrator();
        Connection joining = joining(site)) {
      warmUp(settings.warmUp(), () -> ours(site, client, rows(rows)));
      List<Peer> peers = new ArrayList<>();
      for (int batch : BATCHES) {
        peers.add(new Peer(site, plain, "one by one", batch));
        peers.add(new Peer(site, joining, "with many rows in a statement", batch));
      }
      Peer peer = best(peers, rows, settings.warmUp());
      Report.say(
          "  %,d rows; ours: 1 stream; peer: 1 connection, inserts sent %s, batches of %,d rows,"
              + " each a commit; tables emptied and a checkpoint before each run",
          rows, peer.sends(), peer.batch());
      Pairs.Runs runs =
          new Pairs(site, settings, NAME)
              .run(() -> ours(site, client, rows(rows)), () -> peer.run(rows(rows)));
      return List.of(Result.ratio(NAME, runs.ratios(), TARGET, runs.steal()));
    }
  }

  /** The driver makes one statement of several inserts of a batch. */
  private static Connection joining(Site site) throws SQLException {
    Database database = site.database().as(Role.MIGRATOR);
    return DriverManager.getConnection(
        database.jdbcUrl() + "&reWriteBatchedInserts=true", database.user(), database.password());
  }

  private Peer best(List<Peer> peers, int rows, Duration warmUp) throws Exception {
    Peer best = peers.getFirst();
    double bestRate = 0;
    for (Peer peer : peers) {
      warmUp(warmUp.dividedBy(peers.size()), () -> peer.run(rows(rows)));
      double rate = peer.run(rows(rows)).rate();
      Report.say(
          "  peer, inserts %s, batches of %,d rows: %,.0f/s", peer.sends(), peer.batch(), rate);
      if (rate > bestRate) {
        best = peer;
        bestRate = rate;
      }
    }
    return best;
  }

  private static void warmUp(Duration time, Pairs.Side side) throws Exception {
    long end = System.nanoTime() + time.toNanos();
    do {
      Report.say("  warming up: %,.0f/s", side.run().rate());
    } while (System.nanoTime() < end);
  }

  /** Of three models with two versions each, over the last hours. */
  private List<LoggedPrediction> rows(int count) {
    long now = Instant.now().getEpochSecond();
    List<LoggedPrediction> rows = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      double value = random.nextDouble();
      rows.add(
          LoggedPrediction.newBuilder()
              .setId(nextId().toString())
              .setModelName("model_" + random.nextInt(3))
              .setModelVersion(random.nextBoolean() ? "1.0.0" : "1.1.0")
              .setPredictionType("risk")
              .setSegment("segment_" + random.nextInt(4))
              .setPredictionValue(value)
              .setConfidenceScore(value)
              .setResponseTimeMs(random.nextInt(200))
              .setInputFeaturesJson(
                  ByteString.copyFromUtf8(
                      "{\"age_hours\":%d,\"changed_files\":%d,\"commit_count\":%d,\"has_assignee\":true}"
                          .formatted(random.nextInt(1000), random.nextInt(80), random.nextInt(40))))
              .setPredictedAt(Timestamp.newBuilder().setSeconds(now - random.nextInt(10_000)))
              .build());
    }
    return rows;
  }

  /** In the order of time, as the SDK makes ids: a UUIDv7. */
  private UUID nextId() {
    long millis = Instant.now().toEpochMilli();
    return new UUID(
        (millis << 16) | 0x7000 | random.nextInt(0x1000),
        (random.nextLong() & 0x3fff_ffff_ffff_ffffL) | 0x8000_0000_0000_0000L);
  }

  private static Run ours(Site site, RapportClient client, List<LoggedPrediction> rows)
      throws Exception {
    empty(site);
    Run run = Run.of(site, () -> log(client, rows));
    long stored = site.number("SELECT count(*) FROM monitoring.prediction_log");
    if (stored != rows.size()) {
      throw new IllegalStateException(
          "%d predictions are stored, not %d".formatted(stored, rows.size()));
    }
    return run;
  }

  private static long log(RapportClient client, List<LoggedPrediction> rows) {
    PredictionWriter writer = client.predictions().writer();
    try (writer) {
      rows.forEach(writer::log);
    }
    IngestSummary summary = writer.summary();
    if (summary.recorded() != rows.size()) {
      throw new IllegalStateException("not all predictions are in: " + summary);
    }
    return summary.recorded();
  }

  private static long insert(Connection connection, int batch, List<LoggedPrediction> rows)
      throws SQLException {
    connection.setAutoCommit(false);
    try (PreparedStatement statement = connection.prepareStatement(INSERT)) {
      int waiting = 0;
      for (LoggedPrediction row : rows) {
        add(statement, row);
        if (++waiting == batch) {
          statement.executeBatch();
          connection.commit();
          waiting = 0;
        }
      }
      statement.executeBatch();
      connection.commit();
    }
    return rows.size();
  }

  private static void add(PreparedStatement statement, LoggedPrediction row) throws SQLException {
    statement.setObject(1, Site.DEVELOPMENT_TENANT);
    statement.setObject(2, UUID.fromString(row.getId()));
    statement.setString(3, row.getModelName());
    statement.setString(4, row.getModelVersion());
    statement.setString(5, row.getPredictionType());
    statement.setString(6, row.getSegment());
    statement.setDouble(7, row.getPredictionValue());
    statement.setObject(8, row.getInputFeaturesJson().toStringUtf8(), Types.VARCHAR);
    statement.setInt(9, 4);
    statement.setDouble(10, row.getConfidenceScore());
    statement.setInt(11, row.getResponseTimeMs());
    statement.setObject(
        12,
        OffsetDateTime.ofInstant(
            Instant.ofEpochSecond(row.getPredictedAt().getSeconds()), ZoneOffset.UTC));
    statement.setBytes(13, new byte[32]);
    statement.addBatch();
  }

  private static void empty(Site site) throws SQLException {
    try (Statement statement = site.admin().createStatement()) {
      statement.execute(
          "TRUNCATE monitoring.prediction_log, monitoring.prediction_figures,"
              + " monitoring.monitored_models");
      statement.execute("CHECKPOINT");
    }
  }
}
