package io.rapport.versioning.dataset;

import static io.rapport.db.generated.versioning.Tables.RECORDED_EVENTS;

import com.google.protobuf.ByteString;
import io.grpc.Status.Code;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TimePlace;
import io.rapport.platform.Times;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.versioning.v1.DatasetManifest;
import io.rapport.versioning.v1.DatasetRow;
import io.rapport.versioning.v1.DatasetSource;
import io.rapport.versioning.v1.FeatureSchema;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.jooq.Cursor;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** The rows of frozen datasets, which are events, in PostgreSQL. */
final class FrozenStore {
  private static final int FETCH_SIZE = 500;
  private static final int FETCH_SIZE_WITH_DATA = 20; // that of one may be some megabytes
  private static final int MAX_FEATURES = 1000;
  private static final int PART_BYTES = 512 * 1024;

  private static final String NOW =
      """
      SELECT COALESCE(h.position, 0) AS position, clock_timestamp() AS at,
        pg_current_snapshot()::text AS snapshot, c.data_count, c.since_at,
        CASE WHEN NOT c.recount THEN d.sources_revision END AS sources_revision,
        COALESCE(h.trimmed_to, 0) AS trimmed_to
        FROM versioning.dataset_counts c
        JOIN versioning.training_datasets d
          ON d.tenant_id = c.tenant_id AND d.id = c.dataset_id
        LEFT JOIN platform.tenant_heads h ON h.tenant_id = c.tenant_id
       WHERE c.tenant_id = {0} AND c.dataset_id = {1}
      """;

  /**
   * The snapshot of an older position: what committed later, too, is taken as under way. No
   * transaction takes an hour, so those that overlap the position's stand near it in the log.
   */
  private static final String THEN =
      """
      WITH present AS MATERIALIZED (
      NOW
      ), started AS (
        SELECT max(l.changed_at) AS at FROM platform.change_log l
         WHERE l.tenant_id = {0} AND l.position = {2}
      ), last AS (
        SELECT max(l.changed_at) AS at FROM platform.change_log l
         WHERE l.tenant_id = {0} AND l.position <= {2} AND l.position > COALESCE((
           SELECT b.position FROM platform.change_log b, started
            WHERE b.tenant_id = {0} AND b.position < {2}
              AND b.changed_at < started.at - interval '1 hour'
            ORDER BY b.position DESC LIMIT 1), 0)
      ), later AS (
        SELECT l.batch FROM platform.change_log l, last
         WHERE l.tenant_id = {0} AND l.position > {2} AND l.kind = 'event'
           AND l.changed_at <= last.at AND l.position < COALESCE((
             SELECT a.position FROM platform.change_log a, last
              WHERE a.tenant_id = {0} AND a.position > {2}
                AND a.changed_at > last.at + interval '1 hour'
              ORDER BY a.position LIMIT 1), {3})
        UNION
        SELECT pg_snapshot_xip(snapshot::pg_snapshot)::text::bigint FROM present
      ), past AS (
        SELECT LEAST(pg_snapshot_xmin(p.snapshot::pg_snapshot)::text::bigint, min(l.batch)) || ':'
          || pg_snapshot_xmax(p.snapshot::pg_snapshot) || ':'
          || COALESCE(string_agg(l.batch::text, ',' ORDER BY l.batch), '') AS snapshot
          FROM present p LEFT JOIN later l ON true GROUP BY p.snapshot
      )
      SELECT p.*, last.at, past.snapshot, CASE WHEN {2} < p.position THEN (
        SELECT count(*) FROM versioning.recorded_events e
          JOIN versioning.dataset_sources s ON s.event_type = e.event_type
         WHERE e.tenant_id = {0} AND s.tenant_id = {0} AND s.dataset_id = {1}
           AND (s.conditions = '[]' OR versioning.matches(s.conditions, e.event_data))
           AND e.recorded_at > last.at - interval '1 hour'
           AND (e.recorded_at > last.at
             OR NOT pg_visible_in_snapshot(e.batch::text::xid8, past.snapshot::pg_snapshot))) END
        FROM present p, last, past
      """
          .replace("NOW\n", NOW);

