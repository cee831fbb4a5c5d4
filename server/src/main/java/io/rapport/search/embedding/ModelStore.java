package io.rapport.search.embedding;

import static io.rapport.db.generated.search.Tables.EMBEDDING_MODELS;

import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.Times;
import io.rapport.platform.watch.InitialState;
import io.rapport.platform.watch.PresentRowsStore;
import io.rapport.search.v1.EmbeddingModel;
import io.rapport.search.v1.EmbeddingModel.State;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;

/** The models of kinds, in PostgreSQL. */
final class ModelStore {
  /** What models are called in the change log. */
  static final String KIND = "search.embedding_model";

  private static final String COLUMNS =
      "id, kind, model, state, dimensions, created_at, COALESCE(switched_at, created_at), revision,"
          + " filled_at IS NOT NULL";

  /**
   * A model.
   *
   * @param filled all texts that had no vector when it was started are marked as stale
   */
  record Model(
      UUID id,
      String kind,
      String name,
      State state,
      int dimensions,
      Instant createdAt,
      Instant switchedAt,
      long revision,
      boolean filled) {

    EmbeddingModel toProto() {
      return EmbeddingModel.newBuilder()
          .setId(id.toString())
          .setKind(kind)
          .setModel(name)
          .setState(state)
          .setDimensions(dimensions)
          .setCreatedAt(Times.proto(createdAt))
          .setSwitchedAt(Times.proto(switchedAt))
          .setRevision(revision)
          .build();
    }

    Change change(Op op) {
      return new Change(KIND, op, id, null, revision);
    }
  }

  /** The models that are there, of a tenant. */
  static InitialState initialState() {
    return new PresentRowsStore(
        KIND,
        EMBEDDING_MODELS,
        new PresentRowsStore.Columns(
            EMBEDDING_MODELS.TENANT_ID,
            EMBEDDING_MODELS.ID,
            null,
            EMBEDDING_MODELS.REVISION,
            EMBEDDING_MODELS.CREATED_AT));
  }

  private static Model model(Record row) {
    return new Model(
        row.get(0, UUID.class),
        row.get(1, String.class),
        row.get(2, String.class),
        State.valueOf(row.get(3, String.class)),
        row.get(4, Integer.class),
        row.get(5, Instant.class),
        row.get(6, Instant.class),
        row.get(7, Long.class),
        row.get(8, Boolean.class));
  }

  /** A model, or the active one if none is named. */
  Optional<Model> find(DSLContext dsl, UUID owner, String kind, String model) {
    return dsl
        .fetch(
            "SELECT "
                + COLUMNS
                + """
                   FROM search.embedding_models WHERE tenant_id = {0} AND kind = {1}
                   AND (model = {2} OR {2} = '' AND state = 'ACTIVE')
                """,
            DSL.val(owner),
            DSL.val(kind),
            DSL.val(model))
        .stream()
        .findFirst()
        .map(ModelStore::model);
  }

  /** The same; it stays as it is until the transaction ends. */
  Optional<Model> hold(DSLContext tx, UUID owner, String kind, String model) {
    return tx
        .fetch(
            "SELECT "
                + COLUMNS
                + """
                   FROM search.embedding_models WHERE tenant_id = {0} AND kind = {1}
                   AND (model = {2} OR {2} = '' AND state = 'ACTIVE') FOR SHARE
                """,
            DSL.val(owner),
            DSL.val(kind),
            DSL.val(model))
        .stream()
        .findFirst()
        .map(ModelStore::model);
  }

  /** All of a kind; nobody else changes them, or adds one, until the transaction ends. */
  List<Model> lock(DSLContext tx, UUID owner, String kind) {
    tx.fetch(
        """
        SELECT pg_advisory_xact_lock(
          hashtextextended('search.embedding_models/' || {0}::text || '/' || {1}, 0))
        """,
        DSL.val(owner), DSL.val(kind));
    return tx.fetch(
            "SELECT "
                + COLUMNS
                + """
                   FROM search.embedding_models WHERE tenant_id = {0} AND kind = {1}
                   ORDER BY model FOR UPDATE
                """,
            DSL.val(owner),
            DSL.val(kind))
        .map(ModelStore::model);
  }

  /** Those after a kind and name, of one kind or of all; also those that no tenant owns. */
  List<Model> list(
      DSLContext system, UUID tenant, String kind, boolean retired, String[] after, int limit) {
    return system
        .fetch(
            "SELECT "
                + COLUMNS
                + """
                   FROM search.embedding_models
                   WHERE tenant_id IN ({0}, '00000000-0000-0000-0000-000000000000')
                     AND ({1} = '' OR kind = {1}) AND ({2} OR state <> 'RETIRED')
                     AND (kind, model) > ({3}, {4})
                   ORDER BY kind, model LIMIT {5}
                """,
            DSL.val(tenant),
            DSL.val(kind),
            DSL.val(retired),
            DSL.val(after[0]),
            DSL.val(after[1]),
            DSL.val(limit))
        .map(ModelStore::model);
  }

  /** Those in use of some kinds, or of all if none is named. */
  List<Model> inUse(DSLContext system, UUID tenant, Collection<String> kinds) {
    return system
        .fetch(
            "SELECT "
                + COLUMNS
                + """
                   FROM search.embedding_models
                   WHERE tenant_id IN ({0}, '00000000-0000-0000-0000-000000000000')
                     AND (cardinality({1}::text[]) = 0 OR kind = ANY ({1}))
                     AND state <> 'RETIRED'
                   ORDER BY kind, state
                """,
            DSL.val(tenant),
            DSL.val(kinds.toArray(String[]::new)))
        .map(ModelStore::model);
  }

  /** Adds a model, or takes one up again that was retired. */
  Model start(DSLContext tx, UUID owner, String kind, String model, int dimensions, State state) {
    return model(
        tx.fetchSingle(
            """
            INSERT INTO search.embedding_models AS m (tenant_id, kind, model, dimensions, state)
            VALUES ({0}, {1}, {2}, {3}, {4})
            ON CONFLICT (tenant_id, kind, model) DO UPDATE SET state = EXCLUDED.state,
              switched_at = now(), filled_at = NULL, checked_at = NULL, removed_at = NULL,
              revision = m.revision + 1
            RETURNING
            """
                + COLUMNS,
            DSL.val(owner),
            DSL.val(kind),
            DSL.val(model),
            DSL.val(dimensions),
            DSL.val(state.name())));
  }

  /** Brings a model that is locked into another state. */
  Model become(DSLContext tx, UUID owner, Model model, State state) {
    return model(
        tx.fetchSingle(
            """
            UPDATE search.embedding_models
               SET state = {3}, switched_at = now(), removed_at = NULL, revision = revision + 1
             WHERE tenant_id = {0} AND kind = {1} AND model = {2}
            RETURNING
            """
                + COLUMNS,
            DSL.val(owner),
            DSL.val(model.kind()),
            DSL.val(model.name()),
            DSL.val(state.name())));
  }
}
