package io.rapport.versioning.model;

import io.rapport.platform.Ids;
import io.rapport.platform.Times;
import io.rapport.platform.resource.StructJson;
import io.rapport.versioning.v1.ModelPerformance;
import java.math.BigDecimal;
import java.math.MathContext;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;

/** How models did, in PostgreSQL. */
final class PerformanceStore {
  /** What records are called in the change log. */
  static final String KIND = "versioning.model_performance";

  /**
   * What is asked of a series.
   *
   * @param unit hour, day or week
   * @param versions none: all
   * @param segments none: each; an empty one is that of all users
   */
  record Question(
      String modelName,
      String metric,
      List<String> versions,
      List<String> segments,
      Instant from,
      Instant to,
      String unit) {}

  /** A metric in one window, of one version and segment; empty texts: of none in particular. */
  record Bucket(
      String version,
      String segment,
      Instant startedAt,
      double mean,
      double min,
      double max,
      long samples,
      long records) {}

  private static final BigDecimal MAX_COUNT = BigDecimal.valueOf(Long.MAX_VALUE);

  private static final String INSERT =
      """
      INSERT INTO versioning.model_performance (tenant_id, id, model_name, version, metric_name,
        accuracy_metric, sample_count, feature_importance, segment, window_start_at,
        window_end_at)
      SELECT {0}, r.id, r.model_name, NULLIF(r.version, ''),
        COALESCE(NULLIF(r.metric_name, ''), 'accuracy'), r.value, r.samples,
        NULLIF(r.features, '')::jsonb, NULLIF(r.segment, ''),
        COALESCE(r.window_start, r.window_end, now()), COALESCE(r.window_end, now())
        FROM unnest({1}::uuid[], {2}::text[], {3}::text[], {4}::text[], {5}::float8[],
          {6}::bigint[], {7}::text[], {8}::text[], {9}::timestamptz[], {10}::timestamptz[])
          AS r (id, model_name, version, metric_name, value, samples, features, segment,
            window_start, window_end)
      """;

  /**
   * A record is of the window with its last instant: its end is the first instant after it. Sums
   * are of decimals, which no value and no count is too large for.
   */
  private static final String SERIES =
      """
      SELECT COALESCE(r.version, ''), COALESCE(r.segment, ''), date_trunc({5}, l.at, 'UTC'),
        sum(r.accuracy_metric::text::numeric * r.sample_count),
        sum(r.accuracy_metric::text::numeric),
        min(r.accuracy_metric), max(r.accuracy_metric), sum(r.sample_count), count(*)
        FROM versioning.model_performance r
       CROSS JOIN LATERAL (SELECT GREATEST(
          r.window_start_at, r.window_end_at - interval '1 microsecond') AS at) l
       WHERE r.tenant_id = {0} AND r.model_name = {1} AND r.metric_name = {2}
         AND r.window_end_at >= {3} AND r.window_end_at <= {4} AND l.at >= {3} AND l.at < {4}
         AND (cardinality({6}::text[]) = 0 OR COALESCE(r.version, '') = ANY ({6}))
         AND (cardinality({7}::text[]) = 0 OR COALESCE(r.segment, '') = ANY ({7}))
       GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT {8}
      """;

  /** Returns the new ids, in the order of the records. */
  List<UUID> insert(DSLContext tx, UUID tenant, List<ModelPerformance> records) {
    List<UUID> ids = records.stream().map(it -> Ids.next()).toList();
    tx.execute(
        INSERT,
        DSL.val(tenant),
        DSL.val(ids.toArray(UUID[]::new)),
        DSL.val(records.stream().map(ModelPerformance::getModelName).toArray(String[]::new)),
        DSL.val(records.stream().map(ModelPerformance::getVersion).toArray(String[]::new)),
        DSL.val(records.stream().map(ModelPerformance::getMetricName).toArray(String[]::new)),
        DSL.val(records.stream().map(ModelPerformance::getAccuracyMetric).toArray(Double[]::new)),
        DSL.val(records.stream().map(ModelPerformance::getSampleCount).toArray(Long[]::new)),
        DSL.val(features(records)),
        DSL.val(records.stream().map(ModelPerformance::getSegment).toArray(String[]::new)),
        DSL.val(
            records.stream()
                .map(it -> it.hasWindowStartAt() ? Times.instant(it.getWindowStartAt()) : null)
                .toArray(Instant[]::new)),
        DSL.val(
            records.stream()
                .map(it -> it.hasWindowEndAt() ? Times.instant(it.getWindowEndAt()) : null)
                .toArray(Instant[]::new)));
    return ids;
  }

  private static String[] features(List<ModelPerformance> records) {
    String[] features = new String[records.size()];
    for (int i = 0; i < features.length; i++) {
      ModelPerformance it = records.get(i);
      features[i] =
          it.hasFeatureImportance()
              ? StructJson.write(it.getFeatureImportance(), "records[" + i + "].feature_importance")
              : "";
    }
    return features;
  }

  /** Series by series, each by time. */
  List<Bucket> series(DSLContext dsl, UUID tenant, Question question, int limit) {
    return dsl.fetch(
            SERIES,
            DSL.val(tenant),
            DSL.val(question.modelName()),
            DSL.val(question.metric()),
            DSL.val(question.from()),
            DSL.val(question.to()),
            DSL.val(question.unit()),
            DSL.val(question.versions().toArray(String[]::new)),
            DSL.val(question.segments().toArray(String[]::new)),
            DSL.val(limit))
        .map(PerformanceStore::bucket);
  }

  private static Bucket bucket(Record row) {
    BigDecimal samples = row.get(7, BigDecimal.class);
    long records = row.get(8, Long.class);
    BigDecimal mean =
        samples.signum() > 0
            ? row.get(3, BigDecimal.class).divide(samples, MathContext.DECIMAL128)
            : row.get(4, BigDecimal.class)
                .divide(BigDecimal.valueOf(records), MathContext.DECIMAL128);
    return new Bucket(
        row.get(0, String.class),
        row.get(1, String.class),
        row.get(2, Instant.class),
        mean.doubleValue(),
        row.get(5, Double.class),
        row.get(6, Double.class),
        samples.min(MAX_COUNT).longValue(),
        records);
  }
}
