package io.rapport.search.embedding;

import com.google.protobuf.ByteString;
import io.rapport.platform.TimePlace;
import io.rapport.platform.Times;
import io.rapport.search.v1.ClaimedText;
import io.rapport.search.v1.StaleEmbedding;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** Texts that need a vector, and who has them, in PostgreSQL, by whose clock leases end. */
final class StaleStore {
  /** How often a text is claimed before it has failed. */
  static final int MAX_ATTEMPTS = 5;

  private static final String STATE =
      """
      CASE WHEN s.leased_until > clock_timestamp() THEN 'CLAIMED'
        WHEN s.attempts >= 5 THEN 'FAILED' ELSE 'WAITING' END
      """;

  private static final String LIST =
      """
      SELECT * FROM (
        SELECT s.id, s.marked_at, STATE AS state, s.attempts, COALESCE(s.failure, ''),
          s.leased_until, NULLIF(s.retry_at, '-infinity')
          FROM search.stale_embeddings s
         WHERE s.tenant_id = {0} AND s.kind = {1} AND s.model = {2}
           AND ({4}::timestamptz IS NULL OR (s.marked_at, s.id) > ({4}, {5}))
         ORDER BY s.marked_at, s.id) found
       WHERE cardinality({3}::text[]) = 0 OR state = ANY ({3})
       ORDER BY marked_at, id LIMIT {6}
      """
          .replace("STATE", STATE);

  /** What one claim gives is bounded by its bytes, but never nothing. */
  private static final String CLAIM =
      """
      WITH waiting AS MATERIALIZED (
        SELECT s.id, s.marked_at FROM search.stale_embeddings s
         WHERE s.tenant_id = {0} AND s.kind = {1} AND s.model = {2} AND s.attempts < 5
           AND s.retry_at <= clock_timestamp()
           AND (s.leased_until IS NULL OR s.leased_until <= clock_timestamp())
         ORDER BY s.marked_at, s.id LIMIT {3} FOR UPDATE SKIP LOCKED
      ), texts AS MATERIALIZED (
        SELECT w.id, w.marked_at, d.content, d.content_hash,
          sum(octet_length(d.content)) OVER oldest AS bytes, row_number() OVER oldest AS n
          FROM waiting w JOIN search.documents d
            ON d.tenant_id = {0} AND d.kind = {1} AND d.id = w.id
        WINDOW oldest AS (ORDER BY w.marked_at, w.id)
      ), claimed AS (
        UPDATE search.stale_embeddings s SET lease_id = {4}, attempts = s.attempts + 1,
          leased_until = clock_timestamp() + {5} * interval '1 millisecond'
          FROM texts t
         WHERE s.tenant_id = {0} AND s.kind = {1} AND s.model = {2} AND s.id = t.id
           AND (t.bytes <= 3145728 OR t.n = 1)
        RETURNING s.id, s.attempts, s.leased_until
      )
      SELECT t.id, t.content, t.content_hash, c.attempts, c.leased_until
        FROM claimed c JOIN texts t ON t.id = c.id ORDER BY t.marked_at, t.id
      """;

  /** What a lease holds still, locked in the one order. */
  private static final String HELD =
      """
      SELECT h.id, h.model FROM search.stale_embeddings h
       WHERE h.tenant_id = {0} AND h.kind = {1} AND h.lease_id = {2}
         AND h.leased_until > clock_timestamp()
         AND (cardinality({3}::uuid[]) = 0 OR h.id = ANY ({3}))
       ORDER BY h.id, h.model FOR UPDATE
      """;

  private static final String RENEW =
      """
      WITH held AS MATERIALIZED (HELD)
      UPDATE search.stale_embeddings s
         SET leased_until = clock_timestamp() + {4} * interval '1 millisecond'
        FROM held h WHERE s.tenant_id = {0} AND s.kind = {1} AND s.id = h.id AND s.model = h.model
      RETURNING s.leased_until
      """
          .replace("HELD", HELD);

  private static final String RELEASE =
      """
      WITH held AS MATERIALIZED (HELD)
      UPDATE search.stale_embeddings s
         SET lease_id = NULL, leased_until = NULL, attempts = s.attempts - 1,
           retry_at = CASE WHEN {4} = 0 THEN s.retry_at
             ELSE clock_timestamp() + {4} * interval '1 millisecond' END
        FROM held h WHERE s.tenant_id = {0} AND s.kind = {1} AND s.id = h.id AND s.model = h.model
      """
          .replace("HELD", HELD);

  private static final String FAIL =
      """
      WITH held AS MATERIALIZED (HELD)
      UPDATE search.stale_embeddings s
         SET lease_id = NULL, leased_until = NULL, failure = f.reason,
           attempts = CASE WHEN f.permanent THEN 5 ELSE s.attempts END,
           retry_at = clock_timestamp()
             + COALESCE({6}::bigint, 5000 * (1 << LEAST(s.attempts, 5))) * interval '1 millisecond'
        FROM held h, unnest({3}::uuid[], {4}::text[], {5}::boolean[]) AS f (id, reason, permanent)
       WHERE s.tenant_id = {0} AND s.kind = {1} AND s.id = h.id AND s.model = h.model
         AND f.id = h.id
      RETURNING s.attempts
      """
          .replace("HELD", HELD);

