package io.rapport.search.query;

import io.rapport.platform.resource.Sql;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Ranks entities of one kind by their vectors. Each statement says itself how PostgreSQL is to do
 * it: the estimates by which it would choose know neither the filter's nor the graph's price.
 */
final class NearestStore {
  private static final String DISTANCE = "(e.embedding <=> (SELECT q.v FROM q))";

  /**
   * Leaves the graph as the only way that isn't forbidden. What is forbidden counts as so expensive
   * that PostgreSQL would compile the statement, which takes up to a second. Numbers, because rows
   * of unbounded length cost a round trip. With one way only, it is planned once for all values.
   */
  private static final String ONLY_THE_GRAPH =
      """
      SELECT length(set_config('enable_seqscan', 'off', true))
        + length(set_config('enable_bitmapscan', 'off', true))
        + length(set_config('enable_sort', 'off', true))
        + length(set_config('jit', 'off', true))
        + length(set_config('plan_cache_mode', 'force_generic_plan', true))
        + length(set_config('hnsw.iterative_scan', 'relaxed_order', true))
      """;

  private static final int MAX_SCAN_TUPLES = 20_000;
  private static final int COUNTED = 10_001;

  /** Whose vectors are compared with which. */
  record Direction(String model, Embedding vector) {}

  /** Compares all candidates if they are no more than so many; else it only counts them. */
  Found narrow(Connection db, Lookup lookup, Direction direction, int most) throws SQLException {
    return RankedStore.read(db, narrowSql(lookup, direction, most), lookup, false);
  }

  /** The statement of {@link #narrow}. */
  Sql narrowSql(Lookup lookup, Direction direction, int most) {
    Sql sql = with(direction);
    if (lookup.source().isFiltered()) {
      sql.add(", c AS MATERIALIZED (SELECT t.id");
      lookup.source().appendRows(sql);
      sql.add(" LIMIT " + (most + 1) + "), n AS MATERIALIZED (SELECT count(*) AS n FROM c)");
    } else {
      sql.add(", n AS MATERIALIZED (SELECT count(*) AS n FROM (SELECT FROM search.embeddings e");
      appendOwn(sql, lookup.source(), direction.model());
      sql.add(" LIMIT " + (most + 1) + ") c)");
    }
    appendDistances(sql, lookup);
    if (lookup.source().isFiltered()) {
      sql.add(" FROM c CROSS JOIN LATERAL (SELECT e.* FROM search.embeddings e");
      appendOwn(sql, lookup.source(), direction.model());
      sql.add(" AND e.id = c.id OFFSET 0) e WHERE true");
    } else {
      sql.add(" FROM search.embeddings e");
      appendOwn(sql, lookup.source(), direction.model());
    }
    sql.add(" AND (SELECT n.n FROM n) <= " + most);
    lookup.appendRest(sql, DISTANCE);
    sql.add(")");
    RankedStore.appendBest(sql, lookup);
    RankedStore.appendTold(sql, lookup, "(SELECT n.n FROM n)", "(SELECT count(*) FROM s)");
    return sql;
  }

  /** Compares all candidates. */
  Found exact(Connection db, Lookup lookup, Direction direction) throws SQLException {
    Sql sql = with(direction);
    appendDistances(sql, lookup);
    sql.add(" FROM search.embeddings e");
    appendOwn(sql, lookup.source(), direction.model());
    lookup.source().appendMembership(sql);
    lookup.appendRest(sql, DISTANCE);
    sql.add(")");
    RankedStore.appendBest(sql, lookup);
    String count = "(SELECT count(*) FROM s)";
    RankedStore.appendTold(sql, lookup, count, count);
    return RankedStore.read(db, sql, lookup, false);
  }

  /** Goes along the graph, and past what doesn't pass; may give fewer than there are. */
  Found graph(Connection db, Lookup lookup, Direction direction, int effort) throws SQLException {
    return RankedStore.read(db, graphSql(lookup, direction, effort), lookup, true);
  }

  /** The statement of {@link #graph}. */
  Sql graphSql(Lookup lookup, Direction direction, int effort) {
    Sql sql = new Sql(ONLY_THE_GRAPH);
    sql.add(" + length(set_config('hnsw.max_scan_tuples', '" + MAX_SCAN_TUPLES + "', true))");
    sql.add(" + length(set_config('hnsw.ef_search', '" + effort + "', true)); ");
    appendWith(sql, direction);
    sql.add(", r AS MATERIALIZED (SELECT e.id, " + DISTANCE + " AS distance, ");
    lookup.source().appendValue(sql, lookup.groupColumn());
    sql.add(" AS grouped, e.content_hash FROM search.embeddings e");
    appendOwn(sql, lookup.source(), direction.model());
    lookup.source().appendCheck(sql);
    lookup.appendRest(sql, DISTANCE);
    sql.add(" ORDER BY e.embedding <=> (SELECT q.v FROM q) LIMIT " + lookup.count() + ")");
    RankedStore.appendTold(sql, lookup, "-1::bigint", "-1::bigint");
    return sql;
  }

