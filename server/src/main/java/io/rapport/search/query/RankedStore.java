package io.rapport.search.query;

import io.rapport.platform.resource.Sql;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The parts that statements have in common which rank entities of one kind: the best ones of the
 * relation {@code s} (id, distance, grouped, content_hash), and what is told of them.
 */
final class RankedStore {
  private RankedStore() {}

  /** The best of {@code s}. */
  static void appendBest(Sql sql, Lookup lookup) {
    Lookup.Grouping grouping = lookup.grouping();
    sql.add(", r AS MATERIALIZED (SELECT * FROM ");
    if (grouping == null) {
      sql.add("s");
    } else {
      sql.add(
              "(SELECT s.*, row_number() OVER (PARTITION BY grouped ORDER BY distance, id) AS place")
          .add(" FROM s) p WHERE place <= " + grouping.size());
    }
    sql.add(" ORDER BY distance, id LIMIT " + lookup.count() + ")");
  }

  /**
   * What is told of {@code r}, in one row at least.
   *
   * @param counted how many candidates there are, as SQL
   * @param matching how many could be ranked, as SQL
   * @param model whose vectors are told; null if none are
   */
  static void appendTold(
      Sql sql, Lookup lookup, String counted, String matching, @Nullable String model) {
    Source source = lookup.source();
    String kind = lookup.kind().literal();
    sql.add(" SELECT " + counted + ", " + matching + ", o.* FROM (SELECT) one LEFT JOIN (");
    sql.add("SELECT r.id, r.distance, r.grouped, d.content_hash <> r.content_hash AS stale, ");
    if (lookup.kind().rows() == null) {
      sql.add("0::bigint");
    } else {
      sql.add("(SELECT t.revision FROM " + lookup.kind().rows() + " t WHERE t.tenant_id = ")
          .value(source.owner(), "uuid")
          .add(" AND t.id = r.id)");
    }
    sql.add(" AS revision, " + (lookup.withText() ? "d.content" : "NULL::text") + " AS content, ");
    if (lookup.withEmbedding() && model != null) {
      sql.add("(SELECT v.embedding::real[] FROM search.embeddings v WHERE v.tenant_id = ")
          .value(source.owner(), "uuid")
          .add(" AND v.kind = " + kind + " AND v.id = r.id AND v.model = ")
          .value(model, "text")
          .add(")");
    } else {
      sql.add("NULL::real[]");
    }
    sql.add(" AS embedding FROM r JOIN search.documents d ON d.tenant_id = ")
        .value(source.owner(), "uuid")
        .add(" AND d.kind = " + kind + " AND d.id = r.id) o ON true");
  }

  /** Runs a statement; the settings before it, if any, hold for it alone. */
  static Found read(Connection db, Sql sql, Lookup lookup, boolean hasSettings)
      throws SQLException {
    try (PreparedStatement statement = db.prepareStatement(sql.text())) {
      sql.bind(statement, db);
      statement.execute();
      if (hasSettings) {
        statement.getMoreResults();
      }
      try (ResultSet rows = statement.getResultSet()) {
        List<Candidate> candidates = new ArrayList<>();
        long counted = 0;
        long matching = 0;
        while (rows.next()) {
          counted = rows.getLong(1);
          matching = rows.getLong(2);
          UUID id = rows.getObject(3, UUID.class);
          if (id != null) {
            candidates.add(candidate(rows, id, lookup));
          }
        }
        candidates.sort(Candidate.ORDER);
        return new Found(counted, matching, candidates);
      }
    }
  }

  private static Candidate candidate(ResultSet rows, UUID id, Lookup lookup) throws SQLException {
    java.sql.Array embedding = rows.getArray(9);
    return new Candidate(
        lookup.kind(),
        id,
        rows.getDouble(4),
        rows.getBoolean(6),
        rows.getLong(7),
        rows.getString(5),
        embedding == null ? null : embedding(embedding),
        rows.getString(8));
  }

  static Embedding embedding(java.sql.Array reals) throws SQLException {
    Float[] boxed = (Float[]) reals.getArray();
    float[] values = new float[boxed.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = boxed[i];
    }
    return new Embedding(values);
  }
}
