package io.rapport.versioning.model;

import io.rapport.platform.Ids;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** Versions in PostgreSQL. */
final class VersionStore {
  /** What versions are called in the change log. */
  static final String KIND = "versioning.model_version";

  private static final String SELECT =
      """
      SELECT v.id, v.model_type, v.version, v.artefact_digest, v.training_event_id, e.status,
        COALESCE(e.deployment_approved, false)
          AND v.artefact_digest IS NOT DISTINCT FROM e.artefact_digest,
        v.data_quality_score, v.training_data_size,
        v.validation_score, v.performance_baseline, v.is_active, v.revision
        FROM versioning.model_versions v
        LEFT JOIN versioning.model_training_events e
          ON e.tenant_id = v.tenant_id AND e.id = v.training_event_id
      """;

  /**
   * The data is judged by the last assessment before it was frozen, or before the training began:
   * what came later the model hasn't seen. Without one, by the first after it.
   */
  private static final String INSERT =
      """
      INSERT INTO versioning.model_versions (tenant_id, id, model_type, version, version_key,
        model_path, artefact_digest, training_event_id, training_dataset_id, manifest_id,
        quality_metrics_id, data_quality_score, training_data_size, validation_score,
        performance_baseline, performance_current, performance_metrics, model_metadata,
        registered_by)
      SELECT {0}, {1}, {2}, {3}, {4}, {5}, NULLIF({6}, ''), {7}, {8}, {9}, q.id,
        COALESCE({10}, q.overall_score), {11}, {12}, {13}, {13}, {14}::jsonb, {15}::jsonb, {16}
        FROM (SELECT COALESCE(
          (SELECT m.frozen_at FROM versioning.dataset_manifests m
            WHERE m.tenant_id = {0} AND m.id = {9}),
          (SELECT e.started_at FROM versioning.model_training_events e
            WHERE e.tenant_id = {0} AND e.id = {7}),
          now()) AS at) seen
        LEFT JOIN LATERAL (
          SELECT a.* FROM (
            (SELECT m.id, m.overall_score, 1 AS choice
               FROM versioning.data_quality_metrics m
              WHERE m.tenant_id = {0} AND m.training_dataset_id = {8} AND m.assessed_at <= seen.at
              ORDER BY m.assessed_at DESC, m.id DESC LIMIT 1)
            UNION ALL
            (SELECT m.id, m.overall_score, 2
               FROM versioning.data_quality_metrics m
              WHERE m.tenant_id = {0} AND m.training_dataset_id = {8} AND m.assessed_at > seen.at
              ORDER BY m.assessed_at, m.id LIMIT 1)) a
           ORDER BY a.choice LIMIT 1) q ON true
      ON CONFLICT (tenant_id, model_type, version) DO NOTHING
      RETURNING id
      """;

  /** What a version is now. */
  record Changed(UUID id, long revision) {}

  /**
   * A version that is to be.
   *
   * @param quality that of the data, unless it is to be taken from the dataset's assessments
   * @param metrics as JSON, as is the metadata
   */
  record New(
      String modelType,
      SemanticVersion version,
      String modelPath,
      String digest,
      @Nullable UUID training,
      @Nullable UUID dataset,
      @Nullable UUID manifest,
      @Nullable Double quality,
      long dataSize,
      @Nullable Double score,
      @Nullable Double baseline,
      String metrics,
      String metadata,
      String by) {}

  /**
   * A training of which a version is registered by hand.
   *
   * @param digest of the model that it made; null if it isn't known
   */
  record Training(
      String modelType,
      UUID dataset,
      @Nullable UUID manifest,
      String status,
      @Nullable String digest) {}

  Optional<Version> lock(DSLContext tx, UUID tenant, UUID id) {
    return tx
        .fetch(
            SELECT + " WHERE v.tenant_id = {0} AND v.id = {1} FOR UPDATE OF v",
            DSL.val(tenant),
            DSL.val(id))
        .stream()
        .findFirst()
        .map(VersionStore::version);
  }

  /** The active version of a type. */
  Optional<Version> active(DSLContext dsl, UUID tenant, String modelType) {
    return dsl
        .fetch(
            SELECT + " WHERE v.tenant_id = {0} AND v.model_type = {1} AND v.is_active",
            DSL.val(tenant),
            DSL.val(modelType))
        .stream()
        .findFirst()
        .map(VersionStore::version);
  }

  private static Version version(Record row) {
    return new Version(
        row.get(0, UUID.class),
        row.get(1, String.class),
        row.get(2, String.class),
        row.get(3, String.class),
        row.get(4, UUID.class),
        row.get(5, String.class),
        row.get(6, Boolean.class),
        row.get(7, Double.class),
        row.get(8, Long.class),
        row.get(9, Double.class),
        row.get(10, Double.class),
        row.get(11, Boolean.class),
        row.get(12, Long.class));
  }

  Optional<String> activePath(DSLContext dsl, UUID tenant, String modelType) {
    return dsl
        .fetch(
            """
            SELECT model_path FROM versioning.model_versions
             WHERE tenant_id = {0} AND model_type = {1} AND is_active
            """,
            DSL.val(tenant), DSL.val(modelType))
        .stream()
        .findFirst()
        .map(row -> row.get(0, String.class));
  }

  Optional<Training> training(DSLContext dsl, UUID tenant, UUID id) {
    return dsl
        .fetch(
            """
            SELECT model_type, training_dataset_id, manifest_id, status, artefact_digest
              FROM versioning.model_training_events WHERE tenant_id = {0} AND id = {1}
            """,
            DSL.val(tenant), DSL.val(id))
        .stream()
        .findFirst()
        .map(row ->
            new Training(
                row.get(0, String.class),
                row.get(1, UUID.class),
                row.get(2, UUID.class),
                row.get(3, String.class),
                row.get(4, String.class)));
  }

