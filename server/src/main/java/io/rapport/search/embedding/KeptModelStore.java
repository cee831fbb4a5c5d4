package io.rapport.search.embedding;

import io.rapport.search.v1.EmbeddingModel.State;
import java.sql.Savepoint;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.exception.IntegrityConstraintViolationException;
import org.jooq.impl.DSL;

/** What follows from the start and the end of a model, in PostgreSQL, a part at a time. */
final class KeptModelStore {
  private static final UUID FIRST = new UUID(0, 0);

  private static final String FILL =
      """
      WITH part AS MATERIALIZED (
        SELECT d.id FROM search.documents d
         WHERE d.tenant_id = {0} AND d.kind = {1} AND d.id > {3} ORDER BY d.id LIMIT {4}
      ), filled AS (
        INSERT INTO search.stale_embeddings (tenant_id, kind, id, model)
        SELECT {0}, {1}, p.id, {2}
          FROM part p JOIN search.documents d
            ON d.tenant_id = {0} AND d.kind = {1} AND d.id = p.id
          LEFT JOIN search.embeddings e
            ON e.tenant_id = {0} AND e.kind = {1} AND e.id = p.id AND e.model = {2}
         WHERE e.content_hash IS DISTINCT FROM d.content_hash ORDER BY p.id
        ON CONFLICT DO NOTHING
        RETURNING id
      )
      SELECT (SELECT max(id::text)::uuid FROM part), (SELECT count(*) FROM filled),
        (SELECT count(*) FROM part)
      """;

  private static final String WORK =
      """
      SELECT tenant_id, kind, model, state FROM search.embedding_models
       WHERE state <> 'RETIRED' AND checked_at IS NULL
          OR state = 'RETIRED' AND removed_at IS NULL
            AND switched_at < now() - interval '60 seconds'
       ORDER BY switched_at NULLS FIRST LIMIT 100
      """;

  private static final String REMOVE =
      """
      WITH kept AS (
        SELECT m.tenant_id FROM search.embedding_models m
         WHERE m.tenant_id = {0} AND m.kind = {1} AND m.model = {2} AND m.state = 'RETIRED'
         FOR UPDATE
      ), part AS MATERIALIZED (
        SELECT e.id FROM search.embeddings e, kept
         WHERE e.tenant_id = {0} AND e.kind = {1} AND e.model = {2} AND e.id >= {3}
         ORDER BY e.id LIMIT {4}
      ), gone AS (
        DELETE FROM search.embeddings e USING part p
         WHERE e.tenant_id = {0} AND e.kind = {1} AND e.model = {2} AND e.id = p.id
      )
      SELECT max(id::text)::uuid FROM part
      """;

  private static final String FORGET =
      """
      DELETE FROM search.stale_embeddings s USING (
        SELECT id FROM search.stale_embeddings
         WHERE tenant_id = {0} AND kind = {1} AND model = {2} ORDER BY id LIMIT {3}
        FOR UPDATE SKIP LOCKED) part, search.embedding_models m
       WHERE s.tenant_id = {0} AND s.kind = {1} AND s.model = {2} AND s.id = part.id
         AND m.tenant_id = {0} AND m.kind = {1} AND m.model = {2} AND m.state = 'RETIRED'
      """;

  /** A model with something left to do. */
  record Work(UUID owner, String kind, String model, State state) {}

  /**
   * A part that was gone through.
   *
   * @param last where it ended; empty if there was nothing
   * @param changed how many it concerned
   */
  record Part(Optional<UUID> last, long changed, long seen) {}

  List<Work> work(DSLContext system) {
    return system
        .fetch(WORK)
        .map(row ->
            new Work(
                row.get(0, UUID.class),
                row.get(1, String.class),
                row.get(2, String.class),
                State.valueOf(row.get(3, String.class))));
  }

  /**
   * Marks texts as {@link #fill}; empty if one of them was removed beside it. Then nothing is
   * marked, and the transaction goes on.
   */
  Optional<Part> tryFill(DSLContext tx, UUID owner, String kind, String model, int limit) {
    return tx.connectionResult(connection -> {
      Savepoint before = connection.setSavepoint();
      try {
        return Optional.of(fill(tx, owner, kind, model, Optional.empty(), limit));
      } catch (IntegrityConstraintViolationException e) {
        connection.rollback(before);
        return Optional.empty();
      }
    });
  }

  /** Marks the next texts that have no vector, or one of an older text. */
  Part fill(DSLContext tx, UUID owner, String kind, String model, Optional<UUID> after, int limit) {
    var row =
        tx.fetchSingle(
            FILL,
            DSL.val(owner),
            DSL.val(kind),
            DSL.val(model),
            DSL.val(after.orElse(FIRST)),
            DSL.val(limit));
    return new Part(
        Optional.ofNullable(row.get(0, UUID.class)),
        row.get(1, Long.class),
        row.get(2, Long.class));
  }

  /** Removes the next vectors of a model as long as it is retired; returns where it stopped. */
  Optional<UUID> remove(DSLContext system, Work work, Optional<UUID> from, int limit) {
    return Optional.ofNullable(
        system
            .fetchSingle(
                REMOVE,
                DSL.val(work.owner()),
                DSL.val(work.kind()),
                DSL.val(work.model()),
                DSL.val(from.orElse(FIRST)),
                DSL.val(limit))
            .get(0, UUID.class));
  }

  /** Removes some of the work for a model that is retired; returns how much. */
  int forget(DSLContext system, Work work, int limit) {
    return system.execute(
        FORGET, DSL.val(work.owner()), DSL.val(work.kind()), DSL.val(work.model()), DSL.val(limit));
  }

  /** No transaction from this one on has begun yet. */
  long next(DSLContext system) {
    return system
        .fetchSingle("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        .get(0, Long.class);
  }

  /** All transactions before this one have ended. */
  long ended(DSLContext system) {
    return system
        .fetchSingle("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        .get(0, Long.class);
  }

  /** Says that all that was there when the model was started is marked. */
  void filled(DSLContext tx, UUID owner, String kind, String model) {
    tx.execute(
        """
        UPDATE search.embedding_models SET filled_at = now()
         WHERE tenant_id = {0} AND kind = {1} AND model = {2} AND state <> 'RETIRED'
        """,
        DSL.val(owner), DSL.val(kind), DSL.val(model));
  }

  /** Says that all is marked, whoever was writing when the model was started. */
  void checked(DSLContext system, Work work) {
    system.execute(
        """
        UPDATE search.embedding_models
           SET checked_at = now(), filled_at = COALESCE(filled_at, now())
         WHERE tenant_id = {0} AND kind = {1} AND model = {2} AND state <> 'RETIRED'
        """,
        DSL.val(work.owner()), DSL.val(work.kind()), DSL.val(work.model()));
  }

  /** Says that nothing is left of a model, unless somebody held what was to be forgotten. */
  void removed(DSLContext system, Work work) {
    system.execute(
        """
        UPDATE search.embedding_models SET removed_at = now()
         WHERE tenant_id = {0} AND kind = {1} AND model = {2} AND state = 'RETIRED'
           AND NOT EXISTS (SELECT FROM search.stale_embeddings
             WHERE tenant_id = {0} AND kind = {1} AND model = {2})
        """,
        DSL.val(work.owner()), DSL.val(work.kind()), DSL.val(work.model()));
  }
}
