package io.rapport.search.query;

import io.rapport.platform.resource.Sql;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** Ranks entities of one kind by the words of their texts (docs/adr/0015). */
final class WordsStore {
  /** Nearness of the words, for the length of the text, brought between 0 and 1. */
  private static final int NORMALISATION = 1 | 32;

  /** Whether there is anything to look for. */
  boolean isQuery(Connection db, String words) throws SQLException {
    Sql sql = new Sql("SELECT numnode(");
    appendQuery(sql, words);
    sql.add(")");
    try (PreparedStatement statement = db.prepareStatement(sql.text())) {
      sql.bind(statement, db);
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next() && rows.getInt(1) > 0;
      }
    }
  }

  private static void appendQuery(Sql sql, String words) {
    sql.add("websearch_to_tsquery('pg_catalog.english', ").value(words, "text").add(")");
  }

  /** That a text {@code e} has the words. */
  static void appendMatch(Sql sql, String words) {
    sql.add(" AND e.words @@ ");
    appendQuery(sql, words);
  }

  /** Ranks what an index over words finds if it is no more than so many; else it only counts. */
  Found narrow(Connection db, Lookup lookup, String words, int most) throws SQLException {
    Sql sql = with(words);
    sql.add(", m AS MATERIALIZED (SELECT m.id, m.rank FROM search.match_words(")
        .add(lookup.kind().literal() + ", (SELECT q.v FROM q), " + (most + 1) + ") m)")
        .add(", n AS MATERIALIZED (SELECT count(*) AS n FROM m)");
    sql.add(", s AS MATERIALIZED (SELECT e.id, -e.rank AS distance, ");
    lookup.source().appendValue(sql, lookup.groupColumn());
    sql.add(
        " AS grouped, NULL::bytea AS content_hash FROM m e WHERE (SELECT n.n FROM n) <= " + most);
    lookup.source().appendMembership(sql);
    lookup.appendRest(sql, "(-e.rank)");
    sql.add(")");
    RankedStore.appendBest(sql, lookup);
    RankedStore.appendTold(sql, lookup, "(SELECT n.n FROM n)", "(SELECT count(*) FROM s)");
    return RankedStore.read(db, sql, lookup, false);
  }

  /** Ranks all texts that have the words. */
  Found exact(Connection db, Lookup lookup, String words) throws SQLException {
    String rank = "(-ts_rank_cd(e.words, (SELECT q.v FROM q), " + NORMALISATION + ")::float8)";
    Sql sql = with(words);
    sql.add(", s AS MATERIALIZED (SELECT e.id, " + rank + " AS distance, ");
    lookup.source().appendValue(sql, lookup.groupColumn());
    sql.add(" AS grouped, NULL::bytea AS content_hash FROM search.documents e WHERE e.tenant_id = ")
        .value(lookup.source().owner(), "uuid")
        .add(" AND e.kind = " + lookup.kind().literal() + " AND e.words @@ (SELECT q.v FROM q)");
    lookup.source().appendMembership(sql);
    lookup.appendRest(sql, rank);
    sql.add(")");
    RankedStore.appendBest(sql, lookup);
    String count = "(SELECT count(*) FROM s)";
    RankedStore.appendTold(sql, lookup, count, count);
    return RankedStore.read(db, sql, lookup, false);
  }

  private static Sql with(String words) {
    Sql sql = new Sql("WITH q AS MATERIALIZED (SELECT ");
    appendQuery(sql, words);
    return sql.add(" AS v)");
  }
}
