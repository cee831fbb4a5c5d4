package io.rapport.versioning.training;

import io.rapport.platform.Ids;
import io.rapport.versioning.v1.TrainingEvent.Cause;
import io.rapport.versioning.v1.TrainingEvent.Status;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** Trainings in PostgreSQL, by whose clock leases end. */
final class TrainingStore {
  /** What trainings are called in the change log. */
  static final String KIND = "versioning.training_event";

  /** A training that is to be. */
  record New(
      String modelType,
      UUID dataset,
      @Nullable UUID manifest,
      Cause cause,
      int priority,
      String by,
      String reason) {}

  /** A training that nobody else changes until the transaction ends. */
  record Locked(
      UUID id,
      String modelType,
      UUID dataset,
      @Nullable UUID manifest,
      Status status,
      @Nullable UUID lease,
      boolean leaseHolds,
      boolean attemptsLeft,
      boolean approved,
      long revision) {}

  /** What a training is now. */
  record Changed(UUID id, long revision) {}

  /** What became of a training whose worker was lost. */
  record Reaped(Changed changed, UUID dataset, Status status) {}

  /**
   * A result of a training, as JSON where it is structured.
   *
   * @param manifest what it was trained with; null if nobody said
   */
  record Result(
      @Nullable UUID manifest,
      String modelPath,
      String digest,
      @Nullable String previousPath,
      @Nullable Double score,
      long dataSize,
      String metrics) {}

  /** The dataset that models of a type are trained with. */
  Optional<UUID> dataset(DSLContext dsl, UUID tenant, String modelType) {
    return dsl
        .fetch(
            """
            SELECT id FROM versioning.training_datasets
             WHERE tenant_id = {0} AND dataset_type = {1}
            """,
            DSL.val(tenant), DSL.val(modelType))
        .stream()
        .findFirst()
        .map(row -> row.get(0, UUID.class));
  }

  boolean isManifestOf(DSLContext dsl, UUID tenant, UUID manifest, UUID dataset) {
    return !dsl.fetch(
            """
            SELECT 1 FROM versioning.dataset_manifests
             WHERE tenant_id = {0} AND id = {1} AND training_dataset_id = {2}
            """,
            DSL.val(tenant), DSL.val(manifest), DSL.val(dataset))
        .isEmpty();
  }

  /** The training of this type that waits or is being done. */
  Optional<UUID> open(DSLContext dsl, UUID tenant, String modelType) {
    return dsl
        .fetch(
            """
            SELECT id FROM versioning.model_training_events
             WHERE tenant_id = {0} AND model_type = {1} AND status IN ('PENDING', 'IN_PROGRESS')
            """,
            DSL.val(tenant), DSL.val(modelType))
        .stream()
        .findFirst()
        .map(row -> row.get(0, UUID.class));
  }

  /** Empty if one of this type is open. */
  Optional<UUID> insert(DSLContext tx, UUID tenant, New training) {
    return tx
        .fetch(
            """
            INSERT INTO versioning.model_training_events (tenant_id, id, model_type,
              training_dataset_id, manifest_id, cause, priority, requested_by, reason,
              max_attempts)
            VALUES ({0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, NULLIF({8}, ''), COALESCE((
              SELECT max_training_attempts FROM versioning.promotion_policies p
               WHERE p.tenant_id = {0} AND p.model_type = {2} AND p.active), 3))
            ON CONFLICT (tenant_id, model_type) WHERE status IN ('PENDING', 'IN_PROGRESS')
              DO NOTHING
            RETURNING id
            """,
            DSL.val(tenant),
            DSL.val(Ids.next()),
            DSL.val(training.modelType()),
            DSL.val(training.dataset()),
            DSL.val(training.manifest(), UUID.class),
            DSL.val(training.cause().name()),
            DSL.val(training.priority()),
            DSL.val(training.by()),
            DSL.val(training.reason()))
        .stream()
        .findFirst()
        .map(row -> row.get(0, UUID.class));
  }

  /** Gives a worker the most urgent of some types, or of all if none is named. */
  Optional<Changed> claim(
      DSLContext tx, UUID tenant, List<String> types, String worker, UUID lease, Duration time) {
    return tx
        .fetch(
            """
            UPDATE versioning.model_training_events SET status = 'IN_PROGRESS', worker = {2},
              lease_id = {3}, lease_millis = {4}, attempts = attempts + 1, failure = NULL,
              lease_expires_at = clock_timestamp() + {4} * interval '1 millisecond',
              started_at = clock_timestamp(), progress = 0, progress_message = NULL,
              revision = revision + 1, last_updated_at = now()
             WHERE tenant_id = {0} AND id = (
               SELECT id FROM versioning.model_training_events
                WHERE tenant_id = {0} AND status = 'PENDING'
                  AND (cardinality({1}::text[]) = 0 OR model_type = ANY ({1}))
                ORDER BY priority DESC, id LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING id, revision
            """,
            DSL.val(tenant),
            DSL.val(types.toArray(String[]::new)),
            DSL.val(worker),
            DSL.val(lease),
            DSL.val(time.toMillis()))
        .stream()
        .findFirst()
        .map(TrainingStore::changed);
  }

