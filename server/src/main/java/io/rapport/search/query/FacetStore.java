package io.rapport.search.query;

import io.rapport.platform.resource.Sql;
import io.rapport.search.v1.CountMatchesResponse.KindCount;
import io.rapport.search.v1.FacetCounts;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** Counts entities that can be found. */
final class FacetStore {
  /**
   * How many there are.
   *
   * @param words what their texts must have; null: anything
   * @param model whose vectors are counted; null: none
   */
  KindCount count(Connection db, Source source, @Nullable String words, @Nullable String model)
      throws SQLException {
    String kind = source.kind().literal();
    Sql sql = new Sql("SELECT count(*), count(v.id) FROM search.documents e");
    sql.add(" LEFT JOIN search.embeddings v ON v.tenant_id = e.tenant_id AND v.kind = " + kind)
        .add(" AND v.id = e.id AND v.model = ")
        .value(model, "text");
    appendMatching(sql, source, words);
    try (PreparedStatement statement = prepared(db, sql);
        ResultSet rows = statement.executeQuery()) {
      rows.next();
      return KindCount.newBuilder()
          .setKind(source.kind().name())
          .setCount(rows.getLong(1))
          .setEmbedded(rows.getLong(2))
          .build();
    }
  }

  private static void appendMatching(Sql sql, Source source, @Nullable String words) {
    sql.add(" WHERE e.tenant_id = ")
        .value(source.owner(), "uuid")
        .add(" AND e.kind = " + source.kind().literal());
    source.appendMembership(sql);
    if (words != null) {
      WordsStore.appendMatch(sql, words);
    }
  }

  /** How often the values of a column occur. */
  FacetCounts values(Connection db, Source source, @Nullable String words, String column, int limit)
      throws SQLException {
    Sql sql = new Sql("WITH s AS MATERIALIZED (SELECT r." + column + "::text AS value,");
    sql.add(" count(*) AS n FROM search.documents e LEFT JOIN " + source.kind().rows() + " r")
        .add(" ON r.tenant_id = e.tenant_id AND r.id = e.id");
    appendMatching(sql, source, words);
    sql.add(" GROUP BY r." + column + "::text) SELECT b.value, b.n, COALESCE((SELECT sum(n) FROM s")
        .add(" WHERE value IS NOT NULL), 0)::bigint, COALESCE((SELECT n FROM s")
        .add(" WHERE value IS NULL), 0)::bigint FROM (SELECT) one LEFT JOIN (SELECT * FROM s")
        .add(" WHERE value IS NOT NULL ORDER BY n DESC, value COLLATE \"C\" LIMIT " + limit)
        .add(") b ON true ORDER BY b.n DESC, b.value COLLATE \"C\"");
    FacetCounts.Builder counts =
        FacetCounts.newBuilder().setKind(source.kind().name()).setField(column);
    try (PreparedStatement statement = prepared(db, sql);
        ResultSet rows = statement.executeQuery()) {
      long told = 0;
      while (rows.next()) {
        String value = rows.getString(1);
        if (value != null) {
          told += rows.getLong(2);
          counts.addValues(
              FacetCounts.Value.newBuilder().setValue(value).setCount(rows.getLong(2)));
        }
        counts.setOthers(rows.getLong(3) - told).setUnset(rows.getLong(4));
      }
    }
    return counts.build();
  }

  private static PreparedStatement prepared(Connection db, Sql sql) throws SQLException {
    PreparedStatement statement = db.prepareStatement(sql.text());
    sql.bind(statement, db);
    return statement;
  }
}
