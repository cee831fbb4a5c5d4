package io.rapport.monitoring.prediction;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.rapport.monitoring.prediction.Decision.Recorded;
import io.rapport.monitoring.v1.OutcomeReport;
import io.rapport.platform.BinaryArray;
import io.rapport.platform.Times;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/**
 * Inserts predictions into PostgreSQL, all of a batch by one statement, whose arrays are sent in
 * binary form.
 */
final class PredictionStore {
  /** What predictions are called in the change log. */
  static final String KIND = "monitoring.prediction";

  /**
   * Who keeps outcomes of predictions that aren't there waits for those who log some; see
   * OutcomeStore.
   */
  private static final String LOCK =
      """
      SELECT pg_advisory_xact_lock_shared(
        hashtextextended('monitoring.pending_outcomes/' || ?::text, 0));
      """;

  private static final String INSERT =
      """
      WITH stored AS (
        INSERT INTO monitoring.prediction_log (tenant_id, id, model_name, model_version,
          prediction_type, segment, prediction_value, predicted_class, prediction_result,
          input_features, feature_count, confidence_score, anomaly_score, is_anomaly, severity,
          response_time_ms, user_id, source_request_id, cache_entry_id, predicted_at, recorded_at,
          digest)
        SELECT ?::uuid, i.id, model, version, type, segment, value, label, result, features,
          feature_count, confidence, score, anomaly = 1, severity, response_ms, user_id, request,
          entry, COALESCE(predicted_at, now()), now(), digest
          FROM unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::text[], ?::float8[],
              ?::text[], ?::jsonb[], ?::jsonb[], ?::integer[], ?::float8[], ?::float8[],
              ?::integer[], ?::text[], ?::integer[], ?::uuid[], ?::text[], ?::uuid[],
              ?::timestamptz[], ?::bytea[])
            AS i (id, model, version, type, segment, value, label, result, features,
              feature_count, confidence, score, anomaly, severity, response_ms, user_id, request,
              entry, predicted_at, digest)
        ON CONFLICT DO NOTHING
        RETURNING tenant_id, id, model_name, model_version, segment, predicted_at
      ), counted AS (
        INSERT INTO monitoring.prediction_figures AS f
          (tenant_id, model_name, model_version, segment, hour, predictions)
        SELECT tenant_id, model_name, model_version, segment,
          date_trunc('hour', predicted_at, 'UTC') AS hour, count(*)
          FROM stored GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
        ON CONFLICT (tenant_id, model_name, model_version, segment, hour) DO UPDATE
          SET predictions = f.predictions + excluded.predictions
        RETURNING model_name
      ), met AS (
        INSERT INTO monitoring.monitored_models AS m (tenant_id, model_name, logged_at)
        SELECT DISTINCT ?::uuid, model_name, now() FROM counted ORDER BY model_name
        ON CONFLICT (tenant_id, model_name) DO UPDATE
          SET logged_at = GREATEST(m.logged_at, excluded.logged_at)
      ), arrived AS (
        DELETE FROM monitoring.pending_outcomes p USING stored s
         WHERE p.tenant_id = s.tenant_id AND p.prediction_id = s.id
        RETURNING p.report
      )
      SELECT now(), (SELECT array_agg(id) FROM stored), (SELECT array_agg(report) FROM arrived)
      """;

  private static final String RECORDED =
      """
      SELECT p.id, p.recorded_at, p.digest
        FROM unnest({1}::uuid[]) AS i (id)
        JOIN monitoring.prediction_log p ON p.tenant_id = {0} AND p.id = i.id
      """;

  /** Leaves a record in the database's log, so that the commit waits until a replica has it. */
  private static final String MARKED =
      "WITH mark AS (SELECT pg_logical_emit_message(true, 'rapport', '')::text) "
          + RECORDED
          + ", mark";

  /**
   * What became of an insert.
   *
   * @param ids of those that were inserted
   * @param arrived outcomes that were waiting for them
   */
  record Inserted(long recordedMicros, Set<UUID> ids, List<IncomingOutcome> arrived) {}