  private static Changed changed(Record row) {
    return new Changed(row.get(0, UUID.class), row.get(1, Long.class));
  }

  /** The model types of which tenants have something to claim. */
  Map<UUID, Set<String>> pending(DSLContext system, Collection<UUID> tenants) {
    return system
        .fetch(
            """
            SELECT tenant_id, model_type FROM versioning.model_training_events
             WHERE tenant_id = ANY ({0}) AND status = 'PENDING'
            """,
            DSL.val(tenants.toArray(UUID[]::new)))
        .stream()
        .collect(
            Collectors.groupingBy(
                row -> row.get(0, UUID.class),
                Collectors.mapping(row -> row.get(1, String.class), Collectors.toSet())));
  }

  Optional<Locked> lock(DSLContext tx, UUID tenant, UUID id) {
    return tx
        .fetch(
            """
            SELECT id, model_type, training_dataset_id, manifest_id, status, lease_id,
              COALESCE(lease_expires_at > clock_timestamp(), false), attempts < max_attempts,
              deployment_approved, revision
              FROM versioning.model_training_events
             WHERE tenant_id = {0} AND id = {1} FOR UPDATE
            """,
            DSL.val(tenant), DSL.val(id))
        .stream()
        .findFirst()
        .map(row ->
            new Locked(
                row.get(0, UUID.class),
                row.get(1, String.class),
                row.get(2, UUID.class),
                row.get(3, UUID.class),
                Status.valueOf(row.get(4, String.class)),
                row.get(5, UUID.class),
                row.get(6, Boolean.class),
                row.get(7, Boolean.class),
                row.get(8, Boolean.class),
                row.get(9, Long.class)));
  }

  /** Has a training that waits go before others; empty if it does so already, or doesn't wait. */
  Optional<Changed> raisePriority(DSLContext tx, UUID tenant, UUID id, int priority) {
    return tx
        .fetch(
            """
            UPDATE versioning.model_training_events
               SET priority = {2}, revision = revision + 1, last_updated_at = now()
             WHERE tenant_id = {0} AND id = {1} AND status = 'PENDING' AND priority < {2}
            RETURNING id, revision
            """,
            DSL.val(tenant), DSL.val(id), DSL.val(priority))
        .stream()
        .findFirst()
        .map(TrainingStore::changed);
  }

  /** Extends the lease, which no entity shows, without making the training another one. */
  void extend(DSLContext tx, UUID tenant, UUID id) {
    tx.execute(
        """
        UPDATE versioning.model_training_events
           SET lease_expires_at = clock_timestamp() + lease_millis * interval '1 millisecond'
         WHERE tenant_id = {0} AND id = {1}
        """,
        DSL.val(tenant), DSL.val(id));
  }

  /** The training's revision if what was told is new; empty if it was told before. */
  Optional<Changed> progress(
      DSLContext tx, UUID tenant, UUID id, @Nullable Double progress, String message) {
    return tx
        .fetch(
            """
            UPDATE versioning.model_training_events
               SET progress = COALESCE({2}, progress),
                 progress_message = COALESCE(NULLIF({3}, ''), progress_message),
                 revision = revision + 1, last_updated_at = now()
             WHERE tenant_id = {0} AND id = {1}
               AND (progress <> COALESCE({2}, progress)
                 OR COALESCE(progress_message, '')
                   <> COALESCE(NULLIF({3}, ''), progress_message, ''))
            RETURNING id, revision
            """,
            DSL.val(tenant), DSL.val(id), DSL.val(progress, Double.class), DSL.val(message))
        .stream()
        .findFirst()
        .map(TrainingStore::changed);
  }

  Changed complete(DSLContext tx, UUID tenant, UUID id, Result result) {
    return changed(
        tx.fetchSingle(
            """
            UPDATE versioning.model_training_events SET status = 'COMPLETED', lease_id = NULL,
              lease_expires_at = NULL, progress = 1, ended_at = clock_timestamp(),
              model_path = {2}, artefact_digest = NULLIF({3}, ''), previous_model_path = {4},
              validation_score = {5}, training_data_size = {6},
              performance_metrics = {7}::jsonb, manifest_id = {8},
              revision = revision + 1, last_updated_at = now()
             WHERE tenant_id = {0} AND id = {1}
            RETURNING id, revision
            """,
            DSL.val(tenant),
            DSL.val(id),
            DSL.val(result.modelPath()),
            DSL.val(result.digest()),
            DSL.val(result.previousPath(), String.class),
            DSL.val(result.score(), Double.class),
            DSL.val(result.dataSize()),
            DSL.val(result.metrics()),
            DSL.val(result.manifest(), UUID.class)));
  }

