package io.rapport.versioning.model;

import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** How model types stand, in PostgreSQL. */
final class LearningStore {
  /**
   * A type's dataset.
   *
   * @param due whether its quality is going to be assessed
   * @param nextAssessment the count of the one after a failed one; null: none failed
   * @param goodEnough whether its quality is, as far as it is known
   */
  record Dataset(
      UUID id,
      long count,
      long threshold,
      boolean reached,
      boolean ready,
      @Nullable Double quality,
      boolean due,
      @Nullable Long nextAssessment,
      @Nullable Instant lastTrainedAt,
      boolean goodEnough) {}

  /**
   * How a type stands.
   *
   * @param events the last trainings, the newest first
   */
  record ModelType(
      String name,
      @Nullable Dataset dataset,
      @Nullable UUID active,
      boolean stale,
      int versions,
      @Nullable UUID open,
      List<UUID> events) {}

  private static final String TYPES =
      """
      WITH types AS (
        SELECT dataset_type AS name FROM versioning.training_datasets WHERE tenant_id = {0}
        UNION SELECT model_type FROM versioning.model_training_events WHERE tenant_id = {0}
        UNION SELECT model_type FROM versioning.model_versions WHERE tenant_id = {0})
      SELECT t.name, d.id, COALESCE(c.data_count, 0), d.threshold, d.threshold_reached,
        d.is_ready_for_training, d.data_quality_score, COALESCE(c.due OR c.recount, false),
        c.next_assessment_at, d.last_trained_at, v.id,
        COALESCE(v.performance_at < now()
          - COALESCE(p.stale_after_seconds, {4}) * interval '1 second', false),
        (SELECT count(*) FROM versioning.model_versions n
          WHERE n.tenant_id = {0} AND n.model_type = t.name),
        (SELECT e.id FROM versioning.model_training_events e
          WHERE e.tenant_id = {0} AND e.model_type = t.name
            AND e.status IN ('PENDING', 'IN_PROGRESS')),
        ARRAY (SELECT e.id FROM versioning.model_training_events e
          WHERE e.tenant_id = {0} AND e.model_type = t.name
          ORDER BY e.created_at DESC, e.id DESC LIMIT {2}),
        COALESCE(d.data_quality_score >= d.quality_bound, false)
        FROM types t
        LEFT JOIN versioning.training_datasets d
          ON d.tenant_id = {0} AND d.dataset_type = t.name
        LEFT JOIN versioning.dataset_counts c ON c.tenant_id = {0} AND c.dataset_id = d.id
        LEFT JOIN versioning.model_versions v
          ON v.tenant_id = {0} AND v.model_type = t.name AND v.is_active
        LEFT JOIN versioning.promotion_policies p
          ON p.tenant_id = {0} AND p.model_type = t.name AND p.active
       WHERE t.name > {5} AND (cardinality({1}::text[]) = 0 OR t.name = ANY ({1}))
       ORDER BY t.name LIMIT {3}
      """;

  /**
   * By their names.
   *
   * @param names none: all
   * @param lastEvents how many of each type's last trainings
   * @param after the name that they come after
   */
  List<ModelType> types(
      DSLContext dsl, UUID tenant, List<String> names, int lastEvents, String after, int limit) {
    return dsl.fetch(
            TYPES,
            DSL.val(tenant),
            DSL.val(names.toArray(String[]::new)),
            DSL.val(lastEvents),
            DSL.val(limit),
            DSL.val(Policy.USUAL.staleAfterSeconds()),
            DSL.val(after))
        .map(LearningStore::type);
  }

  private static ModelType type(Record row) {
    return new ModelType(
        row.get(0, String.class),
        row.get(1) == null ? null : dataset(row),
        row.get(10, UUID.class),
        row.get(11, Boolean.class),
        row.get(12, Integer.class),
        row.get(13, UUID.class),
        List.of(row.get(14, UUID[].class)));
  }

  private static Dataset dataset(Record row) {
    return new Dataset(
        row.get(1, UUID.class),
        row.get(2, Long.class),
        row.get(3, Long.class),
        row.get(4, Boolean.class),
        row.get(5, Boolean.class),
        row.get(6, Double.class),
        row.get(7, Boolean.class),
        row.get(8, Long.class),
        row.get(9, Instant.class),
        row.get(15, Boolean.class));
  }
}