  /** Inserts the predictions whose ids are not taken. The ids must differ, and be in order. */
  Inserted insert(Connection connection, UUID tenant, List<IncomingPrediction> ordered)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(LOCK + INSERT)) {
      statement.setObject(1, tenant);
      statement.setObject(2, tenant);
      new Columns(connection, statement, ordered, 3).setAll();
      statement.setObject(23, tenant);
      statement.execute();
      statement.getMoreResults(); // past the lock
      try (ResultSet rows = statement.getResultSet()) {
        rows.next();
        return inserted(rows);
      }
    }
  }

  private static Inserted inserted(ResultSet rows) throws SQLException {
    long micros = Times.micros(rows.getObject(1, OffsetDateTime.class).toInstant());
    Array ids = rows.getArray(2);
    Set<UUID> stored = ids == null ? Set.of() : new HashSet<>(List.of((UUID[]) ids.getArray()));
    Array reports = rows.getArray(3);
    List<IncomingOutcome> arrived = new ArrayList<>();
    if (reports != null) {
      OutcomeReader reader = new OutcomeReader();
      for (byte[] report : (byte[][]) reports.getArray()) {
        arrived.add(reader.read(parse(report)));
      }
    }
    return new Inserted(micros, stored, arrived);
  }

  static OutcomeReport parse(byte[] report) {
    try {
      return OutcomeReport.parseFrom(report);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a kept outcome can't be read", e);
    }
  }

  /** Sets the arrays of a statement, one column after the other. */
  private static final class Columns {
    private final Connection connection;
    private final PreparedStatement statement;
    private final List<IncomingPrediction> items;
    private int next;

    private Columns(
        Connection connection,
        PreparedStatement statement,
        List<IncomingPrediction> items,
        int first) {
      this.connection = connection;
      this.statement = statement;
      this.items = items;
      this.next = first;
    }

    private void setAll() throws SQLException {
      ids(IncomingPrediction::id);
      texts(IncomingPrediction::model);
      texts(IncomingPrediction::version);
      texts(IncomingPrediction::type);
      texts(IncomingPrediction::segment);
      doubles(IncomingPrediction::value);
      texts(IncomingPrediction::label);
      json(IncomingPrediction::result);
      json(IncomingPrediction::features);
      ints(IncomingPrediction::featureCount);
      doubles(IncomingPrediction::confidence);
      doubles(IncomingPrediction::anomalyScore);
      ints(it -> it.anomaly() ? 1 : 0);
      texts(IncomingPrediction::severity);
      ints(IncomingPrediction::responseMs);
      ids(IncomingPrediction::user);
      texts(IncomingPrediction::sourceRequest);
      ids(IncomingPrediction::cacheEntry);
      @Nullable Long[] times =
          items.stream().map(IncomingPrediction::predictedMicros).toArray(Long[]::new);
      statement.setArray(next++, BinaryArray.ofTimes(connection, times));
      ByteString[] digests =
          items.stream().map(IncomingPrediction::digest).toArray(ByteString[]::new);
      statement.setArray(next++, BinaryArray.ofBytes(connection, digests));
    }

    private void ids(Function<IncomingPrediction, @Nullable UUID> column) throws SQLException {
      @Nullable UUID[] values = items.stream().map(column).toArray(UUID[]::new);
      statement.setArray(next++, BinaryArray.of(connection, values));
    }

    private void texts(Function<IncomingPrediction, @Nullable String> column) throws SQLException {
      @Nullable String[] values = items.stream().map(column).toArray(String[]::new);
      statement.setArray(next++, BinaryArray.ofTexts(connection, values));
    }

    private void doubles(Function<IncomingPrediction, @Nullable Double> column)
        throws SQLException {
      @Nullable Double[] values = items.stream().map(column).toArray(Double[]::new);
      statement.setArray(next++, BinaryArray.ofDoubles(connection, values));
    }

    private void ints(Function<IncomingPrediction, @Nullable Integer> column) throws SQLException {
      @Nullable Integer[] values = items.stream().map(column).toArray(Integer[]::new);
      statement.setArray(next++, BinaryArray.ofInts(connection, values));
    }

    private void json(Function<IncomingPrediction, @Nullable ByteString> column)
        throws SQLException {
      @Nullable ByteString[] values = items.stream().map(column).toArray(ByteString[]::new);
      statement.setArray(next++, BinaryArray.ofJson(connection, values));
    }
  }

  /** What is logged under those of the ids that are taken. */
  Map<UUID, Recorded> findRecorded(DSLContext dsl, UUID tenant, Collection<UUID> ids) {
    return find(dsl, RECORDED, tenant, ids);
  }

  /**
   * The same for a caller who is told that they are logged: a replica has them, if there is one.
   */
  Map<UUID, Recorded> findReplicated(DSLContext dsl, UUID tenant, Collection<UUID> ids) {
    return find(dsl, MARKED, tenant, ids);
  }

  private static Map<UUID, Recorded> find(
      DSLContext dsl, String query, UUID tenant, Collection<UUID> ids) {
    Map<UUID, Recorded> found = new HashMap<>();
    dsl.fetch(query, DSL.val(tenant), DSL.val(ids.toArray(UUID[]::new)))
        .forEach(row ->
            found.put(
                row.get(0, UUID.class),
                new Recorded(
                    Times.micros(row.get(1, Instant.class)),
                    ByteString.copyFrom(row.get(2, byte[].class)))));
    return found;
  }
}
