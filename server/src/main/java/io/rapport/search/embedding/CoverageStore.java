package io.rapport.search.embedding;

import io.rapport.platform.Times;
import io.rapport.search.v1.EmbeddingCoverage;
import java.time.Instant;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** How many texts have a vector, in PostgreSQL. */
final class CoverageStore {
  /**
   * A vector is of an older text if and only if its text is listed as stale. What is in both is
   * found by INTERSECT, which takes each once: of tables that have just been filled PostgreSQL
   * thinks that they are small, and would look through one for each row of the other.
   */
  private static final String COUNT =
      """
      WITH stale AS MATERIALIZED (
        SELECT s.id, s.marked_at, s.attempts,
          COALESCE(s.leased_until > clock_timestamp(), false) AS leased
          FROM search.stale_embeddings s
         WHERE s.tenant_id = {0} AND s.kind = {1} AND s.model = {2}
      )
      SELECT
        (SELECT count(*) FROM search.documents WHERE tenant_id = {0} AND kind = {1}),
        (SELECT count(*) FROM search.embeddings e
          WHERE e.tenant_id = {0} AND e.kind = {1} AND e.model = {2}),
        (SELECT count(*) FROM (
          SELECT id FROM stale INTERSECT SELECT e.id FROM search.embeddings e
           WHERE e.tenant_id = {0} AND e.kind = {1} AND e.model = {2}) older),
        (SELECT count(*) FROM stale WHERE leased),
        (SELECT count(*) FROM stale WHERE NOT leased AND attempts >= 5),
        (SELECT min(marked_at) FROM stale)
      """;

  /** The figures of a model, of one moment. */
  EmbeddingCoverage.Builder count(DSLContext dsl, UUID owner, ModelStore.Model model) {
    Record row =
        dsl.fetchSingle(COUNT, DSL.val(owner), DSL.val(model.kind()), DSL.val(model.name()));
    long documents = row.get(0, Long.class);
    long embedded = row.get(1, Long.class) - row.get(2, Long.class);
    EmbeddingCoverage.Builder coverage =
        EmbeddingCoverage.newBuilder()
            .setModel(model.toProto())
            .setDocuments(documents)
            .setEmbedded(embedded)
            .setStale(documents - embedded)
            .setClaimed(row.get(3, Long.class))
            .setFailed(row.get(4, Long.class))
            .setShare(documents == 0 ? 1 : (double) embedded / documents);
    @Nullable Instant oldest = row.get(5, Instant.class);
    return oldest == null ? coverage : coverage.setOldestStaleAt(Times.proto(oldest));
  }
}
