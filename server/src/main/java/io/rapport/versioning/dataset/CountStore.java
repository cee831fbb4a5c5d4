package io.rapport.versioning.dataset;

import static io.rapport.db.generated.versioning.Tables.DATASET_COUNTS;
import static io.rapport.db.generated.versioning.Tables.TRAINING_DATASETS;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/**
 * How much has come of each dataset, and what it is good for, in PostgreSQL. Its rows are written
 * under the lock of the tenant's head.
 */
final class CountStore {
  /** That no training has had, and that the transaction sees. */
  private static final String MATCHING =
      """
        FROM versioning.dataset_counts c
        JOIN versioning.dataset_sources s
          ON s.tenant_id = c.tenant_id AND s.dataset_id = c.dataset_id
        JOIN versioning.recorded_events e
          ON e.tenant_id = {0} AND e.event_type = s.event_type
       WHERE c.tenant_id = {0} AND c.dataset_id = {1}
         AND (s.conditions = '[]' OR versioning.matches(s.conditions, e.event_data))
         AND (c.since_at IS NULL OR e.recorded_at > c.since_at
           OR NOT pg_visible_in_snapshot(e.batch::text::xid8, c.since_snapshot::pg_snapshot))
      """;

  private static final String COUNT =
      """
      SELECT COALESCE((
        SELECT position FROM platform.tenant_heads WHERE tenant_id = {0}), 0), count(*)
      """
          + MATCHING;

  /** What came by later commits. The log finds them, so that nothing else need be read. */
  private static final String FURTHER =
      """
      SELECT count(*)
        FROM platform.change_log l
       CROSS JOIN LATERAL (
         SELECT r.event_type, r.event_data
           FROM versioning.recorded_events r
          WHERE r.tenant_id = {0} AND r.recorded_at = l.changed_at AND r.batch = l.batch
         OFFSET 0) e
        JOIN versioning.dataset_sources s
          ON s.tenant_id = {0} AND s.dataset_id = {1} AND s.event_type = e.event_type
       WHERE l.tenant_id = {0} AND l.position > {2} AND l.kind = 'event'
         AND (s.conditions = '[]' OR versioning.matches(s.conditions, e.event_data))
      """;

  /** All that is there, whatever the sources are. */
  private static final String NONE_LEFT =
      """
      UPDATE versioning.dataset_counts c
         SET data_count = 0, recount = false, since_at = clock_timestamp(),
           since_snapshot = pg_current_snapshot()::text
       WHERE c.tenant_id = {0} AND c.dataset_id = {1}
      """;

  /**
   * Unless a training has had later events already. What had come by the freezing can be taken off
   * if it was counted as what has come by now is; else the count is made anew.
   */
  private static final String LATER_LEFT =
      """
      UPDATE versioning.dataset_counts c
         SET data_count = CASE WHEN m.counted_alike
               THEN GREATEST(c.data_count - m.data_count, 0) ELSE c.data_count END,
           recount = c.recount OR NOT m.counted_alike,
           since_at = m.frozen_at, since_snapshot = m.snapshot
        FROM (
          SELECT m.frozen_at, m.snapshot, m.data_count,
            COALESCE(m.sources_revision = d.sources_revision, false)
              AND m.counted_since IS NOT DISTINCT FROM k.since_at AS counted_alike
            FROM versioning.dataset_manifests m
            JOIN versioning.training_datasets d
              ON d.tenant_id = m.tenant_id AND d.id = m.training_dataset_id
            JOIN versioning.dataset_counts k
              ON k.tenant_id = m.tenant_id AND k.dataset_id = m.training_dataset_id
           WHERE m.tenant_id = {0} AND m.training_dataset_id = {1} AND m.id = {2}) m
       WHERE c.tenant_id = {0} AND c.dataset_id = {1}
         AND m.frozen_at > COALESCE(c.since_at, '-infinity')
      """;

  private static final String TRAINED =
      """
      WITH counted AS (
        UPDATE versioning.dataset_counts c
           SET due = false, next_assessment_at = NULL
         WHERE c.tenant_id = {0} AND c.dataset_id = {1}
      )
      UPDATE versioning.training_datasets d
         SET threshold_reached = false, is_ready_for_training = false,
           last_trained_at = {2}, revision = d.revision + 1, updated_at = now()
       WHERE d.tenant_id = {0} AND d.id = {1}
      """;