  private static final String FROZEN =
      """
        FROM versioning.recorded_events e
        JOIN versioning.dataset_sources s ON s.event_type = e.event_type
       WHERE e.tenant_id = {0} AND s.tenant_id = {0} AND s.dataset_id = {1}
         AND (s.conditions = '[]' OR versioning.matches(s.conditions, e.event_data))
         AND e.recorded_at <= {2}
         AND pg_visible_in_snapshot(e.batch::text::xid8, {3}::pg_snapshot)
      """;

  private static final String ROWS =
      """
      SELECT e.recorded_at, e.id, e.event_type, versioning.row_digests(
          e.id, e.user_id, e.event_type, e.occurred_at, e.event_data)
      """
          + FROZEN
          + "ORDER BY e.recorded_at, e.id";

  private static final String FEATURES =
      """
      SELECT key, array_agg(type ORDER BY type), array_agg(n ORDER BY type)
        FROM (
          SELECT k.key, jsonb_typeof(k.value) AS type, count(*) AS n
            FROM (SELECT versioning.features({4}::text[], e.event_data) AS data
      """
          + FROZEN
          + """
                ) f
               CROSS JOIN LATERAL jsonb_each(f.data) k
               GROUP BY k.key, jsonb_typeof(k.value)) t
           GROUP BY key ORDER BY sum(n) DESC, key COLLATE "C" LIMIT {5}
          """;

  private static final String PRESENT =
      """
      SELECT e.recorded_at, e.id, e.user_id, e.event_type, e.occurred_at,
        versioning.features({6}::text[], e.event_data)::text, versioning.row_digests(
          e.id, e.user_id, e.event_type, e.occurred_at, e.event_data)
        FROM versioning.recorded_events e
       WHERE e.tenant_id = {0} AND e.event_type = ANY ({5}::text[])
         AND e.recorded_at BETWEEN {1} AND {3}
         AND (e.recorded_at, e.id) %s ({1}, {2}) AND (e.recorded_at, e.id) <= ({3}, {4})
       ORDER BY e.recorded_at, e.id
      """;

  /**
   * A moment in the order of a tenant's commits.
   *
   * @param at no event of these commits was recorded later
   * @param snapshot sees the transactions of these commits
   * @param count how many events had come by then that no training had had
   */
  record Moment(long position, Instant at, String snapshot, Count count) {}

  /**
   * A count, and what it was made by.
   *
   * @param since what was recorded until then was not counted, for a training had had it; null: all
   *     was counted
   * @param sourcesRevision of the sources; null: they had changed, and it was to be made anew
   */
  record Count(long events, @Nullable Instant since, @Nullable Long sourcesRevision) {
    Count without(long later) {
      return new Count(Math.max(0, events - later), since, sourcesRevision);
    }
  }

  /** A row to be frozen. */
  record Row(TimePlace place, String type, ByteString digests) {}

  /** A row of a frozen dataset that is still there. */
  record Present(TimePlace place, DatasetRow row, ByteString digests) {}

  /** Rows that follow each other, and whether more do. */
  record Part(List<Present> rows, boolean more) {}

  /** As of now. */
  Moment now(DSLContext tx, UUID tenant, UUID dataset) {
    return moment(tx.fetchSingle(NOW, DSL.val(tenant), DSL.val(dataset)));
  }

  private static Moment moment(Record row) {
    return new Moment(
        row.get(0, Long.class),
        row.get(1, Instant.class),
        row.get(2, String.class),
        new Count(row.get(3, Long.class), row.get(4, Instant.class), row.get(5, Long.class)));
  }

  /** As of a commit; throws if there is no such commit, or the log doesn't tell of it any more. */
  Moment at(DSLContext tx, UUID tenant, UUID dataset, long position) {
    Record row =
        tx.fetchSingle(
            THEN, DSL.val(tenant), DSL.val(dataset), DSL.val(position), DSL.val(Long.MAX_VALUE));
    Moment now = moment(row);
    if (position == now.position()) {
      return now;
    }
    if (position > now.position()) {
      throw ServiceException.invalid(
          "position", ErrorReason.POSITION_INVALID, "is one that no commit has");
    }
    if (position <= row.get(6, Long.class)) {
      throw ServiceException.of(
          Code.OUT_OF_RANGE,
          ErrorReason.POSITION_NOT_KEPT,
          "the change log no longer reaches back to this position");
    }
    return new Moment(
        position,
        row.get(7, Instant.class),
        row.get(8, String.class),
        now.count().without(row.get(9, Long.class)));
  }

