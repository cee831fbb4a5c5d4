package io.rapport.versioning.model;

import io.rapport.platform.Ids;
import io.rapport.versioning.v1.ModelActivation.Cause;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** When which version was active, in PostgreSQL. */
final class ActivationStore {
  /** What activations are called in the change log. */
  static final String KIND = "versioning.model_activation";

  /**
   * An activation.
   *
   * @param previous what a rollback returns to
   */
  record Activation(UUID id, UUID version, @Nullable UUID previous, Instant since) {}

  /** An activation that is to be. */
  record New(
      String modelType,
      UUID version,
      Instant at,
      long position,
      Cause cause,
      String reason,
      String by,
      @Nullable UUID replaced,
      @Nullable UUID previous,
      @Nullable String overrides) {}

  private static final String SELECT =
      """
      SELECT id, model_version_id, previous_activation_id, activated_at
        FROM versioning.model_activations
       WHERE tenant_id = {0}
      """;

  /** That of the version that is active. */
  Optional<Activation> current(DSLContext dsl, UUID tenant, String modelType) {
    return dsl
        .fetch(
            SELECT + " AND model_type = {1} AND deactivated_at IS NULL",
            DSL.val(tenant),
            DSL.val(modelType))
        .stream()
        .findFirst()
        .map(ActivationStore::activation);
  }

  /** That of the version that was active at an instant. */
  Optional<Activation> at(DSLContext dsl, UUID tenant, String modelType, Instant time) {
    return dsl
        .fetch(
            SELECT
                + """
                 AND model_type = {1} AND activated_at <= {2}
                ORDER BY activated_at DESC LIMIT 1
                """,
            DSL.val(tenant),
            DSL.val(modelType),
            DSL.val(time))
        .stream()
        .findFirst()
        .map(ActivationStore::activation);
  }

  /** That of the version that was active after the commit with this number. */
  Optional<Activation> at(DSLContext dsl, UUID tenant, String modelType, long position) {
    return dsl
        .fetch(
            SELECT
                + """
                 AND model_type = {1} AND from_position <= {2}
                ORDER BY from_position DESC LIMIT 1
                """,
            DSL.val(tenant),
            DSL.val(modelType),
            DSL.val(position))
        .stream()
        .findFirst()
        .map(ActivationStore::activation);
  }

  Optional<Activation> find(DSLContext dsl, UUID tenant, UUID id) {
    return dsl.fetch(SELECT + " AND id = {1}", DSL.val(tenant), DSL.val(id)).stream()
        .findFirst()
        .map(ActivationStore::activation);
  }

  private static Activation activation(Record row) {
    return new Activation(
        row.get(0, UUID.class),
        row.get(1, UUID.class),
        row.get(2, UUID.class),
        row.get(3, Instant.class));
  }

  /** An instant that is after the activation began, and now if the clock says so. */
  Instant now(DSLContext tx, @Nullable Instant since) {
    return tx.fetchSingle(
            "SELECT GREATEST(clock_timestamp(), {0} + interval '1 microsecond')",
            DSL.val(since, Instant.class))
        .get(0, Instant.class);
  }

  /** Returns the activation's revision. */
  long end(DSLContext tx, UUID tenant, UUID id, Instant at, long position) {
    return tx.fetchSingle(
            """
            UPDATE versioning.model_activations
               SET deactivated_at = {2}, to_position = {3}, revision = revision + 1,
                 last_updated_at = now()
             WHERE tenant_id = {0} AND id = {1}
            RETURNING revision
            """,
            DSL.val(tenant), DSL.val(id), DSL.val(at), DSL.val(position))
        .get(0, Long.class);
  }

  /** Says that its version does too badly; returns the activation's revision. */
  long degraded(DSLContext tx, UUID tenant, UUID id) {
    return tx.fetchSingle(
            """
            UPDATE versioning.model_activations
               SET degraded_at = now(), revision = revision + 1, last_updated_at = now()
             WHERE tenant_id = {0} AND id = {1}
            RETURNING revision
            """,
            DSL.val(tenant), DSL.val(id))
        .get(0, Long.class);
  }

  UUID insert(DSLContext tx, UUID tenant, New it) {
    UUID id = Ids.next();
    tx.execute(
        """
        INSERT INTO versioning.model_activations (tenant_id, id, model_type, model_version_id,
          activated_at, from_position, cause, reason, activated_by, replaced_version_id,
          previous_activation_id, overrides, created_at, last_updated_at)
        VALUES ({0}, {1}, {2}, {3}, {4}, {5}, {6}, NULLIF({7}, ''), {8}, {9}, {10}, {11}::jsonb,
          {4}, {4})
        """,
        DSL.val(tenant),
        DSL.val(id),
        DSL.val(it.modelType()),
        DSL.val(it.version()),
        DSL.val(it.at()),
        DSL.val(it.position()),
        DSL.val(it.cause().name()),
        DSL.val(it.reason()),
        DSL.val(it.by()),
        DSL.val(it.replaced(), UUID.class),
        DSL.val(it.previous(), UUID.class),
        DSL.val(it.overrides(), String.class));
    return id;
  }
}
