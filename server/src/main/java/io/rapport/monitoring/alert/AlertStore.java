package io.rapport.monitoring.alert;

import static io.rapport.db.generated.monitoring.Tables.ANOMALY_ALERTS;

import com.google.protobuf.ByteString;
import io.rapport.monitoring.v1.AnomalyAlert;
import io.rapport.monitoring.v1.AnomalyAlert.Cause;
import io.rapport.monitoring.v1.AnomalyAlert.Severity;
import io.rapport.monitoring.v1.AnomalyAlert.State;
import io.rapport.monitoring.v1.AnomalyAlertFilter;
import io.rapport.platform.Etags;
import io.rapport.platform.Ids;
import io.rapport.platform.RowPage;
import io.rapport.platform.TimePlace;
import io.rapport.platform.Times;
import io.rapport.platform.json.Json;
import io.rapport.platform.watch.InitialState;
import io.rapport.platform.watch.PresentRowsStore;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** Alerts in PostgreSQL. Whether one is silenced is looked up whenever it is read. */
final class AlertStore {
  /** What alerts are called in the change log. */
  static final String KIND = "monitoring.anomaly_alert";

  private static final String SILENCED =
      """
      EXISTS (
        SELECT FROM monitoring.alert_silences s
         WHERE s.tenant_id = a.tenant_id AND s.active AND s.silenced_until_at > now()
           AND s.model_name IN (a.model_name, '*') AND s.fingerprint IN (a.fingerprint, '*'))
      """;

  private static final String COLUMNS =
      """
      a.id, a.model_name, a.fingerprint, a.alert_type, a.severity, a.alert_data::text AS data,
        CASE WHEN a.state <> 'RESOLVED' AND SILENCED THEN 'SILENCED' ELSE a.state END AS told_state,
        a.cause, a.occurrences, a.first_seen_at, a.last_seen_at, a.acknowledged, a.acknowledged_by,
        a.acknowledged_by_subject, a.acknowledged_at, a.resolved_at, a.resolution, a.active,
        a.created_at, a.updated_at, a.revision
      """
          .replace("SILENCED THEN", SILENCED + " THEN");

  private static final String RANK =
      "array_position(ARRAY['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'], %s)";

  private static final String IS_WORSE =
      RANK.formatted("excluded.severity") + " > " + RANK.formatted("a.severity");

  /** An alert that gets worse is open again. */
  private static final String RAISE =
      """
      INSERT INTO monitoring.anomaly_alerts AS a (tenant_id, id, model_name, fingerprint,
        alert_type, severity, alert_data, state, cause, occurrences)
      VALUES ({0}, {1}, {2}, {3}, {4}, {5}, {6}::jsonb, 'OPEN', {7}, {8})
      ON CONFLICT (tenant_id, model_name, fingerprint) WHERE state <> 'RESOLVED' DO UPDATE
        SET occurrences = a.occurrences + excluded.occurrences, last_seen_at = now(),
          alert_data = excluded.alert_data, updated_at = now(), revision = a.revision + 1,
          severity = CASE WHEN WORSE THEN excluded.severity ELSE a.severity END,
          state = CASE WHEN WORSE THEN 'OPEN' ELSE a.state END,
          acknowledged = a.acknowledged AND NOT WORSE,
          acknowledged_by = CASE WHEN WORSE THEN NULL ELSE a.acknowledged_by END,
          acknowledged_by_subject = CASE WHEN WORSE THEN NULL ELSE a.acknowledged_by_subject END,
          acknowledged_at = CASE WHEN WORSE THEN NULL ELSE a.acknowledged_at END
      RETURNING COLUMNS
      """
          .replace("WORSE", "(" + IS_WORSE + ")")
          .replace("COLUMNS", COLUMNS);

  private static final String FIND =
      "SELECT " + COLUMNS + " FROM monitoring.anomaly_alerts a WHERE tenant_id = {0} AND id = {1}";

  private static final String OPEN =
      "SELECT "
          + COLUMNS
          + """
            FROM monitoring.anomaly_alerts a
           WHERE tenant_id = {0} AND fingerprint = {1} AND state <> 'RESOLVED' FOR UPDATE
          """;