  private static final String NOT_TRAINED =
      """
      WITH counted AS (
        UPDATE versioning.dataset_counts c
           SET next_assessment_at = c.data_count + GREATEST(1, (d.threshold + 9) / 10)
          FROM versioning.training_datasets d
         WHERE c.tenant_id = {0} AND c.dataset_id = {1}
           AND d.tenant_id = {0} AND d.id = {1} AND d.is_ready_for_training
      )
      UPDATE versioning.training_datasets d
         SET is_ready_for_training = false, revision = d.revision + 1, updated_at = now()
       WHERE d.tenant_id = {0} AND d.id = {1} AND d.is_ready_for_training
      RETURNING d.revision
      """;

  private static final String ASSESSED =
      """
      WITH counted AS (
        UPDATE versioning.dataset_counts c
           SET due = false,
             next_assessment_at = CASE
               WHEN {3} OR NOT d.threshold_reached THEN NULL
               WHEN c.next_assessment_at > c.data_count THEN c.next_assessment_at
               ELSE c.data_count + GREATEST(1, (d.threshold + 9) / 10) END
          FROM versioning.training_datasets d
         WHERE c.tenant_id = {0} AND c.dataset_id = {1}
           AND d.tenant_id = {0} AND d.id = {1}
      )
      UPDATE versioning.training_datasets d
         SET data_quality_score = {2}, is_ready_for_training = {3},
           revision = d.revision + 1, updated_at = now()
       WHERE d.tenant_id = {0} AND d.id = {1}
      """;

  /** A count, and the last commit that it has seen. */
  record Counted(long position, long count) {}

  /** What a count is made by. */
  record Basis(long sourcesRevision, @Nullable Instant since) {}

  /** What an assessment says of a dataset. */
  record Verdict(double score, boolean ready) {}

  /** The tenants with datasets that are to be counted or assessed. */
  List<UUID> tenantsWithWork(DSLContext system) {
    return system.fetch("SELECT * FROM versioning.tenants_with_work()").getValues(0, UUID.class);
  }

  /** The tenant's datasets that are to be counted. */
  List<UUID> toCount(DSLContext dsl, UUID tenant) {
    return dsl.select(DATASET_COUNTS.DATASET_ID)
        .from(DATASET_COUNTS)
        .where(DATASET_COUNTS.TENANT_ID.eq(tenant), DATASET_COUNTS.RECOUNT.isTrue())
        .fetch(DATASET_COUNTS.DATASET_ID);
  }

  /** The tenant's datasets that are to be assessed. */
  List<UUID> toAssess(DSLContext dsl, UUID tenant) {
    return dsl.select(DATASET_COUNTS.DATASET_ID)
        .from(DATASET_COUNTS)
        .where(DATASET_COUNTS.TENANT_ID.eq(tenant), DATASET_COUNTS.DUE.isTrue())
        .fetch(DATASET_COUNTS.DATASET_ID);
  }

  boolean isDue(DSLContext dsl, UUID tenant, UUID dataset) {
    return toAssess(dsl, tenant).contains(dataset);
  }

  /** Whether this transaction may do the dataset's work; of several servers one may. */
  boolean claim(DSLContext tx, UUID tenant, UUID dataset) {
    return tx.fetchSingle(
            "SELECT pg_try_advisory_xact_lock(hashtextextended('versioning.work/' || {0}, 0))",
            DSL.val(tenant + "/" + dataset))
        .get(0, Boolean.class);
  }

  /** By what to count a dataset anew; empty if it needn't be. */
  Optional<Basis> recountBasis(DSLContext dsl, UUID tenant, UUID dataset) {
    return dsl.select(TRAINING_DATASETS.SOURCES_REVISION, DATASET_COUNTS.SINCE_AT)
        .from(DATASET_COUNTS)
        .join(TRAINING_DATASETS)
        .on(
            TRAINING_DATASETS.TENANT_ID.eq(DATASET_COUNTS.TENANT_ID),
            TRAINING_DATASETS.ID.eq(DATASET_COUNTS.DATASET_ID))
        .where(
            DATASET_COUNTS.TENANT_ID.eq(tenant),
            DATASET_COUNTS.DATASET_ID.eq(dataset),
            DATASET_COUNTS.RECOUNT.isTrue())
        .fetchOptional(row -> new Basis(row.value1(), row.value2()));
  }