  /** The highest version of a type that is no pre-release; its key ends so. */
  Optional<String> highestReleased(DSLContext dsl, UUID tenant, String modelType) {
    return dsl
        .fetch(
            """
            SELECT version FROM versioning.model_versions
             WHERE tenant_id = {0} AND model_type = {1} AND version_key LIKE '%~'
             ORDER BY version_key DESC LIMIT 1
            """,
            DSL.val(tenant), DSL.val(modelType))
        .stream()
        .findFirst()
        .map(row -> row.get(0, String.class));
  }

  /** Empty if the type has this version. */
  Optional<UUID> insert(DSLContext tx, UUID tenant, New it) {
    return tx
        .fetch(
            INSERT,
            DSL.val(tenant),
            DSL.val(Ids.next()),
            DSL.val(it.modelType()),
            DSL.val(it.version().toString()),
            DSL.val(it.version().key()),
            DSL.val(it.modelPath()),
            DSL.val(it.digest()),
            DSL.val(it.training(), UUID.class),
            DSL.val(it.dataset(), UUID.class),
            DSL.val(it.manifest(), UUID.class),
            DSL.val(it.quality(), Double.class),
            DSL.val(it.dataSize()),
            DSL.val(it.score(), Double.class),
            DSL.val(it.baseline(), Double.class),
            DSL.val(it.metrics()),
            DSL.val(it.metadata()),
            DSL.val(it.by()))
        .stream()
        .findFirst()
        .map(row -> row.get(0, UUID.class));
  }

  /** Returns the version's revision. */
  long activate(DSLContext tx, UUID tenant, UUID id, Instant at) {
    return tx.fetchSingle(
            """
            UPDATE versioning.model_versions
               SET is_active = true, deployed_at = {2}, revision = revision + 1,
                 last_updated_at = now()
             WHERE tenant_id = {0} AND id = {1}
            RETURNING revision
            """,
            DSL.val(tenant), DSL.val(id), DSL.val(at))
        .get(0, Long.class);
  }

  /**
   * Returns the version's revision.
   *
   * @param rollbacks how many rollbacks of it this is
   */
  long deactivate(DSLContext tx, UUID tenant, UUID id, int rollbacks) {
    return tx.fetchSingle(
            """
            UPDATE versioning.model_versions
               SET is_active = false, rollback_count = rollback_count + {2},
                 revision = revision + 1, last_updated_at = now()
             WHERE tenant_id = {0} AND id = {1}
            RETURNING revision
            """,
            DSL.val(tenant), DSL.val(id), DSL.val(rollbacks))
        .get(0, Long.class);
  }

  /** The tenants that have an active version. */
  List<UUID> tenantsWithActive(DSLContext system) {
    return system
        .fetch("SELECT DISTINCT tenant_id FROM versioning.model_versions WHERE is_active")
        .map(row -> row.get(0, UUID.class));
  }

  /** Sets versions' current performance to what was recorded; returns those that it changed. */
  List<Changed> recordPerformance(DSLContext tx, UUID tenant, List<UUID> records) {
    return tx.fetch(
            """
            WITH latest AS (
              SELECT DISTINCT ON (r.model_name, r.version) r.model_name, r.version, r.accuracy_metric,
                r.sample_count, r.window_end_at
                FROM versioning.model_performance r
                LEFT JOIN versioning.promotion_policies p
                  ON p.tenant_id = r.tenant_id AND p.model_type = r.model_name AND p.active
               WHERE r.tenant_id = {0} AND r.id = ANY ({1}) AND r.version IS NOT NULL
                 AND r.segment IS NULL AND r.metric_name = COALESCE(p.main_metric, 'accuracy')
               ORDER BY r.model_name, r.version, r.window_end_at DESC, r.id DESC)
            UPDATE versioning.model_versions v
               SET performance_current = l.accuracy_metric, performance_samples = l.sample_count,
                 performance_at = LEAST(l.window_end_at, now()), revision = v.revision + 1, last_updated_at = now()
              FROM latest l
             WHERE v.tenant_id = {0} AND v.model_type = l.model_name AND v.version = l.version
               AND (v.performance_at IS NULL OR v.performance_at <= l.window_end_at)
            RETURNING v.id, v.revision
            """,
            DSL.val(tenant), DSL.val(records.toArray(UUID[]::new)))
        .map(row -> new Changed(row.get(0, UUID.class), row.get(1, Long.class)));
  }

  /**
   * Sets a version's current performance to what came true; returns its revision, empty if it is
   * left as it was.
   *
   * @param age how old what is there must be
   */
  Optional<Long> measure(
      DSLContext tx, UUID tenant, UUID id, LivePerformance.Figure figure, Duration age) {
    return tx
        .fetch(
            """
            UPDATE versioning.model_versions
               SET performance_current = {2}, performance_samples = {3}, performance_at = now(),
                 revision = revision + 1, last_updated_at = now()
             WHERE tenant_id = {0} AND id = {1}
               AND (performance_current, performance_samples) IS DISTINCT FROM ({2}, {3})
               AND COALESCE(performance_at <= now() - {4} * interval '1 second', true)
            RETURNING revision
            """,
            DSL.val(tenant),
            DSL.val(id),
            DSL.val(figure.value()),
            DSL.val(figure.samples()),
            DSL.val(age.toSeconds()))
        .stream()
        .findFirst()
        .map(row -> row.get(0, Long.class));
  }
}
