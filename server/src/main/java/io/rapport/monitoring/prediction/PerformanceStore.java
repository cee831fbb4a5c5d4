package io.rapport.monitoring.prediction;

import io.rapport.monitoring.v1.CalibrationBin;
import io.rapport.monitoring.v1.ClassFigures;
import io.rapport.monitoring.v1.NumericFigures;
import io.rapport.monitoring.v1.PerformanceFigures;
import io.rapport.monitoring.v1.ProbabilityFigures;
import io.rapport.platform.Times;
import java.math.BigDecimal;
import java.math.MathContext;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.QueryPart;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** Works figures out from the sums that PostgreSQL has. */
final class PerformanceStore {
  /** The window, the version and the segment of a row; empty where all are taken together. */
  private static final String GROUP =
      """
      CASE {6}::text WHEN 'HOUR' THEN hour WHEN 'DAY' THEN date_trunc('day', hour, 'UTC') END AS at,
        CASE WHEN {7} THEN '' ELSE model_version END AS version,
        CASE WHEN {8} THEN '' ELSE segment END AS part
      """;

  private static final String WHERE =
      """
       WHERE tenant_id = {0} AND model_name = {1}
         AND (cardinality({2}::text[]) = 0 OR model_version = ANY ({2}::text[]))
         AND (cardinality({3}::text[]) = 0 OR segment = ANY ({3}::text[]))
         AND hour >= COALESCE({4}::timestamptz, '-infinity')
         AND hour < COALESCE({5}::timestamptz, 'infinity')
       GROUP BY at, version, part
      """;

  /** Sums and bins by one statement, and so from one state of both. */
  private static final String FIGURES =
      "WITH sums AS (SELECT "
          + GROUP
          + """
          , sum(predictions)::bigint AS predictions, sum(outcomes)::bigint AS outcomes,
            sum(numbers)::bigint AS numbers, sum(sum_error) AS error,
            sum(sum_absolute_error) AS absolute_error, sum(sum_squared_error) AS squared_error,
            sum(sum_actual) AS actual, sum(sum_squared_actual) AS squared_actual,
            sum(judgements)::bigint AS judgements, sum(right_judgements)::bigint AS rights,
            sum(sum_brier) AS brier
            FROM monitoring.prediction_figures
          """
          + WHERE
          + " ORDER BY at, version, part LIMIT {9}), binned AS (SELECT "
          + GROUP
          + """
          , bin, sum(probabilities)::bigint AS probabilities, sum(sum_probability) AS probability,
            sum(came_true)::bigint AS came_true
            FROM monitoring.calibration_bins
          """
          + WHERE
          + """
          , bin HAVING sum(probabilities) > 0), bins AS (
            SELECT at, version, part, array_agg(bin::integer ORDER BY bin) AS numbers,
              array_agg(probabilities ORDER BY bin) AS counts,
              array_agg(probability ORDER BY bin) AS sums,
              array_agg(came_true ORDER BY bin) AS trues
              FROM binned GROUP BY at, version, part)
          SELECT sums.*, bins.numbers AS bins, bins.counts, bins.sums, bins.trues
            FROM sums LEFT JOIN bins ON bins.at IS NOT DISTINCT FROM sums.at
              AND bins.version = sums.version AND bins.part = sums.part
           ORDER BY sums.at, sums.version, sums.part
          """;

  /**
   * Which figures.
   *
   * @param window HOUR, DAY or ALL
   */
  record Question(
      String model,
      List<String> versions,
      List<String> segments,
      @Nullable Instant from,
      @Nullable Instant to,
      String window,
      boolean allVersions,
      boolean allSegments) {

    private QueryPart[] values(UUID tenant, int limit) {
      return new QueryPart[] {
        DSL.val(tenant),
        DSL.val(model),
        DSL.val(versions.toArray(String[]::new)),
        DSL.val(segments.toArray(String[]::new)),
        DSL.val(from, Instant.class),
        DSL.val(to, Instant.class),
        DSL.val(window),
        DSL.val(allVersions),
        DSL.val(allSegments),
        DSL.val(limit)
      };
    }
  }

