package io.rapport.monitoring.alert;

import io.rapport.monitoring.v1.DetectionSettings.Method;
import io.rapport.platform.Uuids;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;

/** What the detection reads and writes in PostgreSQL. */
final class DetectionStore {
  /** How many predictions are judged at a time, and by how many. */
  static final int MOST = 10_000;

  private static final double THRESHOLD = 3.5;
  private static final double CONTAMINATION = 0.05;
  private static final int TREES = 100;
  private static final int SAMPLE = 256;
  private static final int LEAST = 50;

  private static final String SETTINGS =
      """
      SELECT method, z_threshold, contamination, tree_count, sample_size, min_predictions
        FROM monitoring.detection_settings
       WHERE tenant_id = {0} AND model_name IN ({1}, '*') AND active
       ORDER BY model_name = '*' LIMIT 1
      """;

  private static final String RUN =
      """
      INSERT INTO monitoring.detection_runs (tenant_id, model_name, judged_until, ran_at, more)
      VALUES ({0}, {1}, '-infinity', '-infinity', false) ON CONFLICT DO NOTHING
      """;

  /** A run takes seconds, and the next has to wait for it. */
  private static final String LOCK_PATIENCE = "SELECT set_config('lock_timeout', '30s', true)";

  private static final String LOCK =
      """
      SELECT judged_until::text FROM monitoring.detection_runs
       WHERE tenant_id = {0} AND model_name = {1} FOR UPDATE
      """;

  private static final String UNJUDGED =
      """
      SELECT id, prediction_value, feature_count, predicted_at, false, recorded_at
        FROM monitoring.prediction_log
       WHERE tenant_id = {0} AND model_name = {1} AND recorded_at >= {2}::timestamptz
         AND judged_at IS NULL AND anomaly_score IS NULL AND NOT is_anomaly
         AND predicted_at >= now() - interval '30 days'
       ORDER BY recorded_at, id LIMIT {3}
      """;

  private static final String NEWEST =
      """
      SELECT id, prediction_value, feature_count, predicted_at, true
        FROM monitoring.prediction_log
       WHERE tenant_id = {0} AND model_name = {1} AND predicted_at >= now() - interval '30 days'
         AND predicted_at <= now()
       ORDER BY predicted_at DESC, id DESC LIMIT {2}
      """;

  private static final String DAILY =
      """
      SELECT date_trunc('day', hour, 'UTC') AS day, sum(predictions)::bigint
        FROM monitoring.prediction_figures
       WHERE tenant_id = {0} AND model_name = {1} AND hour >= now() - interval '32 days'
       GROUP BY day
      """;

  private static final String LOCK_JUDGED =
      """
      SELECT count(*) FROM (
        SELECT FROM unnest({1}::uuid[]) AS i (id)
          JOIN monitoring.prediction_log p ON p.tenant_id = {0} AND p.id = i.id
         ORDER BY p.id FOR UPDATE OF p) AS locked
      """;

  private static final String JUDGE =
      """
      UPDATE monitoring.prediction_log p
         SET anomaly_score = i.score, is_anomaly = i.anomaly, severity = i.severity,
           judged_at = now()
        FROM unnest({1}::uuid[], {2}::float8[], {3}::boolean[], {4}::text[])
          AS i (id, score, anomaly, severity)
       WHERE p.tenant_id = {0} AND p.id = i.id
      """;

  /** Three within an hour, among what was just judged and what was before. */
  private static final String MANY =
      """
      SELECT EXISTS (
        SELECT FROM (
          SELECT predicted_at - lag(predicted_at, 2) OVER (ORDER BY predicted_at) AS span
            FROM monitoring.prediction_log
           WHERE tenant_id = {0} AND model_name = {1} AND is_anomaly AND severity = 'CRITICAL'
             AND predicted_at >= {2}::timestamptz - interval '1 hour'
             AND predicted_at <= {3}::timestamptz + interval '1 hour') AS spans
         WHERE span <= interval '1 hour')
      """;

  /** What is recorded in a transaction that is still under way is found by the next run. */
  private static final String END =
      """
      UPDATE monitoring.detection_runs
         SET judged_until = CASE WHEN {4} THEN judged_until
             ELSE COALESCE({2}::timestamptz, now() - interval '2 minutes') END,
           ran_at = now(), more = {3}
       WHERE tenant_id = {0} AND model_name = {1}
      """;

  private static final String DETAILS =
      """
      SELECT model_version, input_features::text FROM monitoring.prediction_log
       WHERE tenant_id = {0} AND id = {1}
      """;

  /**
   * The predictions of a run.
   *
   * @param all those to judge and those around them
   * @param last when the last of those to judge was recorded
   */
  record Run(List<Observed> all, boolean more, Instant last) {}

  /** What an alert tells of a prediction beside its judgement. */
  record Details(String version, Optional<String> features) {}

