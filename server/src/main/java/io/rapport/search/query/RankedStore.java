package io.rapport.search.query;

import io.rapport.platform.resource.Sql;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

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
   * What is told of {@code r}, in one row at least. Each is looked up by its key, whatever
   * PostgreSQL thinks of how many there are.
   *
   * @param counted how many candidates there are, as SQL
   * @param matching how many could be ranked, as SQL
   */
  static void appendTold(Sql sql, Lookup lookup, String counted, String matching) {
    String owner = lookup.source().owner();
    String rows = lookup.kind().rows();
    sql.add(" SELECT " + counted + ", " + matching + ", o.* FROM (SELECT) one LEFT JOIN (");
    sql.add("SELECT r.id, r.distance, r.grouped, d.content_hash <> r.content_hash AS stale, ");
    if (rows == null) {
      sql.add("0::bigint");
    } else {
      sql.add("(SELECT t.revision FROM " + rows + " t WHERE t.tenant_id = ")
          .value(owner, "uuid")
          .add(" AND t.id = r.id)");
    }
    sql.add(" AS revision, " + (lookup.withText() ? "d.content" : "NULL::text") + " AS content")
        .add(" FROM r CROSS JOIN LATERAL (SELECT * FROM search.documents d WHERE d.tenant_id = ")
        .value(owner, "uuid")
        .add(
            " AND d.kind = " + lookup.kind().literal() + " AND d.id = r.id OFFSET 0) d) o ON true");
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
    return new Candidate(
        lookup.kind(),
        id,
        rows.getDouble(4),
        rows.getBoolean(6),
        rows.getLong(7),
        rows.getString(5),
        rows.getString(8));
  }
}
