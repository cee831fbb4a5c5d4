package io.rapport.versioning.dataset;

import io.rapport.versioning.v1.CategoryCount;
import io.rapport.versioning.v1.CategorySummary;
import io.rapport.versioning.v1.FieldQuality;
import io.rapport.versioning.v1.FieldQuality.ValueType;
import io.rapport.versioning.v1.NumberSummary;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.QueryPart;
import org.jooq.Record;
import org.jooq.impl.DSL;

/** Looks at the events of a dataset in PostgreSQL, where they are, by one statement. */
final class AssessmentStore {
  private static final int MAX_FIELDS = 200;
  private static final int TOP = 20;

  private static final String LAST =
      """
      WITH sample AS MATERIALIZED (
        SELECT versioning.features({3}::text[], p.event_data) AS data
          FROM (
            SELECT e.event_data
              FROM versioning.dataset_sources s
             CROSS JOIN LATERAL (
               SELECT r.event_data, r.occurred_at, r.id
                 FROM versioning.recorded_events r
                WHERE r.tenant_id = {0} AND r.event_type = s.event_type
                  AND (s.conditions = '[]' OR versioning.matches(s.conditions, r.event_data))
                ORDER BY r.occurred_at DESC, r.id DESC LIMIT {2}) e
             WHERE s.tenant_id = {0} AND s.dataset_id = {1}
             ORDER BY e.occurred_at DESC, e.id DESC LIMIT {2}) p
      )
      """;

  private static final String ALL =
      """
      WITH sample AS MATERIALIZED (
        SELECT versioning.features({3}::text[], e.event_data) AS data
          FROM versioning.recorded_events e
          JOIN versioning.dataset_sources s ON s.event_type = e.event_type
         WHERE e.tenant_id = {0} AND s.tenant_id = {0} AND s.dataset_id = {1}
           AND (s.conditions = '[]' OR versioning.matches(s.conditions, e.event_data))
      )
      """;

  /**
   * Numbers whose squares a double can't hold are left out of what is reckoned with numbers, or are
   * 0.
   */
  private static final String CELLS =
      """
      , cells AS MATERIALIZED (
        SELECT k.key, jsonb_typeof(k.value) AS type,
          CASE WHEN jsonb_typeof(k.value) = 'number'
            THEN CASE WHEN abs(k.value::numeric) BETWEEN 1e-140 AND 1e140
                THEN k.value::double precision
              WHEN abs(k.value::numeric) < 1e-140 THEN 0 END END AS number,
          CASE WHEN jsonb_typeof(k.value) IN ('string', 'boolean')
            THEN k.value #>> '{}' END AS text
          FROM sample s CROSS JOIN LATERAL jsonb_each(s.data) k
      )
      """;

