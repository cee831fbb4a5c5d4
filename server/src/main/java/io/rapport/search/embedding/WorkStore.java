package io.rapport.search.embedding;

import io.rapport.search.Embedder;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;

/** Which texts of which tenants wait for an embedder, in PostgreSQL. */
final class WorkStore {
  /** Beyond it, more is just more. */
  private static final int COUNTED = 100_000;

  /**
   * From one model with work to the next by an index, so that those without cost nothing. A model
   * that was started with other dimensions than its embedder has is left to whoever started it.
   */
  private static final String DUE =
      """
      WITH RECURSIVE waiting AS (
        (SELECT tenant_id, kind, model FROM search.stale_embeddings WHERE attempts < 5
          ORDER BY tenant_id, kind, model LIMIT 1)
        UNION ALL
        SELECT n.* FROM waiting w CROSS JOIN LATERAL (
          SELECT s.tenant_id, s.kind, s.model FROM search.stale_embeddings s
           WHERE s.attempts < 5 AND (s.tenant_id, s.kind, s.model) > (w.tenant_id, w.kind, w.model)
           ORDER BY s.tenant_id, s.kind, s.model LIMIT 1) n
      )
      SELECT m.tenant_id, m.kind, m.model
        FROM waiting w JOIN search.embedding_models m USING (tenant_id, kind, model)
        JOIN unnest({0}::text[], {1}::integer[]) AS served (model, dimensions)
          ON served.model = m.model AND served.dimensions = m.dimensions
       WHERE m.state <> 'RETIRED' AND EXISTS (
         SELECT FROM search.stale_embeddings s
          WHERE s.tenant_id = m.tenant_id AND s.kind = m.kind AND s.model = m.model
            AND s.attempts < 5 AND s.retry_at <= clock_timestamp()
            AND (s.leased_until IS NULL OR s.leased_until <= clock_timestamp()))
       ORDER BY m.tenant_id, m.kind, m.model
      """;

  private static final String WAITING =
      """
      SELECT count(*) FROM (
        SELECT FROM search.stale_embeddings WHERE attempts < 5 LIMIT {0}) waiting
      """;

  private static final String WITHOUT_MODEL =
      """
      SELECT kind FROM unnest({1}::text[]) AS k (kind)
       WHERE NOT EXISTS (SELECT FROM search.embedding_models m
         WHERE m.tenant_id = {0} AND m.kind = k.kind)
      """;

  /** Texts of a kind of a tenant that a model is to embed. */
  record Due(UUID owner, String kind, String model) {}

  List<Due> due(DSLContext system, List<Embedder> embedders) {
    return system
        .fetch(
            DUE,
            DSL.val(embedders.stream().map(Embedder::model).toArray(String[]::new)),
            DSL.val(embedders.stream().map(Embedder::dimensions).toArray(Integer[]::new)))
        .map(row ->
            new Due(row.get(0, UUID.class), row.get(1, String.class), row.get(2, String.class)));
  }

  /** How many texts of all tenants wait, up to 100,000. */
  long waiting(DSLContext system) {
    return system.fetchSingle(WAITING, DSL.val(COUNTED)).get(0, Long.class);
  }

  /** Those of the kinds of which a tenant never had a model. */
  Set<String> withoutModel(DSLContext dsl, UUID tenant, Collection<String> kinds) {
    return dsl.fetch(WITHOUT_MODEL, DSL.val(tenant), DSL.val(kinds.toArray(String[]::new))).stream()
        .map(row -> row.get(0, String.class))
        .collect(Collectors.toUnmodifiableSet());
  }
}