  private static final String RETRY =
      """
      WITH failed AS MATERIALIZED (
        SELECT s.id FROM search.stale_embeddings s
         WHERE s.tenant_id = {0} AND s.kind = {1} AND s.model = {2} AND s.attempts >= 5
           AND COALESCE(s.leased_until <= clock_timestamp(), true)
           AND (cardinality({3}::uuid[]) = 0 OR s.id = ANY ({3}))
         ORDER BY s.id FOR UPDATE
      )
      UPDATE search.stale_embeddings s SET attempts = 0, failure = NULL, retry_at = '-infinity',
        lease_id = NULL, leased_until = NULL
        FROM failed f
       WHERE s.tenant_id = {0} AND s.kind = {1} AND s.model = {2} AND s.id = f.id
      """;

  /**
   * What a caller wants to embed.
   *
   * @param lease its id
   */
  record Wish(String kind, String model, int texts, UUID lease, Duration time) {}

  /** What a caller has. */
  record Claim(List<ClaimedText> texts, Instant until) {}

  /** What couldn't be embedded. */
  record Failed(UUID id, String reason, boolean permanent) {}

  /** What is left of a claim. */
  record Left(int texts, Instant until) {}

  List<StaleEmbedding> list(
      DSLContext dsl,
      UUID owner,
      ModelStore.Model model,
      Collection<StaleEmbedding.State> states,
      @Nullable TimePlace after,
      int limit) {
    return dsl.fetch(
            LIST,
            DSL.val(owner),
            DSL.val(model.kind()),
            DSL.val(model.name()),
            DSL.val(states.stream().map(Enum::name).toArray(String[]::new)),
            DSL.val(after == null ? null : after.time(), Instant.class),
            DSL.val(after == null ? null : after.id(), UUID.class),
            DSL.val(limit))
        .map(row -> stale(row, model.name()));
  }

  private static StaleEmbedding stale(Record row, String model) {
    StaleEmbedding.Builder stale =
        StaleEmbedding.newBuilder()
            .setId(row.get(0, String.class))
            .setModel(model)
            .setMarkedAt(Times.proto(row.get(1, Instant.class)))
            .setState(StaleEmbedding.State.valueOf(row.get(2, String.class)))
            .setAttempts(row.get(3, Integer.class))
            .setFailure(row.get(4, String.class));
    if (stale.getState() == StaleEmbedding.State.CLAIMED) {
      stale.setLeaseExpiresAt(Times.proto(row.get(5, Instant.class)));
    }
    @Nullable Instant retry = row.get(6, Instant.class);
    return retry == null ? stale.build() : stale.setRetryAt(Times.proto(retry)).build();
  }

  Optional<Claim> claim(DSLContext tx, UUID owner, Wish wish) {
    var rows =
        tx.fetch(
            CLAIM,
            DSL.val(owner),
            DSL.val(wish.kind()),
            DSL.val(wish.model()),
            DSL.val(wish.texts()),
            DSL.val(wish.lease()),
            DSL.val(wish.time().toMillis()));
    return rows.isEmpty()
        ? Optional.empty()
        : Optional.of(new Claim(rows.map(StaleStore::text), rows.get(0).get(4, Instant.class)));
  }

  private static ClaimedText text(Record row) {
    return ClaimedText.newBuilder()
        .setId(row.get(0, String.class))
        .setText(row.get(1, String.class))
        .setContentHash(ByteString.copyFrom(row.get(2, byte[].class)))
        .setAttempt(row.get(3, Integer.class))
        .build();
  }

  /** Empty if nothing is left. */
  Optional<Left> renew(DSLContext tx, UUID owner, String kind, UUID lease, Duration time) {
    var rows =
        tx.fetch(
            RENEW,
            DSL.val(owner),
            DSL.val(kind),
            DSL.val(lease),
            DSL.val(new UUID[0]),
            DSL.val(time.toMillis()));
    return rows.isEmpty()
        ? Optional.empty()
        : Optional.of(new Left(rows.size(), rows.get(0).get(0, Instant.class)));
  }

  /**
   * Gives some of a claim back, or all that is left if none is named.
   *
   * @param pause how long nobody gets it
   */
  int release(
      DSLContext tx, UUID owner, String kind, UUID lease, Collection<UUID> ids, Duration pause) {
    return tx.execute(
        RELEASE,
        DSL.val(owner),
        DSL.val(kind),
        DSL.val(lease),
        DSL.val(ids.toArray(UUID[]::new)),
        DSL.val(pause.toMillis()));
  }

  /**
   * Ends the work on some of a claim.
   *
   * @param again when it may be tried again; null: later after each attempt
   * @return how often each that the lease held had been claimed
   */
  List<Integer> fail(
      DSLContext tx,
      UUID owner,
      String kind,
      UUID lease,
      List<Failed> failed,
      @Nullable Duration again) {
    return tx.fetch(
            FAIL,
            DSL.val(owner),
            DSL.val(kind),
            DSL.val(lease),
            DSL.val(failed.stream().map(Failed::id).toArray(UUID[]::new)),
            DSL.val(failed.stream().map(Failed::reason).toArray(String[]::new)),
            DSL.val(failed.stream().map(Failed::permanent).toArray(Boolean[]::new)),
            DSL.val(again == null ? null : again.toMillis(), Long.class))
        .map(row -> row.get(0, Integer.class));
  }

  /** Has what has failed tried again; returns how many. */
  int retry(DSLContext tx, UUID owner, ModelStore.Model model, Collection<UUID> ids) {
    return tx.execute(
        RETRY,
        DSL.val(owner),
        DSL.val(model.kind()),
        DSL.val(model.name()),
        DSL.val(ids.toArray(UUID[]::new)));
  }
}