  /** Gives all rows of a dataset as of a moment, in their order. */
  void forEach(DSLContext tx, UUID tenant, UUID dataset, Moment moment, Consumer<Row> taker) {
    var rows =
        tx.resultQuery(
            ROWS, DSL.val(tenant), DSL.val(dataset), time(moment.at()), DSL.val(moment.snapshot()));
    try (Cursor<Record> cursor = rows.fetchSize(FETCH_SIZE).fetchLazy()) {
      for (Record row : cursor) {
        taker.accept(
            new Row(
                new TimePlace(row.get(0, Instant.class), row.get(1, UUID.class)),
                row.get(2, String.class),
                ByteString.copyFrom(row.get(3, byte[].class))));
      }
    }
  }

  /** The features of a dataset as of a moment, those that most rows have. */
  List<FeatureSchema> features(
      DSLContext tx, UUID tenant, Dataset dataset, Moment moment, long rows) {
    String[] names = dataset.proto().getFeaturesList().toArray(String[]::new);
    return tx.fetch(
            FEATURES,
            DSL.val(tenant),
            DSL.val(dataset.id()),
            time(moment.at()),
            DSL.val(moment.snapshot()),
            DSL.val(names),
            DSL.val(MAX_FEATURES))
        .map(row -> feature(row, rows));
  }

  private static FeatureSchema feature(Record row, long rows) {
    FeatureSchema.Builder feature = FeatureSchema.newBuilder().setName(row.get(0, String.class));
    String[] types = row.get(1, String[].class);
    Long[] counts = row.get(2, Long[].class);
    long filled = 0;
    for (int i = 0; i < types.length; i++) {
      feature.putTypes(types[i], counts[i]);
      filled += types[i].equals("null") ? 0 : counts[i];
    }
    return feature.setFilled((double) filled / rows).build();
  }

  /** The events of a range from its first on, as many as are not too large together. */
  Part from(DSLContext tx, UUID tenant, DatasetManifest manifest, TimePlace first, TimePlace last) {
    return present(tx, tenant, manifest, PRESENT.formatted(">="), first, last);
  }

  /** The same from the next one after a place on. */
  Part after(
      DSLContext tx, UUID tenant, DatasetManifest manifest, TimePlace place, TimePlace last) {
    return present(tx, tenant, manifest, PRESENT.formatted(">"), place, last);
  }

  private static Part present(
      DSLContext tx,
      UUID tenant,
      DatasetManifest manifest,
      String sql,
      TimePlace from,
      TimePlace to) {
    String[] types =
        manifest.getSourcesList().stream().map(DatasetSource::getEventType).toArray(String[]::new);
    var rows =
        tx.resultQuery(
            sql,
            DSL.val(tenant),
            time(from.time()),
            DSL.val(from.id()),
            time(to.time()),
            DSL.val(to.id()),
            DSL.val(types),
            DSL.val(manifest.getFeatureNamesList().toArray(String[]::new)));
    List<Present> part = new ArrayList<>();
    int bytes = 0;
    try (Cursor<Record> cursor = rows.fetchSize(FETCH_SIZE_WITH_DATA).fetchLazy()) {
      for (Record row : cursor) {
        if (bytes > PART_BYTES) {
          return new Part(part, true);
        }
        Present present = present(row);
        bytes += present.row().getSerializedSize();
        part.add(present);
      }
    }
    return new Part(part, false);
  }

  private static Present present(Record row) {
    Instant recorded = row.get(0, Instant.class);
    UUID id = row.get(1, UUID.class);
    return new Present(
        new TimePlace(recorded, id),
        DatasetRow.newBuilder()
            .setEventId(id.toString())
            .setUserId(row.get(2, UUID.class).toString())
            .setEventType(row.get(3, String.class))
            .setOccurredAt(Times.proto(row.get(4, Instant.class)))
            .setRecordedAt(Times.proto(recorded))
            .setFeaturesJson(ByteString.copyFromUtf8(row.get(5, String.class)))
            .build(),
        ByteString.copyFrom(row.get(6, byte[].class)));
  }

  private static Field<Instant> time(Instant at) {
    return DSL.val(at, RECORDED_EVENTS.RECORDED_AT.getDataType());
  }
}
