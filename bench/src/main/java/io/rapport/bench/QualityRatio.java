package io.rapport.bench;

import io.rapport.client.RapportClient;
import io.rapport.versioning.v1.AssessDatasetRequest;
import io.rapport.versioning.v1.DataQualityMetrics;
import io.rapport.versioning.v1.DatasetSource;
import io.rapport.versioning.v1.TrainingDataset;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;

/**
 * The quality of a million events through the RPC, against one statement of SQL, written by hand,
 * that finds the same figures. With {@code --rows}, of ten thirds as many events.
 */
final class QualityRatio implements Ratio {
  private static final double TARGET = 0.8;
  private static final Duration PATIENCE = Duration.ofMinutes(10);
  private static final String TYPE = "assessed";

  /** Of callers without a token. */
  private static final String TENANT = "00000000-0000-7000-8000-000000000001";

  private static final String FILL =
      """
      INSERT INTO tracking.behavioral_events
        (tenant_id, id, user_id, event_type, event_data, occurred_at, recorded_at)
      SELECT 'TENANT', gen_random_uuid(), 'TENANT', 'TYPE', jsonb_build_object(
          'amount', round((random() * 1000)::numeric, 2), 'items', (random() * 20)::integer,
          'category', 'c' || (random() * 40)::integer, 'weekend', random() < 0.3,
          'note', CASE WHEN random() < 0.9 THEN 'n' || (random() * 100000)::integer END),
        now() - n * interval '1 second', now()
        FROM generate_series(1, ROWS) n
      """
          .replace("TENANT", TENANT)
          .replace("TYPE", TYPE);

  private static final String BY_HAND =
      """
      WITH s AS MATERIALIZED (
        SELECT event_data AS d FROM tracking.behavioral_events
         WHERE tenant_id = 'TENANT' AND event_type = 'TYPE'
      ), c AS MATERIALIZED (
        SELECT key, jsonb_typeof(value) AS t,
          CASE WHEN jsonb_typeof(value) = 'number' THEN value::double precision END AS x,
          CASE WHEN jsonb_typeof(value) IN ('string', 'boolean') THEN value #>> '{}' END AS v
          FROM s, jsonb_each(d)
      ), f AS MATERIALIZED (
        SELECT key, count(*) FILTER (WHERE t <> 'null' AND v IS DISTINCT FROM '') AS populated,
          count(*) FILTER (WHERE t = 'number') AS numbers,
          count(*) FILTER (WHERE t = 'string' AND v <> '') AS strings,
          count(*) FILTER (WHERE t = 'boolean') AS booleans,
          count(*) FILTER (WHERE t = 'object') AS objects,
          count(*) FILTER (WHERE t = 'array') AS arrays,
          count(*) FILTER (WHERE CASE t WHEN 'number' THEN abs(x) <= 1e9
            WHEN 'string' THEN char_length(v) BETWEEN 1 AND 9999 ELSE t <> 'null' END) AS valid,
          avg(x) AS mean, stddev_pop(x) AS deviation, min(x), max(x)
          FROM c GROUP BY key
      ), h AS (
        SELECT c.key, width_bucket(c.x, b.edges) AS bin, count(*) AS n,
          count(*) FILTER (WHERE abs(c.x - f.mean) > 3 * f.deviation) AS anomalies
          FROM c JOIN f USING (key) JOIN versioning.feature_bins b ON b.feature = c.key
         WHERE c.x IS NOT NULL GROUP BY 1, 2
      ), v AS (
        SELECT key, v, count(*) AS n,
          row_number() OVER (PARTITION BY key ORDER BY count(*) DESC, v COLLATE "C") AS place
          FROM c WHERE v <> '' GROUP BY key, v
      )
      SELECT (SELECT count(*) FROM s), (SELECT count(*) FROM (
          SELECT FROM s GROUP BY jsonb_hash_extended(d, 0), jsonb_hash_extended(d, 1)) g),
        (SELECT jsonb_agg(to_jsonb(f)) FROM f), (SELECT jsonb_agg(to_jsonb(h)) FROM h),
        (SELECT jsonb_agg(to_jsonb(v)) FROM v WHERE place <= 20),
        (SELECT jsonb_agg(to_jsonb(r)) FROM (SELECT key, count(*), sum(n) FROM v GROUP BY key) r)
      """
          .replace("TENANT", TENANT)
          .replace("TYPE", TYPE);

  @Override
  public List<Result> measure(Site site, Samples samples, Settings settings) throws Exception {
    int rows = (int) (settings.rows() * 10L / 3);
    String name = "quality_assessment";
    Report.say("  %s: %,d events; peer: one statement", name, rows);
    execute(site, FILL.replace("ROWS", String.valueOf(rows)));
    execute(site, "VACUUM ANALYZE tracking.behavioral_events");
    try (RapportClient client = RapportClient.connect(site.target())) {
      String dataset = makeDataset(client);
      assess(client, dataset, rows);
      byHand(site, rows);
      Pairs.Runs runs =
          new Pairs(site, settings, name)
              .run(
                  () -> Run.of(site, () -> assess(client, dataset, rows)),
                  () -> Run.of(site, () -> byHand(site, rows)));
      Report.say("  server's peak memory: %s", peak(site));
      return List.of(Result.ratio(name, runs.ratios(), TARGET, runs.steal()));
    }
  }

  private static String makeDataset(RapportClient client) {
    return client
        .datasets()
        .create(
            TrainingDataset.newBuilder()
                .setDatasetType("assessed")
                .setThreshold(1_000_000_000)
                .setSampleSize(0)
                .addSources(DatasetSource.newBuilder().setEventType(TYPE))
                .build())
        .getId();
  }

  private static long assess(RapportClient client, String dataset, int rows) {
    DataQualityMetrics found =
        client
            .datasets()
            .assess(
                AssessDatasetRequest.newBuilder().setTrainingDatasetId(dataset).build(), PATIENCE);
    return required(found.getRecordCount(), rows);
  }

  private static long byHand(Site site, int rows) throws SQLException {
    try (Statement statement = site.admin().createStatement();
        ResultSet found = statement.executeQuery(BY_HAND)) {
      found.next();
      return required(found.getLong(1), rows);
    }
  }

  private static long required(long found, int rows) {
    if (found != rows) {
      throw new IllegalStateException(found + " events were assessed, not " + rows);
    }
    return found;
  }

  private static void execute(Site site, String sql) throws SQLException {
    try (Statement statement = site.admin().createStatement()) {
      statement.execute(sql);
    }
  }

  private static String peak(Site site) throws IOException {
    return Files.readAllLines(Path.of("/proc/" + site.server().pid() + "/status")).stream()
        .filter(line -> line.startsWith("VmHWM:"))
        .findFirst()
        .map(line -> line.substring("VmHWM:".length()).strip())
        .orElse("unknown");
  }
}