  private static final String FIGURES =
      """
      , tally AS MATERIALIZED (
        SELECT key, count(*) AS present, count(*) FILTER (WHERE type = 'array') AS arrays,
          count(*) FILTER (WHERE type = 'boolean') AS booleans,
          count(*) FILTER (WHERE type = 'number') AS numbers,
          count(*) FILTER (WHERE type = 'object') AS objects,
          count(*) FILTER (WHERE type = 'string' AND text <> '') AS strings,
          count(*) FILTER (WHERE CASE type WHEN 'number' THEN abs(number) <= 1e9
            WHEN 'string' THEN char_length(text) BETWEEN 1 AND 9999
            ELSE type <> 'null' END) AS valid,
          count(number) AS n, avg(number) AS mean, stddev_pop(number) AS deviation,
          min(number) AS least, max(number) AS greatest
          FROM cells GROUP BY key
      ), named AS (
        SELECT n AS key FROM unnest({3}::text[]) n
        UNION ALL
        SELECT key FROM (
          SELECT key FROM tally WHERE cardinality({3}::text[]) = 0
           ORDER BY present DESC, key COLLATE "C" LIMIT {4}) t
      ), bins AS (
        SELECT c.key, width_bucket(c.number, b.edges) AS bin, count(*) AS n,
          count(*) FILTER (WHERE abs(c.number - t.mean) > 3 * t.deviation
            AND t.least < t.greatest) AS anomalies
          FROM cells c
          JOIN tally t ON t.key = c.key
          LEFT JOIN versioning.feature_bins b
            ON b.tenant_id = {0} AND b.dataset_id = {1} AND b.feature = c.key
         WHERE c.number IS NOT NULL
         GROUP BY c.key, bin
      ), histograms AS (
        SELECT key, array_agg(COALESCE(bin, -1)) AS bins, array_agg(n) AS counts,
          sum(anomalies) AS anomalies
          FROM bins GROUP BY key
      ), texts AS (
        SELECT key, left(text, 200) AS text, count(*) AS n,
          row_number() OVER (
            PARTITION BY key ORDER BY count(*) DESC, left(text, 200) COLLATE "C") AS rank
          FROM cells WHERE text <> '' GROUP BY key, left(text, 200)
      ), categories AS (
        SELECT key, sum(n) AS n, count(*) AS distincts,
          array_agg(text ORDER BY rank) FILTER (WHERE rank <= {5}) AS top,
          array_agg(n ORDER BY rank) FILTER (WHERE rank <= {5}) AS counts
          FROM texts GROUP BY key
      ), totals AS (
        SELECT count(*) AS records,
          count(*) - (SELECT count(*) FROM (SELECT FROM sample GROUP BY data) d) AS duplicates
          FROM sample
      )
      SELECT o.records, o.duplicates, f.key, COALESCE(t.arrays, 0), COALESCE(t.booleans, 0),
        COALESCE(t.numbers, 0), COALESCE(t.objects, 0), COALESCE(t.strings, 0),
        COALESCE(t.valid, 0), COALESCE(t.n, 0), t.mean, t.deviation, t.least, t.greatest,
        h.bins, h.counts, COALESCE(h.anomalies, 0), b.edges,
        COALESCE(c.n, 0), c.distincts, c.top, c.counts
        FROM totals o
        LEFT JOIN named f ON true
        LEFT JOIN tally t ON t.key = f.key
        LEFT JOIN histograms h ON h.key = f.key
        LEFT JOIN categories c ON c.key = f.key
        LEFT JOIN versioning.feature_bins b
          ON b.tenant_id = {0} AND b.dataset_id = {1} AND b.feature = f.key
       ORDER BY f.key COLLATE "C"
      """;

  /**
   * At every twentieth of the numbers that are there. Where these are all the same, the second edge
   * is a little above, so that greater ones are told from them.
   */
  private static final String ADD_BINS =
      """
      INSERT INTO versioning.feature_bins (tenant_id, dataset_id, feature, edges)
      SELECT {0}, {1}, key, ARRAY(
          SELECT DISTINCT e FROM unnest(
            quantiles || (greatest + abs(greatest) * 1e-6 + 1e-9)) e ORDER BY e)
        FROM (
          SELECT key, max(number) AS greatest, percentile_disc(ARRAY[0, 0.05, 0.1, 0.15, 0.2, 0.25,
            0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1])
            WITHIN GROUP (ORDER BY number) AS quantiles
            FROM cells WHERE key = ANY ({4}::text[]) AND number IS NOT NULL GROUP BY key) q
      ON CONFLICT DO NOTHING
      """;

  /** What was counted of a feature, and what is told of it. */
  record Field(FieldTally tally, FieldQuality quality) {}

  /** What was found. */
  record Found(long records, long duplicates, List<Field> fields) {
    long anomalies() {
      return fields.stream().mapToLong(it -> it.quality().getAnomalyCount()).sum();
    }

    long missing() {
      return fields.stream().mapToLong(it -> it.quality().getMissingCount()).sum();
    }
  }

  /**
   * Looks at the last events of a dataset.
   *
   * @param sample how many; 0: all
   */
  Found assess(DSLContext tx, UUID tenant, Dataset dataset, long sample) {
    Found found = look(tx, tenant, dataset, sample);
    String[] binless =
        found.fields().stream()
            .map(Field::quality)
            .filter(it -> it.hasNumbers() && it.getNumbers().getEdgesCount() == 0)
            .map(FieldQuality::getName)
            .toArray(String[]::new);
    if (binless.length == 0) {
      return found;
    }
    addBins(tx, tenant, dataset, sample, binless);
    return look(tx, tenant, dataset, sample);
  }