  private static Sql with(Direction direction) {
    Sql sql = new Sql("");
    appendWith(sql, direction);
    return sql;
  }

  private static void appendWith(Sql sql, Direction direction) {
    sql.add("WITH q AS MATERIALIZED (SELECT ").reals(direction.vector().values());
    sql.add("::halfvec(1536) AS v)");
  }

  private static void appendDistances(Sql sql, Lookup lookup) {
    sql.add(", s AS MATERIALIZED (SELECT e.id, " + DISTANCE + " AS distance, ");
    lookup.source().appendValue(sql, lookup.groupColumn());
    sql.add(" AS grouped, e.content_hash");
  }

  private static void appendOwn(Sql sql, Source source, String model) {
    sql.add(" WHERE e.tenant_id = ")
        .value(source.owner(), "uuid")
        .add(" AND e.kind = " + source.kind().literal() + " AND e.model = ")
        .value(model, "text");
  }

  /** How many entities that pass have no vector of the model, counted up to 10,001. */
  long withoutVector(Connection db, Source source, String model) throws SQLException {
    try (PreparedStatement statement = prepared(db, withoutVectorSql(source, model));
        ResultSet rows = statement.executeQuery()) {
      return rows.next() ? rows.getLong(1) : 0;
    }
  }

  /**
   * The statement of {@link #withoutVector}. Each is looked up by its key: of rows that were just
   * written PostgreSQL knows so little that it compared all with all.
   */
  Sql withoutVectorSql(Source source, String model) {
    String of = " WHERE d.tenant_id = e.tenant_id AND d.kind = " + source.kind().literal();
    Sql sql = new Sql("SELECT count(*) FROM (SELECT FROM (SELECT t.tenant_id, t.id");
    if (source.isFiltered()) {
      source.appendRows(sql);
      sql.add(" OFFSET 0) e WHERE (SELECT true FROM search.documents d" + of + " AND d.id = e.id)");
    } else {
      sql.add(" FROM search.documents t WHERE t.tenant_id = ")
          .value(source.owner(), "uuid")
          .add(" AND t.kind = " + source.kind().literal() + " OFFSET 0) e WHERE true");
    }
    return sql.add(" AND (SELECT true FROM search.embeddings d" + of + " AND d.id = e.id")
        .add(" AND d.model = ")
        .value(model, "text")
        .add(") IS NULL LIMIT " + COUNTED + ") n");
  }

  /**
   * A stored entity's vector.
   *
   * @param isThere whether the entity can be found
   * @param vector null if it has none of the model
   */
  record Stored(boolean isThere, @Nullable Embedding vector) {}

  Stored stored(Connection db, UUID tenant, Kind kind, UUID id, String model) throws SQLException {
    Sql sql = new Sql("SELECT v.embedding::real[] FROM search.documents d");
    sql.add(" LEFT JOIN search.embeddings v ON v.tenant_id = d.tenant_id AND v.kind = d.kind")
        .add(" AND v.kind = " + kind.literal() + " AND v.id = d.id AND v.model = ")
        .value(model, "text")
        .add(" WHERE d.tenant_id = ")
        .value(kind.owner(tenant).toString(), "uuid")
        .add(" AND d.kind = " + kind.literal() + " AND d.id = ")
        .value(id.toString(), "uuid");
    try (PreparedStatement statement = prepared(db, sql);
        ResultSet rows = statement.executeQuery()) {
      if (!rows.next()) {
        return new Stored(false, null);
      }
      Array vector = rows.getArray(1);
      return new Stored(true, vector == null ? null : embedding(vector));
    }
  }

  /** The vectors of a model that entities of a kind have. */
  Map<UUID, Embedding> vectors(Connection db, Source source, String model, Collection<UUID> ids)
      throws SQLException {
    Sql sql = new Sql("SELECT e.id, e.embedding::real[] FROM search.embeddings e");
    appendOwn(sql, source, model);
    sql.add(" AND e.id = ANY (")
        .values(ids.stream().map(UUID::toString).toArray(String[]::new), "uuid")
        .add(")");
    Map<UUID, Embedding> vectors = new HashMap<>();
    try (PreparedStatement statement = prepared(db, sql);
        ResultSet rows = statement.executeQuery()) {
      while (rows.next()) {
        vectors.put(rows.getObject(1, UUID.class), embedding(rows.getArray(2)));
      }
    }
    return vectors;
  }

  private static Embedding embedding(Array reals) throws SQLException {
    Float[] boxed = (Float[]) reals.getArray();
    float[] values = new float[boxed.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = boxed[i];
    }
    return new Embedding(values);
  }

  private static PreparedStatement prepared(Connection db, Sql sql) throws SQLException {
    PreparedStatement statement = db.prepareStatement(sql.text());
    sql.bind(statement, db);
    return statement;
  }
}
