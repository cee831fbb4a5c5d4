package io.rapport.monitoring.prediction;

import io.rapport.monitoring.prediction.IncomingOutcome.Kind;
import io.rapport.monitoring.prediction.KnownPrediction.Settled;
import io.rapport.monitoring.v1.OutcomeReport;
import io.rapport.monitoring.v1.OutcomeResult.Result;
import io.rapport.platform.Times;
import io.rapport.platform.Uuids;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;

/**
 * Records outcomes in PostgreSQL, together with the figures that follow.
 *
 * <p>Locks are taken in one order: that on outcomes without a prediction, predictions by their ids,
 * figures by their keys, and the tenant's head.
 */
final class OutcomeStore {
  private static final String LOCK =
      "SELECT pg_advisory_xact_lock("
          + "hashtextextended('monitoring.pending_outcomes/' || {0}::text, 0))";

  private static final String PREDICTIONS =
      """
      SELECT p.id, p.prediction_value, p.predicted_class, p.outcome_kind, p.actual_value,
        p.actual_class, p.occurred, p.actual_outcome::text, p.observed_at, p.correction_reason
        FROM unnest({1}::uuid[]) AS i (id)
        JOIN monitoring.prediction_log p ON p.tenant_id = {0} AND p.id = i.id
       ORDER BY p.id FOR UPDATE OF p
      """;

  private static final String COUNT =
      """
      SELECT count(*) FROM unnest({1}::uuid[]) AS i (id)
        JOIN monitoring.prediction_log p ON p.tenant_id = {0} AND p.id = i.id
      """;

  private static final String PENDING =
      """
      SELECT report FROM monitoring.pending_outcomes
       WHERE tenant_id = {0} AND prediction_id = ANY ({1}::uuid[])
      """;

  private static final String KEEP =
      """
      INSERT INTO monitoring.pending_outcomes (tenant_id, prediction_id, report)
      SELECT {0}, id, report FROM unnest({1}::uuid[], {2}::bytea[]) AS i (id, report)
      ON CONFLICT (tenant_id, prediction_id)
        DO UPDATE SET report = excluded.report, created_at = now()
      """;

  private static final String UPDATE =
      """
      UPDATE monitoring.prediction_log p
         SET outcome_kind = i.kind, actual_value = i.value, actual_class = i.label,
           occurred = i.occurred, actual_outcome = i.details::jsonb, observed_at = i.observed_at,
           error = i.error, accuracy_score = i.accuracy, validated_at = now(),
           correction_reason = NULLIF(i.reason, '')
        FROM unnest({1}::uuid[], {2}::text[], {3}::float8[], {4}::text[], {5}::boolean[],
            {6}::text[], {7}::timestamptz[], {8}::float8[], {9}::float8[], {10}::text[])
          AS i (id, kind, value, label, occurred, details, observed_at, error, accuracy, reason)
       WHERE p.tenant_id = {0} AND p.id = i.id
      """;

  private final FigureStore figures = new FigureStore();

  /** Records outcomes of predictions that must be there, such as those just logged. */
  List<Settled> settle(DSLContext tx, UUID tenant, List<IncomingOutcome> reports) {
    Map<UUID, KnownPrediction> known = lock(tx, tenant, ids(reports));
    List<Settled> settled = new ArrayList<>(reports.size());
    for (IncomingOutcome report : reports) {
      settled.add(known(known, report).settle(report));
    }
    write(tx, tenant, known.values());
    return settled;
  }

  /**
   * What {@link #settle} would decide of predictions that are not logged; of several under an id,
   * the first is.
   */
  static List<Settled> judge(List<IncomingPrediction> predictions, List<IncomingOutcome> reports) {
    Map<UUID, KnownPrediction> known = new HashMap<>();
    predictions.forEach(it ->
        known.putIfAbsent(
            it.id(), new KnownPrediction(it.id(), it.value(), it.label(), null, false)));
    return reports.stream().map(it -> known(known, it).settle(it)).toList();
  }

  /** The outcomes that came before predictions. */
  List<IncomingOutcome> waitingFor(DSLContext dsl, UUID tenant, Set<UUID> predictions) {
    return predictions.isEmpty()
        ? List.of()
        : List.copyOf(pending(dsl, tenant, predictions.toArray(UUID[]::new)).values());
  }

  private static KnownPrediction known(Map<UUID, KnownPrediction> known, IncomingOutcome report) {
    KnownPrediction prediction = known.get(report.prediction());
    if (prediction == null) {
      throw new IllegalStateException("an outcome's prediction is not there");
    }
    return prediction;
  }

  /** Records outcomes, and keeps those of predictions that are not there yet. */
  List<Settled> settleOrKeep(DSLContext tx, UUID tenant, List<IncomingOutcome> reports) {
    UUID[] ids = ids(reports);
    boolean allThere =
        tx.fetchSingle(COUNT, DSL.val(tenant), DSL.val(ids)).get(0, Integer.class) == ids.length;
    if (!allThere) {
      tx.fetchSingle(LOCK, DSL.val(tenant));
    }
    Map<UUID, KnownPrediction> known = lock(tx, tenant, ids);
    Map<UUID, IncomingOutcome> kept = new TreeMap<>(Uuids.ORDER);
    Map<UUID, IncomingOutcome> pending = allThere ? new HashMap<>() : pending(tx, tenant, ids);
    List<Settled> settled = new ArrayList<>(reports.size());
    for (IncomingOutcome report : reports) {
      KnownPrediction prediction = known.get(report.prediction());
      settled.add(prediction == null ? keep(report, pending, kept) : prediction.settle(report));
    }
    write(tx, tenant, known.values());
    writeKept(tx, tenant, kept);
    return settled;
  }