  private static final String ACKNOWLEDGE =
      """
      UPDATE monitoring.anomaly_alerts a
         SET state = 'ACKNOWLEDGED', acknowledged = true, acknowledged_by = {2},
           acknowledged_by_subject = {3}, acknowledged_at = now(), updated_at = now(),
           revision = revision + 1
       WHERE tenant_id = {0} AND id = {1} RETURNING
      """
          + COLUMNS;

  private static final String RESOLVE =
      """
      UPDATE monitoring.anomaly_alerts a
         SET state = 'RESOLVED', resolved_at = now(), resolution = NULLIF({2}, ''),
           updated_at = now(), revision = revision + 1
       WHERE tenant_id = {0} AND id = {1} RETURNING
      """
          + COLUMNS;

  private static final String LIST =
      """
      SELECT * FROM (
        SELECT COLUMNS FROM monitoring.anomaly_alerts a
         WHERE a.tenant_id = {0} AND ({1} = '' OR a.model_name = {1})
           AND ({2} = '' OR a.fingerprint = {2})
           AND ({3}::boolean IS NULL OR a.acknowledged = {3})
           AND (cardinality({4}::text[]) = 0 OR a.severity = ANY ({4}::text[]))
           AND a.last_seen_at >= COALESCE({5}::timestamptz, '-infinity')
           AND a.last_seen_at < COALESCE({6}::timestamptz, 'infinity')
           AND ({7}::timestamptz IS NULL
             OR (a.created_at, a.id) < ({7}::timestamptz, {8}::uuid))
         ORDER BY a.created_at DESC, a.id DESC) AS q
       WHERE cardinality({9}::text[]) = 0 OR told_state = ANY ({9}::text[])
       ORDER BY created_at DESC, id DESC LIMIT {10}
      """
          .replace("COLUMNS", COLUMNS);

  private static final String CRITICAL =
      """
      SELECT count(*) FROM monitoring.anomaly_alerts a
       WHERE tenant_id = {0} AND model_name = {1} AND severity = 'CRITICAL'
         AND state <> 'RESOLVED' AND NOT
      """
          + SILENCED;

  /**
   * What to raise.
   *
   * @param occurrences how often it was seen
   */
  record Raised(
      String model,
      String fingerprint,
      String type,
      Severity severity,
      ByteString data,
      Cause cause,
      long occurrences) {}

  /** An alert, and its revision: 1 if it is new. */
  record Kept(AnomalyAlert alert, long revision) {}

  /** The alerts that are there, for watches. */
  static InitialState initialState() {
    return new PresentRowsStore(
        KIND,
        ANOMALY_ALERTS,
        new PresentRowsStore.Columns(
            ANOMALY_ALERTS.TENANT_ID,
            ANOMALY_ALERTS.ID,
            null,
            ANOMALY_ALERTS.REVISION,
            ANOMALY_ALERTS.CREATED_AT));
  }

  Kept raise(DSLContext tx, UUID tenant, Raised raised) {
    return kept(
        tx.fetchSingle(
            RAISE,
            DSL.val(tenant),
            DSL.val(Ids.next()),
            DSL.val(raised.model()),
            DSL.val(raised.fingerprint()),
            DSL.val(raised.type()),
            DSL.val(raised.severity().name()),
            DSL.val(raised.data().toStringUtf8()),
            DSL.val(raised.cause().name()),
            DSL.val(raised.occurrences())));
  }

  Optional<AnomalyAlert> find(DSLContext dsl, UUID tenant, UUID id) {
    return dsl.fetchOptional(FIND, DSL.val(tenant), DSL.val(id)).map(row -> kept(row).alert());
  }

  /** The same, locked until the transaction ends. */
  Optional<AnomalyAlert> lock(DSLContext tx, UUID tenant, UUID id) {
    return tx.fetchOptional(FIND + " FOR UPDATE", DSL.val(tenant), DSL.val(id))
        .map(row -> kept(row).alert());
  }

  /** The one with a fingerprint that is not resolved, locked until the transaction ends. */
  Optional<AnomalyAlert> lockOpen(DSLContext tx, UUID tenant, String fingerprint) {
    return tx.fetchOptional(OPEN, DSL.val(tenant), DSL.val(fingerprint))
        .map(row -> kept(row).alert());
  }

