package io.rapport.monitoring.memory;

import io.rapport.monitoring.v1.ErrorTypeStatistics;
import io.rapport.monitoring.v1.LearningStatistics;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;

/** How learning goes, in PostgreSQL. */
final class StatisticsStore {
  private static final String RECENT =
      """
        FROM monitoring.ai_learning_memory
       WHERE tenant_id = {0} AND active AND created_at > now() - make_interval(days => {1})
      """;

  private static final String ALL =
      """
      SELECT count(*), COALESCE(avg((confidence > 0.8)::integer), 0)::float8,
        COALESCE(avg(confidence), 0), count(*) FILTER (WHERE validation_passed),
        count(validation_passed), COALESCE(avg(retry_count), 0)::float8,
        avg(resolution_time_ms)::float8
      """
          + RECENT;

  private static final String FEEDBACK =
      "SELECT user_feedback, count(*) "
          + RECENT
          + " AND user_feedback IS NOT NULL GROUP BY user_feedback";

  private static final String TYPES =
      """
      SELECT error_type, count(*), avg((confidence > 0.8)::integer)::float8, avg(confidence)
      """
          + RECENT
          + " GROUP BY error_type ORDER BY count(*) DESC, error_type LIMIT 100";

  /** Of the entries of so many days. */
  LearningStatistics read(DSLContext dsl, UUID tenant, int days) {
    Record all = dsl.fetchSingle(ALL, DSL.val(tenant), DSL.val(days));
    LearningStatistics.Builder told =
        LearningStatistics.newBuilder()
            .setDays(days)
            .setEntries(all.get(0, Long.class))
            .setSuccessRate(all.get(1, Double.class))
            .setMeanConfidence(all.get(2, Double.class))
            .setValidationsPassed(all.get(3, Long.class))
            .setValidations(all.get(4, Long.class))
            .setMeanRetryCount(all.get(5, Double.class));
    Double resolution = all.get(6, Double.class);
    if (resolution != null) {
      told.setMeanResolutionTimeMs(resolution);
    }
    dsl.fetch(FEEDBACK, DSL.val(tenant), DSL.val(days))
        .forEach(row -> told.putFeedback(row.get(0, String.class), row.get(1, Long.class)));
    dsl.fetch(TYPES, DSL.val(tenant), DSL.val(days))
        .forEach(row ->
            told.addErrorTypes(
                ErrorTypeStatistics.newBuilder()
                    .setErrorType(row.get(0, String.class))
                    .setEntries(row.get(1, Long.class))
                    .setSuccessRate(row.get(2, Double.class))
                    .setMeanConfidence(row.get(3, Double.class))));
    return told.build();
  }
}