  /** The figures, by window, version and segment. */
  List<PerformanceFigures> list(DSLContext dsl, UUID tenant, Question question, int limit) {
    return dsl.fetch(FIGURES, question.values(tenant, limit)).map(row -> figures(question, row));
  }

  private static List<CalibrationBin> bins(Record row) {
    Integer[] numbers = row.get("bins", Integer[].class);
    if (numbers == null) {
      return List.of();
    }
    Long[] counts = row.get("counts", Long[].class);
    BigDecimal[] sums = row.get("sums", BigDecimal[].class);
    Long[] trues = row.get("trues", Long[].class);
    List<CalibrationBin> bins = new ArrayList<>();
    for (int i = 0; i < numbers.length; i++) {
      bins.add(
          CalibrationBin.newBuilder()
              .setLower(numbers[i] / 10.0)
              .setCount(counts[i])
              .setMeanProbability(mean(sums[i], counts[i]).doubleValue())
              .setObservedShare((double) trues[i] / counts[i])
              .build());
    }
    return bins;
  }

  private static double mean(Record row, String sum, long count) {
    return mean(row.get(sum, BigDecimal.class), count).doubleValue();
  }

  private static BigDecimal mean(BigDecimal sum, long count) {
    return sum.divide(BigDecimal.valueOf(count), MathContext.DECIMAL128);
  }

  private static PerformanceFigures figures(Question question, Record row) {
    PerformanceFigures.Builder told =
        PerformanceFigures.newBuilder()
            .setModelName(question.model())
            .setModelVersion(row.get("version", String.class))
            .setSegment(row.get("part", String.class))
            .setPredictions(row.get("predictions", Long.class))
            .setOutcomes(row.get("outcomes", Long.class));
    Instant at = row.get("at", Instant.class);
    List<CalibrationBin> bins = bins(row);
    if (at != null) {
      told.setFrom(Times.proto(at));
    }
    if (row.get("numbers", Long.class) > 0) {
      told.setNumeric(numeric(row));
    }
    if (row.get("judgements", Long.class) > 0) {
      told.setClasses(classes(row));
    }
    if (!bins.isEmpty()) {
      told.setProbability(probability(row, bins));
    }
    return told.build();
  }

  private static NumericFigures numeric(Record row) {
    long count = row.get("numbers", Long.class);
    BigDecimal squaredError = row.get("squared_error", BigDecimal.class);
    NumericFigures.Builder told =
        NumericFigures.newBuilder()
            .setCount(count)
            .setBias(mean(row, "error", count))
            .setMeanAbsoluteError(mean(row, "absolute_error", count))
            .setRootMeanSquaredError(
                mean(squaredError, count).sqrt(MathContext.DECIMAL64).doubleValue());
    BigDecimal sum = row.get("actual", BigDecimal.class);
    BigDecimal squares = row.get("squared_actual", BigDecimal.class);
    BigDecimal deviations =
        squares.multiply(BigDecimal.valueOf(count)).subtract(sum.multiply(sum)); // exact, times n
    if (deviations.signum() > 0) {
      BigDecimal unexplained =
          squaredError
              .multiply(BigDecimal.valueOf(count))
              .divide(deviations, MathContext.DECIMAL64);
      told.setRSquared(1 - unexplained.doubleValue());
    }
    return told.build();
  }

  private static ClassFigures classes(Record row) {
    long count = row.get("judgements", Long.class);
    return ClassFigures.newBuilder()
        .setCount(count)
        .setAccuracy((double) row.get("rights", Long.class) / count)
        .build();
  }

  private static ProbabilityFigures probability(Record row, List<CalibrationBin> bins) {
    long count = bins.stream().mapToLong(CalibrationBin::getCount).sum();
    double apart =
        bins.stream()
            .mapToDouble(
                it -> it.getCount() * Math.abs(it.getMeanProbability() - it.getObservedShare()))
            .sum();
    return ProbabilityFigures.newBuilder()
        .setCount(count)
        .setBrierScore(mean(row, "brier", count))
        .setExpectedCalibrationError(apart / count)
        .addAllBins(bins)
        .build();
  }
}
