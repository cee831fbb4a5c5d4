package io.rapport.versioning.model;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** The active versions, with what decides whether they stay so. */
final class KeptStore {
  /** How often it is told how a version does while outcomes come in. */
  static final Duration TOLD_EVERY = Duration.ofMinutes(1);

  /**
   * An active version.
   *
   * @param metric its type's main metric
   * @param from the first instant whose live performance counts
   * @param recorded its recorded performance, unless that is too old
   * @param automatic whether the service may do something about it
   * @param replaceable whether there is a version to return to
   * @param due whether it is time to tell how it does
   * @param told whether it was found to be too bad lately
   */
  record Kept(
      UUID version,
      String modelType,
      String name,
      String metric,
      Instant from,
      @Nullable Double baseline,
      @Nullable Double recorded,
      long recordedSamples,
      double share,
      long minimumSamples,
      boolean automatic,
      boolean replaceable,
      boolean told,
      boolean due) {}

  /**
   * Live figures are kept by the hour. Those of the hour in which a version became active count,
   * unless it was active before in that hour: they may be what it was replaced for.
   */
  private static final String KEPT =
      """
      SELECT v.id, v.model_type, v.version, COALESCE(p.main_metric, 'accuracy'),
        GREATEST(f.at, (SELECT h.began + interval '1 hour'
          FROM date_trunc('hour', a.activated_at, 'UTC') AS h (began)
         WHERE EXISTS (
           SELECT FROM versioning.model_activations b
            WHERE b.tenant_id = v.tenant_id AND b.model_version_id = v.id AND b.id <> a.id
              AND b.deactivated_at > h.began))),
        v.performance_baseline, CASE WHEN v.performance_at > f.at THEN v.performance_current END,
        v.performance_samples, COALESCE(p.rollback_share, {1}),
        COALESCE(p.rollback_minimum_samples, {2}), COALESCE(p.automatic_rollback, true),
        a.previous_activation_id IS NOT NULL, COALESCE(a.degraded_at > f.at, false),
        COALESCE(v.performance_at <= now() - {5} * interval '1 second', true)
        FROM versioning.model_versions v
        JOIN versioning.model_activations a ON a.tenant_id = v.tenant_id
          AND a.model_type = v.model_type AND a.deactivated_at IS NULL
        LEFT JOIN versioning.promotion_policies p ON p.tenant_id = v.tenant_id
          AND p.model_type = v.model_type AND p.active
       CROSS JOIN LATERAL (SELECT GREATEST(a.activated_at, now()
          - COALESCE(p.stale_after_seconds, {3}) * interval '1 second') AS at) f
       WHERE v.tenant_id = {0} AND v.is_active AND ({4}::uuid IS NULL OR v.id = {4})
      """;

  /** All of a tenant. */
  List<Kept> list(DSLContext dsl, UUID tenant) {
    return fetch(dsl, tenant, null);
  }

  /** One version, if it is active. */
  Optional<Kept> find(DSLContext dsl, UUID tenant, UUID version) {
    return fetch(dsl, tenant, version).stream().findFirst();
  }

  private static List<Kept> fetch(DSLContext dsl, UUID tenant, @Nullable UUID version) {
    return dsl.fetch(
            KEPT,
            DSL.val(tenant),
            DSL.val(Policy.USUAL.rollbackShare()),
            DSL.val(Policy.USUAL.rollbackMinimumSamples()),
            DSL.val(Policy.USUAL.staleAfterSeconds()),
            DSL.val(version, UUID.class),
            DSL.val(TOLD_EVERY.toSeconds()))
        .map(KeptStore::kept);
  }

  private static Kept kept(Record row) {
    return new Kept(
        row.get(0, UUID.class),
        row.get(1, String.class),
        row.get(2, String.class),
        row.get(3, String.class),
        row.get(4, Instant.class),
        row.get(5, Double.class),
        row.get(6, Double.class),
        row.get(7, Long.class),
        row.get(8, Double.class),
        row.get(9, Long.class),
        row.get(10, Boolean.class),
        row.get(11, Boolean.class),
        row.get(12, Boolean.class),
        row.get(13, Boolean.class));
  }
}