  Settings settings(DSLContext dsl, UUID tenant, String model) {
    Record own = dsl.fetchOne(SETTINGS, DSL.val(tenant), DSL.val(model));
    return own == null
        ? new Settings(Method.BOTH, THRESHOLD, CONTAMINATION, TREES, SAMPLE, LEAST)
        : new Settings(
            own.get(0) == null ? Method.BOTH : Method.valueOf(own.get(0, String.class)),
            own.get(1) == null ? THRESHOLD : own.get(1, Double.class),
            own.get(2) == null ? CONTAMINATION : own.get(2, Double.class),
            own.get(3) == null ? TREES : own.get(3, Integer.class),
            own.get(4) == null ? SAMPLE : own.get(4, Integer.class),
            own.get(5) == null ? LEAST : own.get(5, Integer.class));
  }

  /** Takes the model's turn, for which others wait, and reads what there is to do. */
  Run begin(DSLContext tx, UUID tenant, String model) {
    tx.execute(LOCK_PATIENCE);
    tx.execute(RUN, DSL.val(tenant), DSL.val(model));
    String from = tx.fetchSingle(LOCK, DSL.val(tenant), DSL.val(model)).get(0, String.class);
    List<Observed> unjudged = new ArrayList<>();
    Instant last = Instant.EPOCH;
    for (Record row :
        tx.fetch(UNJUDGED, DSL.val(tenant), DSL.val(model), DSL.val(from), DSL.val(MOST + 1))) {
      if (unjudged.size() == MOST) {
        return new Run(around(tx, tenant, model, unjudged), true, last);
      }
      unjudged.add(observed(row));
      last = row.get(5, Instant.class);
    }
    return new Run(
        unjudged.isEmpty() ? List.of() : around(tx, tenant, model, unjudged), false, last);
  }

  private static List<Observed> around(
      DSLContext tx, UUID tenant, String model, List<Observed> unjudged) {
    Map<UUID, Observed> all = new LinkedHashMap<>();
    tx.fetch(NEWEST, DSL.val(tenant), DSL.val(model), DSL.val(MOST))
        .forEach(row -> all.put(row.get(0, UUID.class), observed(row)));
    unjudged.forEach(it -> all.put(it.id(), it));
    return List.copyOf(all.values());
  }

  private static Observed observed(Record row) {
    return new Observed(
        row.get(0, UUID.class),
        row.get(1, Double.class),
        row.get(2, Integer.class),
        row.get(3, Instant.class),
        row.get(4, Boolean.class));
  }

  Map<LocalDate, Long> daily(DSLContext tx, UUID tenant, String model) {
    Map<LocalDate, Long> daily = new HashMap<>();
    tx.fetch(DAILY, DSL.val(tenant), DSL.val(model))
        .forEach(row ->
            daily.put(
                row.get(0, Instant.class).atOffset(ZoneOffset.UTC).toLocalDate(),
                row.get(1, Long.class)));
    return daily;
  }

  void write(DSLContext tx, UUID tenant, List<Judgement> judgements) {
    List<Judgement> ordered =
        judgements.stream()
            .sorted(Comparator.comparing(it -> it.prediction().id(), Uuids.ORDER))
            .toList();
    UUID[] ids = ordered.stream().map(it -> it.prediction().id()).toArray(UUID[]::new);
    tx.fetchSingle(LOCK_JUDGED, DSL.val(tenant), DSL.val(ids));
    tx.execute(
        JUDGE,
        DSL.val(tenant),
        DSL.val(ids),
        DSL.val(ordered.stream().map(Judgement::score).toArray(Double[]::new)),
        DSL.val(ordered.stream().map(Judgement::isAnomaly).toArray(Boolean[]::new)),
        DSL.val(
            ordered.stream()
                .map(it -> Severities.ofLog(it.severity()).name())
                .toArray(String[]::new)));
  }

  /** Whether there are three of severity HIGH or more within an hour, about this time. */
  boolean areMany(DSLContext tx, UUID tenant, String model, Instant from, Instant to) {
    return tx.fetchSingle(MANY, DSL.val(tenant), DSL.val(model), DSL.val(from), DSL.val(to))
        .get(0, Boolean.class);
  }

  /**
   * Says how far the run has got.
   *
   * @param stays whether it is to begin where it began, because there was too little to judge
   */
  void end(DSLContext tx, UUID tenant, String model, Run run, boolean stays) {
    tx.execute(
        END,
        DSL.val(tenant),
        DSL.val(model),
        DSL.val(run.more() ? run.last() : null, Instant.class),
        DSL.val(run.more() && !stays),
        DSL.val(stays));
  }

  Details details(DSLContext tx, UUID tenant, UUID prediction) {
    Record row = tx.fetchSingle(DETAILS, DSL.val(tenant), DSL.val(prediction));
    return new Details(row.get(0, String.class), Optional.ofNullable(row.get(1, String.class)));
  }
}