  Kept acknowledge(DSLContext tx, UUID tenant, UUID id, @Nullable UUID user, String subject) {
    return kept(
        tx.fetchSingle(
            ACKNOWLEDGE,
            DSL.val(tenant),
            DSL.val(id),
            DSL.val(user, UUID.class),
            DSL.val(subject)));
  }

  Kept resolve(DSLContext tx, UUID tenant, UUID id, String resolution) {
    return kept(tx.fetchSingle(RESOLVE, DSL.val(tenant), DSL.val(id), DSL.val(resolution)));
  }

  /** The alerts that pass, the newest first: that order stays, however often one is raised. */
  RowPage<AnomalyAlert> list(
      DSLContext tx, UUID tenant, AnomalyAlertFilter filter, @Nullable TimePlace after, int size) {
    var rows =
        tx.resultQuery(
            LIST,
            DSL.val(tenant),
            DSL.val(filter.getModelName()),
            DSL.val(filter.getFingerprint()),
            DSL.val(filter.hasAcknowledged() ? filter.getAcknowledged() : null, Boolean.class),
            DSL.val(filter.getSeveritiesList().stream().map(Severity::name).toArray(String[]::new)),
            DSL.val(filter.hasFrom() ? Times.instant(filter.getFrom()) : null, Instant.class),
            DSL.val(filter.hasTo() ? Times.instant(filter.getTo()) : null, Instant.class),
            DSL.val(after == null ? null : after.time(), Instant.class),
            DSL.val(after == null ? null : after.id(), UUID.class),
            DSL.val(filter.getStatesList().stream().map(State::name).toArray(String[]::new)),
            DSL.val(size + 1));
    return RowPage.read(rows, size, row -> kept(row).alert());
  }

  /** How many critical alerts of a model are neither resolved nor silenced. */
  int openCritical(DSLContext dsl, UUID tenant, String model) {
    return dsl.fetchSingle(CRITICAL, DSL.val(tenant), DSL.val(model)).get(0, Integer.class);
  }

  private static Kept kept(Record row) {
    AnomalyAlert.Builder told =
        AnomalyAlert.newBuilder()
            .setId(row.get("id", UUID.class).toString())
            .setModelName(row.get("model_name", String.class))
            .setFingerprint(row.get("fingerprint", String.class))
            .setAlertType(row.get("alert_type", String.class))
            .setSeverity(Severity.valueOf(row.get("severity", String.class)))
            .setAlertData(
                Json.toStruct(
                    Json.parseStored(
                        row.get("data", String.class).getBytes(StandardCharsets.UTF_8))))
            .setState(State.valueOf(row.get("told_state", String.class)))
            .setCause(Cause.valueOf(row.get("cause", String.class)))
            .setOccurrences(row.get("occurrences", Long.class))
            .setFirstSeenAt(Times.proto(row.get("first_seen_at", Instant.class)))
            .setLastSeenAt(Times.proto(row.get("last_seen_at", Instant.class)))
            .setAcknowledged(row.get("acknowledged", Boolean.class))
            .setActive(row.get("active", Boolean.class))
            .setCreatedAt(Times.proto(row.get("created_at", Instant.class)))
            .setUpdatedAt(Times.proto(row.get("updated_at", Instant.class)))
            .setEtag(Etags.of(row.get("revision", Long.class)));
    set(row.get("acknowledged_by", UUID.class), it -> told.setAcknowledgedBy(it.toString()));
    set(row.get("acknowledged_by_subject", String.class), told::setAcknowledgedBySubject);
    set(row.get("acknowledged_at", Instant.class), it -> told.setAcknowledgedAt(Times.proto(it)));
    set(row.get("resolved_at", Instant.class), it -> told.setResolvedAt(Times.proto(it)));
    set(row.get("resolution", String.class), told::setResolution);
    return new Kept(told.build(), row.get("revision", Long.class));
  }

  private static <T> void set(@Nullable T value, Consumer<T> set) {
    if (value != null) {
      set.accept(value);
    }
  }
}
