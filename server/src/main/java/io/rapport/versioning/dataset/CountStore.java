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

  private static final String COUNT = "SELECT pg_current_snapshot()::text, count(*)" + MATCHING;

  /** What was committed since a snapshot was taken in this transaction. */
  private static final String FURTHER =
      "SELECT count(*)"
          + MATCHING
          + """
            AND e.recorded_at > now() - interval '1 hour'
            AND NOT pg_visible_in_snapshot(e.batch::text::xid8, {2}::pg_snapshot)
          """;

  private static final String TRAINED =
      """
      WITH frozen AS (
        SELECT m.frozen_at, m.snapshot, m.data_count
          FROM versioning.dataset_manifests m
          JOIN versioning.dataset_counts c
            ON c.tenant_id = m.tenant_id AND c.dataset_id = m.training_dataset_id
         WHERE m.tenant_id = {0} AND m.training_dataset_id = {1}
           AND (m.id = {3} OR {3} IS NULL AND m.frozen_at > COALESCE(c.since_at, '-infinity'))
         ORDER BY m.created_at DESC, m.id DESC LIMIT 1
      ), counted AS (
        UPDATE versioning.dataset_counts c
           SET data_count = COALESCE(
                 GREATEST(c.data_count - (SELECT data_count FROM frozen), 0), 0),
             since_at = COALESCE((SELECT frozen_at FROM frozen), clock_timestamp()),
             since_snapshot =
               COALESCE((SELECT snapshot FROM frozen), pg_current_snapshot()::text),
             due = false, next_assessment_at = NULL
         WHERE c.tenant_id = {0} AND c.dataset_id = {1}
      )
      UPDATE versioning.training_datasets d
         SET threshold_reached = false, is_ready_for_training = false,
           last_trained_at = {2}, revision = d.revision + 1, updated_at = now()
       WHERE d.tenant_id = {0} AND d.id = {1}
      RETURNING 1
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
             next_assessment_at = CASE WHEN d.threshold_reached AND NOT {3}
               THEN c.data_count + GREATEST(1, (d.threshold + 9) / 10) END
          FROM versioning.training_datasets d
         WHERE c.tenant_id = {0} AND c.dataset_id = {1}
           AND d.tenant_id = {0} AND d.id = {1}
      )
      UPDATE versioning.training_datasets d
         SET data_quality_score = {2}, is_ready_for_training = {3},
           revision = d.revision + 1, updated_at = now()
       WHERE d.tenant_id = {0} AND d.id = {1}
      """;

  /** A count, and which transactions it has seen. */
  record Counted(String snapshot, long count) {}

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

  /** Counts by the sources as this transaction sees them. */
  Counted count(DSLContext tx, UUID tenant, UUID dataset) {
    Record row = tx.fetchSingle(COUNT, DSL.val(tenant), DSL.val(dataset));
    return new Counted(row.get(0, String.class), row.get(1, Long.class));
  }

  /** Sets a count and adds what was committed since; the tenant's head must be locked. */
  void set(DSLContext tx, UUID tenant, UUID dataset, Counted counted) {
    long further =
        tx.fetchSingle(FURTHER, DSL.val(tenant), DSL.val(dataset), DSL.val(counted.snapshot()))
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
            TRAINING_DATASETS.THRESHOLD_REACHED.isTrue(),
            TRAINING_DATASETS.IS_READY_FOR_TRAINING.isFalse())
        .execute();
  }

  /** Keeps what an assessment found; the head must be locked. */
  void assessed(DSLContext tx, UUID tenant, UUID dataset, double score, boolean ready) {
    tx.execute(ASSESSED, DSL.val(tenant), DSL.val(dataset), DSL.val(score), DSL.val(ready));
  }

  /**
   * A training is done: what was frozen for it no longer counts, or, if nothing was, what is there.
   * The head must be locked.
   *
   * @param manifest what was frozen; null: the last since the training before
   * @return whether there is such a dataset
   */
  boolean trained(DSLContext tx, UUID tenant, UUID dataset, @Nullable UUID manifest, Instant at) {
    return !tx.fetch(
            TRAINED,
            DSL.val(tenant),
            DSL.val(dataset),
            DSL.val(at, TRAINING_DATASETS.LAST_TRAINED_AT.getDataType()),
            DSL.val(manifest, UUID.class).cast(UUID.class))
        .isEmpty();
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
