package io.rapport.monitoring.prediction;

import io.rapport.monitoring.prediction.PredictionLogFeature.LivePerformance;
import io.rapport.monitoring.prediction.PredictionLogFeature.LiveQuestion;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** Figures of a version of a model, from the sums that PostgreSQL has. */
final class LivePerformanceStore {
  /** Of numbers: the sum of squared deviations from their mean is told n-fold, and so exactly. */
  private static final String SUMS =
      """
      SELECT sum(judgements)::bigint, sum(right_judgements)::float8 / NULLIF(sum(judgements), 0)::float8,
        sum(numbers)::bigint,
        1 - sum(numbers) * sum(sum_squared_error)
          / NULLIF(sum(numbers) * sum(sum_squared_actual) - sum(sum_actual) * sum(sum_actual), 0)
        FROM monitoring.prediction_figures
       WHERE tenant_id = {0} AND model_name = {1} AND model_version = {2}
         AND hour >= date_trunc('hour', {3}::timestamptz, 'UTC')
      """;

  Optional<LivePerformance> find(DSLContext dsl, UUID tenant, LiveQuestion question) {
    Record sums =
        dsl.fetchSingle(
            SUMS,
            DSL.val(tenant),
            DSL.val(question.model()),
            DSL.val(question.version()),
            DSL.val(question.since()));
    return switch (question.metric()) {
      case "accuracy" -> performance(sums.get(1, Double.class), sums.get(0, Long.class));
      case "r_squared" -> performance(sums.get(3, Double.class), sums.get(2, Long.class));
      default -> Optional.empty();
    };
  }

  private static Optional<LivePerformance> performance(
      @Nullable Double value, @Nullable Long samples) {
    return value == null || samples == null
        ? Optional.empty()
        : Optional.of(new LivePerformance(value, samples));
  }
}
