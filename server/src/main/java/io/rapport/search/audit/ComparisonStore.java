package io.rapport.search.audit;

import io.rapport.search.Effort;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.stream.Stream;
import org.jooq.DSLContext;
import org.jooq.QueryPart;
import org.jooq.Record;
import org.jooq.impl.DSL;

/** Does searches by the index and row by row, over the same rows, in PostgreSQL. */
final class ComparisonStore {
  /**
   * The index goes on until there are enough that the tenant may see, as in a search. What is
   * switched off counts as so expensive that PostgreSQL would compile the query, for a second.
   */
  private static final String BY_INDEX =
      """
      SELECT set_config('hnsw.ef_search', {0}::text, true),
        set_config('hnsw.iterative_scan', 'relaxed_order', true),
        set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true),
        set_config('max_parallel_workers_per_gather', '0', true), set_config('jit', 'off', true)
      """;

  private static final String OWN = "e.tenant_id = {0} AND e.kind = {1} AND e.model = {2}";

  private static final String STORED =
      """
      SELECT row_number() OVER (ORDER BY e.id) AS n, e.id, e.embedding AS vector
        FROM search.embeddings e WHERE OWN AND e.id = ANY ({4}::uuid[])
      """;

  private static final String GIVEN =
      """
      SELECT t.n, NULL::uuid AS id, t.vector::halfvec(1536) AS vector
        FROM unnest({4}::text[]) WITH ORDINALITY AS t (vector, n)
      """;

  /** One statement, and so one snapshot. What is as near as the last neighbour is one, too. */
  private static final String COMPARE =
      """
      WITH query AS MATERIALIZED (QUERIES
      ), by_index AS MATERIALIZED (
        SELECT q.n, a.distance FROM query q CROSS JOIN LATERAL (
          SELECT e.embedding <=> q.vector AS distance FROM search.embeddings e
           WHERE OWN AND (q.id IS NULL OR e.id <> q.id)
           ORDER BY e.embedding <=> q.vector LIMIT {3}) a
      ), exact AS MATERIALIZED (
        SELECT q.n, a.distance FROM query q CROSS JOIN LATERAL (
          SELECT (e.embedding <=> q.vector) + 0 AS distance FROM search.embeddings e
           WHERE OWN AND (q.id IS NULL OR e.id <> q.id)
           ORDER BY distance LIMIT {3}) a
      ), searches AS (
        SELECT x.n, count(*) AS expected, max(x.distance) + 1e-6 AS farthest FROM exact x
         GROUP BY x.n
      ), results AS (
        SELECT s.expected, LEAST(s.expected, (
            SELECT count(*) FROM by_index i WHERE i.n = s.n AND i.distance <= s.farthest)) AS found
          FROM searches s
      )
      SELECT count(*)::integer, COALESCE(sum(expected), 0)::bigint,
        COALESCE(sum(found), 0)::bigint, COALESCE(min(found::double precision / expected), 1)
        FROM results
      """;

  private static final String MORE_THAN =
      "SELECT count(*) > {3} FROM (SELECT FROM search.embeddings e WHERE "
          + OWN
          + " LIMIT {3} + 1) q";

  private static final String FIRST_AND_LAST =
      """
      SELECT (SELECT e.id FROM search.embeddings e WHERE OWN ORDER BY e.id LIMIT 1),
        (SELECT e.id FROM search.embeddings e WHERE OWN ORDER BY e.id DESC LIMIT 1)
      """
          .replace("OWN", OWN);

  private static final String NEXT =
      """
      SELECT DISTINCT (SELECT e.id FROM search.embeddings e WHERE OWN AND e.id >= place
        ORDER BY e.id LIMIT 1) AS id FROM unnest({3}::uuid[]) AS place
      """
          .replace("OWN", OWN);

  /** Some draw the same row: so many for each that is wanted leave enough. */
  private static final int DRAWS = 5;

  private final SplittableRandom random = new SplittableRandom();

  /** Whether there are more vectors than this. */
  boolean hasMoreThan(DSLContext dsl, Subject subject, int rows) {
    return dsl.fetchSingle(MORE_THAN, own(subject, DSL.val(rows))).get(0, Boolean.class);
  }

  /** Rows from anywhere in the order of their ids. */
  List<UUID> anyRows(DSLContext dsl, Subject subject, int count) {
    Record ends = dsl.fetchSingle(FIRST_AND_LAST, own(subject));
    Optional<UUID> first = Optional.ofNullable(ends.get(0, UUID.class));
    Optional<UUID> last = Optional.ofNullable(ends.get(1, UUID.class));
    if (first.isEmpty() || last.isEmpty()) {
      return List.of();
    }
    UUID[] places =
        Stream.generate(() -> between(first.get(), last.get()))
            .limit((long) DRAWS * count)
            .toArray(UUID[]::new);
    List<UUID> drawn =
        new ArrayList<>(
            dsl.fetch(NEXT, own(subject, DSL.val(places))).map(row -> row.get(0, UUID.class)));
    Collections.shuffle(drawn);
    return drawn.subList(0, Math.min(count, drawn.size()));
  }

  private UUID between(UUID first, UUID last) {
    BigInteger from = number(first);
    BigInteger width = number(last).subtract(from);
    BigInteger share = BigInteger.valueOf(random.nextLong(1L << 62));
    BigInteger place = from.add(width.multiply(share).shiftRight(62));
    return new UUID(place.shiftRight(64).longValue(), place.longValue());
  }

  private static BigInteger number(UUID id) {
    return new BigInteger(id.toString().replace("-", ""), 16);
  }

  /** Searches for the neighbours of rows, without these themselves. */
  Findings compareStored(DSLContext tx, Subject subject, int neighbours, List<UUID> rows) {
    return compare(tx, STORED, subject, neighbours, DSL.val(rows.toArray(UUID[]::new)));
  }

  /** Searches for the neighbours of vectors. */
  Findings compareGiven(DSLContext tx, Subject subject, int neighbours, List<String> vectors) {
    return compare(tx, GIVEN, subject, neighbours, DSL.val(vectors.toArray(String[]::new)));
  }

  private static Findings compare(
      DSLContext tx, String queries, Subject subject, int neighbours, QueryPart values) {
    tx.fetch(BY_INDEX, DSL.inline(Effort.of(neighbours)));
    Record row =
        tx.fetchSingle(
            COMPARE.replace("QUERIES", queries).replace("OWN", OWN),
            own(subject, DSL.val(neighbours), values));
    return new Findings(
        row.get(0, Integer.class),
        row.get(1, Long.class),
        row.get(2, Long.class),
        row.get(3, Double.class));
  }

  /** The kind stands in the text, so that one partition is planned for. */
  private static QueryPart[] own(Subject subject, QueryPart... more) {
    return Stream.concat(
            Stream.of(
                DSL.val(subject.tenant()), DSL.inline(subject.kind()), DSL.val(subject.model())),
            Stream.of(more))
        .toArray(QueryPart[]::new);
  }
}