  private static String reading(long sample) {
    return (sample == 0 ? ALL : LAST) + CELLS;
  }

  private static List<QueryPart> values(UUID tenant, Dataset dataset, long sample) {
    String[] features = dataset.proto().getFeaturesList().toArray(String[]::new);
    return new ArrayList<>(
        List.of(DSL.val(tenant), DSL.val(dataset.id()), DSL.val(sample), DSL.val(features)));
  }

  private static void addBins(
      DSLContext tx, UUID tenant, Dataset dataset, long sample, String[] fields) {
    List<QueryPart> values = values(tenant, dataset, sample);
    values.add(DSL.val(fields));
    tx.execute(reading(sample) + ADD_BINS, values.toArray(QueryPart[]::new));
  }

  private static Found look(DSLContext tx, UUID tenant, Dataset dataset, long sample) {
    List<QueryPart> values = values(tenant, dataset, sample);
    values.add(DSL.val(MAX_FIELDS));
    values.add(DSL.val(TOP));
    List<Record> rows = tx.fetch(reading(sample) + FIGURES, values.toArray(QueryPart[]::new));
    Record first = rows.getFirst();
    long records = first.get(0, Long.class);
    List<Field> fields =
        rows.stream()
            .filter(row -> row.get(2, String.class) != null)
            .map(row -> field(row, records))
            .toList();
    return new Found(records, first.get(1, Long.class), fields);
  }

  private static Field field(Record row, long records) {
    FieldTally tally =
        new FieldTally(
            row.get(3, Long.class),
            row.get(4, Long.class),
            row.get(5, Long.class),
            row.get(6, Long.class),
            row.get(7, Long.class),
            row.get(8, Long.class));
    FieldQuality.Builder field =
        FieldQuality.newBuilder()
            .setName(row.get(2, String.class))
            .setValueType(valueType(tally))
            .setPopulatedCount(tally.populated())
            .setMissingCount(tally.missing(records))
            .setMismatchCount(tally.mismatches())
            .setValidCount(tally.valid())
            .setAnomalyCount(row.get(16, Long.class));
    if (row.get(9, Long.class) > 0) {
      field.setNumbers(numbers(row));
    }
    if (row.get(18, Long.class) > 0) {
      field.setCategories(categories(row));
    }
    return new Field(tally, field.build());
  }

  private static ValueType valueType(FieldTally tally) {
    long[] counts = tally.byType();
    int most = 0;
    for (int i = 1; i < counts.length; i++) {
      most = counts[i] > counts[most] ? i : most;
    }
    return counts[most] == 0
        ? ValueType.VALUE_TYPE_UNSPECIFIED
        : ValueType.forNumber(most + ValueType.ARRAY_VALUE);
  }

  private static NumberSummary numbers(Record row) {
    NumberSummary.Builder numbers =
        NumberSummary.newBuilder()
            .setCount(row.get(9, Long.class))
            .setMean(row.get(10, Double.class))
            .setStandardDeviation(row.get(11, Double.class))
            .setMin(row.get(12, Double.class))
            .setMax(row.get(13, Double.class));
    Double[] edges = row.get(17, Double[].class);
    if (edges == null) {
      return numbers.build();
    }
    long[] counts = new long[edges.length + 1];
    Integer[] bins = row.get(14, Integer[].class);
    Long[] found = row.get(15, Long[].class);
    for (int i = 0; i < bins.length; i++) {
      counts[bins[i]] = found[i];
    }
    for (double edge : edges) {
      numbers.addEdges(edge);
    }
    for (long count : counts) {
      numbers.addCounts(count);
    }
    return numbers.build();
  }

  private static CategorySummary categories(Record row) {
    long count = row.get(18, Long.class);
    String[] top = row.get(20, String[].class);
    Long[] counts = row.get(21, Long[].class);
    CategorySummary.Builder categories =
        CategorySummary.newBuilder().setCount(count).setDistinctCount(row.get(19, Long.class));
    long rest = count;
    for (int i = 0; i < top.length; i++) {
      categories.addTop(CategoryCount.newBuilder().setValue(top[i]).setCount(counts[i]));
      rest -= counts[i];
    }
    return categories.setRestCount(rest).build();
  }
}