  /** Counts by the sources as this transaction sees them. */
  Counted count(DSLContext tx, UUID tenant, UUID dataset) {
    Record row = tx.fetchSingle(COUNT, DSL.val(tenant), DSL.val(dataset));
    return new Counted(row.get(0, Long.class), row.get(1, Long.class));
  }

  /** Sets a count and adds what was committed since; the tenant's head must be locked. */
  void set(DSLContext tx, UUID tenant, UUID dataset, Counted counted) {
    long further =
        tx.fetchSingle(FURTHER, DSL.val(tenant), DSL.val(dataset), DSL.val(counted.position()))
            .get(0, Long.class);
    tx.update(DATASET_COUNTS)
        .set(DATASET_COUNTS.DATA_COUNT, counted.count() + further)
        .set(DATASET_COUNTS.RECOUNT, false)
        .where(DATASET_COUNTS.TENANT_ID.eq(tenant), DATASET_COUNTS.DATASET_ID.eq(dataset))
        .execute();
  }

  /** Makes the flags fit the count; returns whether they were others. The head must be locked. */
  boolean checkThreshold(DSLContext tx, UUID tenant, UUID dataset) {
    return tx.fetchSingle(
            "SELECT versioning.check_threshold({0}, {1})", DSL.val(tenant), DSL.val(dataset))
        .get(0, Boolean.class);
  }

  /** What was assessed is no longer what it would be now; the head must be locked. */
  void assessAgain(DSLContext tx, UUID tenant, UUID dataset) {
    tx.update(DATASET_COUNTS)
        .set(DATASET_COUNTS.DUE, true)
        .setNull(DATASET_COUNTS.NEXT_ASSESSMENT_AT)
        .from(TRAINING_DATASETS)
        .where(
            DATASET_COUNTS.TENANT_ID.eq(tenant),
            DATASET_COUNTS.DATASET_ID.eq(dataset),
            TRAINING_DATASETS.TENANT_ID.eq(tenant),
            TRAINING_DATASETS.ID.eq(dataset),
            TRAINING_DATASETS.THRESHOLD_REACHED.isTrue())
        .execute();
  }

  /** Keeps what an assessment found; the head must be locked. */
  void assessed(DSLContext tx, UUID tenant, UUID dataset, Verdict verdict) {
    tx.execute(
        ASSESSED,
        DSL.val(tenant),
        DSL.val(dataset),
        DSL.val(verdict.score()),
        DSL.val(verdict.ready()));
  }

  /**
   * A training is done: what was frozen for it no longer counts. The head must be locked.
   *
   * @param manifest what was frozen; null: all that is there
   * @return whether there is such a dataset
   */
  boolean trained(DSLContext tx, UUID tenant, UUID dataset, @Nullable UUID manifest, Instant at) {
    if (manifest == null) {
      tx.execute(NONE_LEFT, DSL.val(tenant), DSL.val(dataset));
    } else {
      tx.execute(LATER_LEFT, DSL.val(tenant), DSL.val(dataset), DSL.val(manifest));
    }
    return tx.execute(
            TRAINED,
            DSL.val(tenant),
            DSL.val(dataset),
            DSL.val(at, TRAINING_DATASETS.LAST_TRAINED_AT.getDataType()))
        > 0;
  }

  /**
   * A training came to nothing: a dataset that was ready no longer is, until it has more and is
   * assessed again. The head must be locked.
   *
   * @return its revision; empty if it wasn't ready
   */
  Optional<Long> notTrained(DSLContext tx, UUID tenant, UUID dataset) {
    return tx.fetch(NOT_TRAINED, DSL.val(tenant), DSL.val(dataset)).stream()
        .findFirst()
        .map(row -> row.get(0, Long.class));
  }
}