  /**
   * Ends an attempt.
   *
   * @param next PENDING if another is made, else FAILED
   */
  Changed giveUp(DSLContext tx, UUID tenant, UUID id, Status next, String failure) {
    return changed(
        tx.fetchSingle(
            """
            UPDATE versioning.model_training_events
               SET status = {2}, failure = {3},
                 ended_at = CASE WHEN {2} = 'FAILED' THEN clock_timestamp() END,
                 lease_id = NULL, lease_expires_at = NULL,
                 revision = revision + 1, last_updated_at = now()
             WHERE tenant_id = {0} AND id = {1}
            RETURNING id, revision
            """,
            DSL.val(tenant), DSL.val(id), DSL.val(next.name()), DSL.val(failure)));
  }

  Changed cancel(DSLContext tx, UUID tenant, UUID id, String reason) {
    return changed(
        tx.fetchSingle(
            """
            UPDATE versioning.model_training_events SET status = 'CANCELLED',
              ended_at = clock_timestamp(), lease_id = NULL, lease_expires_at = NULL,
              failure = NULLIF({2}, ''), revision = revision + 1, last_updated_at = now()
             WHERE tenant_id = {0} AND id = {1}
            RETURNING id, revision
            """,
            DSL.val(tenant), DSL.val(id), DSL.val(reason)));
  }

  Changed approve(DSLContext tx, UUID tenant, UUID id, @Nullable String by) {
    return changed(
        tx.fetchSingle(
            """
            UPDATE versioning.model_training_events SET deployment_approved = {2}::text IS NOT NULL,
              approved_by = {2}, approved_at = CASE WHEN {2}::text IS NOT NULL THEN now() END,
              revision = revision + 1, last_updated_at = now()
             WHERE tenant_id = {0} AND id = {1}
            RETURNING id, revision
            """,
            DSL.val(tenant), DSL.val(id), DSL.val(by, String.class)));
  }

  /** Marks a completed training as deployed; empty if it was so already. */
  Optional<Changed> deploy(DSLContext tx, UUID tenant, UUID id) {
    return tx
        .fetch(
            """
            UPDATE versioning.model_training_events SET status = 'DEPLOYED',
              revision = revision + 1, last_updated_at = now()
             WHERE tenant_id = {0} AND id = {1} AND status = 'COMPLETED'
            RETURNING id, revision
            """,
            DSL.val(tenant), DSL.val(id))
        .stream()
        .findFirst()
        .map(TrainingStore::changed);
  }

  /** Tenants with trainings whose worker was lost. */
  Set<UUID> tenantsWithLost(DSLContext system) {
    return system
        .fetch(
            """
            SELECT DISTINCT tenant_id FROM versioning.model_training_events
             WHERE status = 'IN_PROGRESS' AND lease_expires_at <= clock_timestamp()
            """)
        .stream()
        .map(row -> row.get(0, UUID.class))
        .collect(Collectors.toUnmodifiableSet());
  }

  /** Ends the attempts of workers that were lost. */
  List<Reaped> reap(DSLContext tx, UUID tenant) {
    return tx.fetch(
            """
            UPDATE versioning.model_training_events SET
              status = CASE WHEN attempts < max_attempts THEN 'PENDING' ELSE 'FAILED' END,
              ended_at = CASE WHEN attempts < max_attempts THEN NULL ELSE clock_timestamp() END,
              failure = 'the worker ' || worker || ' was lost in attempt ' || attempts,
              lease_id = NULL, lease_expires_at = NULL,
              revision = revision + 1, last_updated_at = now()
             WHERE tenant_id = {0} AND id IN (
               SELECT id FROM versioning.model_training_events
                WHERE tenant_id = {0} AND status = 'IN_PROGRESS'
                  AND lease_expires_at <= clock_timestamp()
                ORDER BY id FOR UPDATE)
            RETURNING id, revision, training_dataset_id, status
            """,
            DSL.val(tenant))
        .map(row ->
            new Reaped(
                changed(row), row.get(2, UUID.class), Status.valueOf(row.get(3, String.class))));
  }

  /** What waits, in the order in which workers get it. */
  List<UUID> queue(DSLContext dsl, UUID tenant, int limit) {
    return dsl.fetch(
            """
            SELECT id FROM versioning.model_training_events
             WHERE tenant_id = {0} AND status = 'PENDING' ORDER BY priority DESC, id LIMIT {1}
            """,
            DSL.val(tenant), DSL.val(limit))
        .map(row -> row.get(0, UUID.class));
  }
}
