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
   */
  record Split(
      UUID id,
      String modelType,
      @Nullable UUID candidate,
      int share,
      long revision,
      Instant changedAt) {}

  private static final String COLUMNS =
      "id, model_type, candidate_version_id, share, revision, last_updated_at";

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
        row.get(5, Instant.class));
  }

  Split put(DSLContext tx, UUID tenant, String modelType, @Nullable UUID candidate, int share) {
    return split(
        tx.fetchSingle(
            """
            INSERT INTO versioning.traffic_splits AS s
              (tenant_id, model_type, id, candidate_version_id, share)
            VALUES ({0}, {1}, {2}, {3}, {4})
            ON CONFLICT (tenant_id, model_type) DO UPDATE
              SET candidate_version_id = excluded.candidate_version_id, share = excluded.share,
                revision = s.revision + 1, last_updated_at = now()
            RETURNING
            """
                + COLUMNS,
            DSL.val(tenant),
            DSL.val(modelType),
            DSL.val(Ids.next()),
            DSL.val(candidate, UUID.class),
            DSL.val(share)));
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
