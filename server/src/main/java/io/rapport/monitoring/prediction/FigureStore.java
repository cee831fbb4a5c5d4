package io.rapport.monitoring.prediction;

import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;

/**
 * Keeps the sums behind the figures in step with the log, in PostgreSQL. All sums are exact, so
 * what was added can be taken away again.
 */
final class FigureStore {
  /** Those of all the predictions, in the order in which everybody locks them. */
  private static final String LOCK =
      """
      SELECT count(*) FROM (
        SELECT FROM monitoring.prediction_figures f
         WHERE (tenant_id, model_name, model_version, segment, hour) IN (
           SELECT p.tenant_id, p.model_name, p.model_version, p.segment,
             date_trunc('hour', p.predicted_at, 'UTC')
             FROM unnest({1}::uuid[]) AS i (id)
             JOIN monitoring.prediction_log p ON p.tenant_id = {0} AND p.id = i.id)
         ORDER BY f.tenant_id, f.model_name, f.model_version, f.segment, f.hour
           FOR UPDATE) AS locked
      """;

  private static final String ADD =
      """
      WITH c AS (
        SELECT c.*, {2}::integer AS sign FROM unnest({1}::uuid[]) AS i (id)
          JOIN monitoring.contributions c ON c.tenant_id = {0} AND c.id = i.id
      ), sums AS (
        SELECT tenant_id, model_name, model_version, segment, hour, sum(sign) AS outcomes,
          COALESCE(sum(sign) FILTER (WHERE is_number), 0) AS numbers,
          COALESCE(sum(sign * error), 0) AS error,
          COALESCE(sum(sign * abs(error)), 0) AS absolute_error,
          COALESCE(sum(sign * error * error), 0) AS squared_error,
          COALESCE(sum(sign * actual), 0) AS actual,
          COALESCE(sum(sign * actual * actual), 0) AS squared_actual,
          COALESCE(sum(sign) FILTER (WHERE is_judgement), 0) AS judgements,
          COALESCE(sum(sign) FILTER (WHERE is_right), 0) AS right_judgements,
          COALESCE(sum(sign * (probability - came_true::integer)
            * (probability - came_true::integer)), 0) AS brier
          FROM c GROUP BY tenant_id, model_name, model_version, segment, hour
      ), summed AS (
        UPDATE monitoring.prediction_figures f
           SET outcomes = f.outcomes + s.outcomes, numbers = f.numbers + s.numbers,
             sum_error = f.sum_error + s.error,
             sum_absolute_error = f.sum_absolute_error + s.absolute_error,
             sum_squared_error = f.sum_squared_error + s.squared_error,
             sum_actual = f.sum_actual + s.actual,
             sum_squared_actual = f.sum_squared_actual + s.squared_actual,
             judgements = f.judgements + s.judgements,
             right_judgements = f.right_judgements + s.right_judgements,
             sum_brier = f.sum_brier + s.brier
          FROM sums s
         WHERE f.tenant_id = s.tenant_id AND f.model_name = s.model_name
           AND f.model_version = s.model_version AND f.segment = s.segment AND f.hour = s.hour
      )
      INSERT INTO monitoring.calibration_bins AS b (tenant_id, model_name, model_version, segment,
        hour, bin, probabilities, sum_probability, came_true)
      SELECT tenant_id, model_name, model_version, segment, hour,
        LEAST(floor(probability * 10), 9)::smallint AS bin, sum(sign), sum(sign * probability),
        sum(sign * came_true::integer)
        FROM c WHERE probability IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
      ON CONFLICT (tenant_id, model_name, model_version, segment, hour, bin) DO UPDATE
        SET probabilities = b.probabilities + excluded.probabilities,
          sum_probability = b.sum_probability + excluded.sum_probability,
          came_true = b.came_true + excluded.came_true
      """;

  /** Locks what the predictions count toward; whoever adds or takes away must have done so. */
  void lock(DSLContext tx, UUID tenant, UUID[] predictions) {
    tx.fetchSingle(LOCK, DSL.val(tenant), DSL.val(predictions));
  }

  /** Adds the outcomes of predictions, as they are in the log. */
  void add(DSLContext tx, UUID tenant, UUID[] predictions) {
    tx.execute(ADD, DSL.val(tenant), DSL.val(predictions), DSL.val(1));
  }

  /** Takes them away, as they are in the log. */
  void takeAway(DSLContext tx, UUID tenant, UUID[] predictions) {
    tx.execute(ADD, DSL.val(tenant), DSL.val(predictions), DSL.val(-1));
  }
}