  private static Settled keep(
      IncomingOutcome report, Map<UUID, IncomingOutcome> pending, Map<UUID, IncomingOutcome> kept) {
    IncomingOutcome before = pending.put(report.prediction(), report);
    if (before != null && before.isSame(report)) {
      return new Settled(Result.DUPLICATE, null);
    }
    kept.put(report.prediction(), report);
    return new Settled(Result.PENDING, null);
  }

  private static UUID[] ids(List<IncomingOutcome> reports) {
    return reports.stream().map(IncomingOutcome::prediction).distinct().toArray(UUID[]::new);
  }

  private static Map<UUID, KnownPrediction> lock(DSLContext tx, UUID tenant, UUID[] ids) {
    Map<UUID, KnownPrediction> known = new HashMap<>();
    tx.fetch(PREDICTIONS, DSL.val(tenant), DSL.val(ids))
        .forEach(row -> {
          KnownPrediction prediction = known(row);
          known.put(prediction.id(), prediction);
        });
    return known;
  }

  private static KnownPrediction known(Record row) {
    UUID id = row.get(0, UUID.class);
    String reason = row.get(9, String.class);
    return new KnownPrediction(
        id,
        row.get(1, Double.class),
        row.get(2, String.class),
        row.get(3) == null ? null : recorded(id, row),
        reason != null);
  }

  private static IncomingOutcome recorded(UUID id, Record row) {
    String details = row.get(7, String.class);
    Instant observed = row.get(8, Instant.class);
    String reason = row.get(9, String.class);
    return new IncomingOutcome(
        id,
        Kind.valueOf(row.get(3, String.class)),
        row.get(4, Double.class),
        row.get(5, String.class),
        row.get(6, Boolean.class),
        details == null ? null : JsonField.stored(details),
        observed == null ? null : Times.micros(observed),
        reason == null ? "" : reason,
        OutcomeReport.getDefaultInstance());
  }

  private static Map<UUID, IncomingOutcome> pending(DSLContext tx, UUID tenant, UUID[] ids) {
    OutcomeReader reader = new OutcomeReader();
    Map<UUID, IncomingOutcome> pending = new HashMap<>();
    tx.fetch(PENDING, DSL.val(tenant), DSL.val(ids))
        .forEach(row -> {
          IncomingOutcome kept = reader.read(PredictionStore.parse(row.get(0, byte[].class)));
          pending.put(kept.prediction(), kept);
        });
    return pending;
  }

  private static void writeKept(DSLContext tx, UUID tenant, Map<UUID, IncomingOutcome> kept) {
    if (kept.isEmpty()) {
      return;
    }
    tx.execute(
        KEEP,
        DSL.val(tenant),
        DSL.val(kept.keySet().toArray(UUID[]::new)),
        DSL.val(
            kept.values().stream().map(it -> it.report().toByteArray()).toArray(byte[][]::new)));
  }

  private void write(DSLContext tx, UUID tenant, Collection<KnownPrediction> all) {
    List<KnownPrediction> changed =
        all.stream()
            .filter(it -> it.hasChanged())
            .sorted((a, b) -> Uuids.ORDER.compare(a.id(), b.id()))
            .toList();
    if (changed.isEmpty()) {
      return;
    }
    UUID[] ids = changed.stream().map(it -> it.id()).toArray(UUID[]::new);
    UUID[] corrected =
        changed.stream().filter(it -> it.hadOutcome()).map(it -> it.id()).toArray(UUID[]::new);
    figures.lock(tx, tenant, ids);
    if (corrected.length > 0) {
      figures.takeAway(tx, tenant, corrected);
    }
    update(tx, tenant, ids, changed);
    figures.add(tx, tenant, ids);
  }

  private static void update(
      DSLContext tx, UUID tenant, UUID[] ids, List<KnownPrediction> changed) {
    List<IncomingOutcome> outcomes = changed.stream().map(KnownPrediction::outcome).toList();
    tx.execute(
        UPDATE,
        DSL.val(tenant),
        DSL.val(ids),
        DSL.val(outcomes.stream().map(it -> it.kind().name()).toArray(String[]::new)),
        DSL.val(outcomes.stream().map(IncomingOutcome::value).toArray(Double[]::new)),
        DSL.val(outcomes.stream().map(IncomingOutcome::label).toArray(String[]::new)),
        DSL.val(outcomes.stream().map(IncomingOutcome::occurred).toArray(Boolean[]::new)),
        DSL.val(outcomes.stream().map(IncomingOutcome::detailsText).toArray(String[]::new)),
        DSL.val(outcomes.stream().map(IncomingOutcome::observedText).toArray(String[]::new)),
        DSL.val(changed.stream().map(KnownPrediction::error).toArray(Double[]::new)),
        DSL.val(changed.stream().map(KnownPrediction::accuracy).toArray(Double[]::new)),
        DSL.val(changed.stream().map(KnownPrediction::reason).toArray(String[]::new)));
  }
}
