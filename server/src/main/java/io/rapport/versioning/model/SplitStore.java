package io.rapport.versioning.model;

import io.rapport.platform.Ids;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** How users are shared between versions, in PostgreSQL. */
final class SplitStore {
  /** What splits are called in the change log. */
  static final String KIND = "versioning.traffic_split";

  /**
   * A split.
   *
   * @param candidate null if all users get the active version
   * @param share of 10,000 users
   * @param by who set it; null if nobody has
   * @param overrides the reasons of overridden gates as JSON
   */
  record Split(
      UUID id,
      String modelType,
      @Nullable UUID candidate,
      int share,
      long revision,
      Instant changedAt,
      @Nullable String reason,
      @Nullable String by,
      @Nullable String overrides) {}

  /** A split that is to be. */
  record New(
      String modelType,
      @Nullable UUID candidate,
      int share,
      String reason,
      String by,
      @Nullable String overrides) {}

  private static final String COLUMNS =
      "id, model_type, candidate_version_id, share, revision, last_updated_at, reason, set_by,"
          + " overrides::text";

  Optional<Split> find(DSLContext dsl, UUID tenant, String modelType) {
    return dsl
        .fetch(
            "SELECT "
                + COLUMNS
                + " FROM versioning.traffic_splits WHERE tenant_id = {0} AND model_type = {1}",
            DSL.val(tenant),
            DSL.val(modelType))
        .stream()
        .findFirst()
        .map(SplitStore::split);
  }

  /** Those that there are, by the model types. */
  Map<String, Split> find(DSLContext dsl, UUID tenant, List<String> modelTypes) {
    return dsl
        .fetch(
            "SELECT "
                + COLUMNS
                + " FROM versioning.traffic_splits WHERE tenant_id = {0} AND model_type = ANY ({1})",
            DSL.val(tenant),
            DSL.val(modelTypes.toArray(String[]::new)))
        .stream()
        .map(SplitStore::split)
        .collect(Collectors.toMap(Split::modelType, Function.identity()));
  }

  private static Split split(Record row) {
    return new Split(
        row.get(0, UUID.class),
        row.get(1, String.class),
        row.get(2, UUID.class),
        row.get(3, Integer.class),
        row.get(4, Long.class),
        row.get(5, Instant.class),
        row.get(6, String.class),
        row.get(7, String.class),
        row.get(8, String.class));
  }

  Split put(DSLContext tx, UUID tenant, New it) {
    return split(
        tx.fetchSingle(
            """
            INSERT INTO versioning.traffic_splits AS s (tenant_id, model_type, id,
              candidate_version_id, share, reason, set_by, overrides)
            VALUES ({0}, {1}, {2}, {3}, {4}, NULLIF({5}, ''), {6}, {7}::jsonb)
            ON CONFLICT (tenant_id, model_type) DO UPDATE
              SET candidate_version_id = excluded.candidate_version_id, share = excluded.share,
                reason = excluded.reason, set_by = excluded.set_by,
                overrides = excluded.overrides, revision = s.revision + 1, last_updated_at = now()
            RETURNING
            """
                + COLUMNS,
            DSL.val(tenant),
            DSL.val(it.modelType()),
            DSL.val(Ids.next()),
            DSL.val(it.candidate(), UUID.class),
            DSL.val(it.share()),
            DSL.val(it.reason()),
            DSL.val(it.by()),
            DSL.val(it.overrides(), String.class)));
  }

  /** Ends the splits to versions of a training. */
  List<Split> withdraw(DSLContext tx, UUID tenant, UUID training) {
    return tx.fetch(
            """
            UPDATE versioning.traffic_splits
               SET candidate_version_id = NULL, share = 0, overrides = NULL,
                 revision = revision + 1, last_updated_at = now()
             WHERE tenant_id = {0} AND candidate_version_id IN (
               SELECT id FROM versioning.model_versions
                WHERE tenant_id = {0} AND training_event_id = {1})
            RETURNING
            """
                + COLUMNS,
            DSL.val(tenant),
            DSL.val(training))
        .map(SplitStore::split);
  }

  /** Ends the split to a version that has become active; any split's etag is another one now. */
  Split activated(DSLContext tx, UUID tenant, String modelType, UUID version) {
    return split(
        tx.fetchSingle(
            """
            INSERT INTO versioning.traffic_splits AS s (tenant_id, model_type, id)
            VALUES ({0}, {1}, {2})
            ON CONFLICT (tenant_id, model_type) DO UPDATE
              SET share = CASE WHEN s.candidate_version_id = {3} THEN 0 ELSE s.share END,
                candidate_version_id = NULLIF(s.candidate_version_id, {3}),
                overrides = CASE WHEN s.candidate_version_id <> {3} THEN s.overrides END,
                revision = s.revision + 1, last_updated_at = now()
            RETURNING
            """
                + COLUMNS,
            DSL.val(tenant),
            DSL.val(modelType),
            DSL.val(Ids.next()),
            DSL.val(version)));
  }
}
