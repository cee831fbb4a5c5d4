package io.rapport.versioning.model;

import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** The active versions that can be rolled back, with what decides whether they are. */
final class KeptStore {
  /**
   * An active version.
   *
   * @param from the first instant whose performance counts
   * @param recorded its recorded performance, unless that is too old
   */
  record Kept(
      UUID version,
      String modelType,
      String name,
      double baseline,
      Instant from,
      @Nullable Double recorded,
      long recordedSamples,
      double share,
      long minimumSamples) {}

  /** Those of a tenant whose policy asks for it. */
  List<Kept> list(DSLContext dsl, UUID tenant) {
    return dsl.fetch(
            """
            SELECT v.id, v.model_type, v.version, v.performance_baseline, f.at,
              CASE WHEN v.performance_at > f.at THEN v.performance_current END,
              v.performance_samples, COALESCE(p.rollback_share, {1}),
              COALESCE(p.rollback_minimum_samples, {2})
              FROM versioning.model_versions v
              JOIN versioning.model_activations a ON a.tenant_id = v.tenant_id
                AND a.model_type = v.model_type AND a.deactivated_at IS NULL
              LEFT JOIN versioning.promotion_policies p ON p.tenant_id = v.tenant_id
                AND p.model_type = v.model_type AND p.active
             CROSS JOIN LATERAL (SELECT GREATEST(a.activated_at, now()
                - COALESCE(p.stale_after_seconds, {3}) * interval '1 second') AS at) f
             WHERE v.tenant_id = {0} AND v.is_active AND v.performance_baseline > 0
               AND a.previous_activation_id IS NOT NULL
               AND COALESCE(p.automatic_rollback, true)
            """,
            DSL.val(tenant),
            DSL.val(Policy.USUAL.rollbackShare()),
            DSL.val(Policy.USUAL.rollbackMinimumSamples()),
            DSL.val(Policy.USUAL.staleAfterSeconds()))
        .map(row ->
            new Kept(
                row.get(0, UUID.class),
                row.get(1, String.class),
                row.get(2, String.class),
                row.get(3, Double.class),
                row.get(4, Instant.class),
                row.get(5, Double.class),
                row.get(6, Long.class),
                row.get(7, Double.class),
                row.get(8, Long.class)));
  }
}
