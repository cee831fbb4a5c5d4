package io.rapport.platform;

import static java.util.stream.Collectors.toSet;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.QueryPart;
import org.jooq.Record;
import org.jooq.impl.DSL;

/**
 * Numbers the commits of a tenant, and keeps what each changed.
 *
 * <p>The number is taken by locking the tenant's head row as the last thing that a write does, and
 * is there for others when the write is: so numbers have no gaps, and a reader that has seen one
 * has seen all below it. See docs/adr/0007.
 */
public final class ChangeLog {
  /**
   * Numbers the commit, unless the transaction has its number already, and logs the {@code
   * entries}. The head must be the last row to be locked, so it is made to wait for the
   * subscribers.
   */
  private static final String LOG =
      """
      , numbered AS (
        INSERT INTO platform.tenant_heads AS h (tenant_id, position)
        SELECT DISTINCT tenant_id, 1 FROM entries WHERE DONE ORDER BY tenant_id
        ON CONFLICT (tenant_id) DO UPDATE SET position = h.position
          + CASE WHEN h.xmin = pg_current_xact_id()::xid THEN 0 ELSE 1 END
        RETURNING tenant_id, position
      ), head AS MATERIALIZED (
        SELECT tenant_id, NUMBER AS position FROM numbered
      ), logged AS (
        INSERT INTO platform.change_log
          (tenant_id, position, ordinal, kind, op, entity_id, user_id, revision, row_count, batch)
        SELECT e.tenant_id, head.position, ORDINAL, e.kind, e.op, e.entity_id, e.user_id,
          e.revision, e.row_count, e.batch
          FROM entries e JOIN head ON head.tenant_id = e.tenant_id
      )
      """;

  /** After the entries that the commit has already, such as that of its events. */
  private static final String FURTHER =
      """
      e.ordinal + (SELECT COALESCE(max(l.ordinal), 0) FROM platform.change_log l
        WHERE l.tenant_id = head.tenant_id AND l.position = head.position)\
      """;

  private static final String CHANGES =
      """
      WITH entries AS (
        SELECT {0}::uuid AS tenant_id, ordinal::integer, kind, op, entity_id, user_id, revision,
          1 AS row_count, NULL::bigint AS batch
          FROM unnest({1}::text[], {2}::text[], {3}::uuid[], {4}::uuid[], {5}::bigint[])
            WITH ORDINALITY AS c (kind, op, entity_id, user_id, revision, ordinal)
      ), changes AS (
        SELECT tenant_id, kind, op, entity_id, user_id, revision, NULL::text AS event_type,
          1 AS row_count, NULL::timestamptz AS last_occurred_at
          FROM entries
      )
      """;

  private final List<ChangeSubscriber> subscribers;
  private final List<NumberSubscriber> afterNumber;
  private final CommitListener listener;

  public ChangeLog(List<ChangeSubscriber> subscribers, CommitListener listener) {
    this(subscribers, List.of(), listener);
  }

  /**
   * @param afterNumber those that need the commit's number
   */
  public ChangeLog(
      List<ChangeSubscriber> subscribers,
      List<NumberSubscriber> afterNumber,
      CommitListener listener) {
    this.subscribers = List.copyOf(subscribers);
    this.afterNumber = List.copyOf(afterNumber);
    this.listener = listener;
  }

  /** Says that what a write of the tenant logged is committed. */
  public void committed(UUID tenant) {
    listener.committed(tenant);
  }

  /**
   * Does what follows from changes, and numbers and logs them: the last thing that a write does.
   *
   * @return the number; 0 if there are no changes
   */
  public long append(DSLContext tx, UUID tenant, List<Change> changes) {
    return changes.isEmpty()
        ? 0
        : append(tx, tenant, changes, "SELECT position FROM head").get(0, Long.class);
  }

  /**
   * The same by one statement with what the caller adds: its text may read {@code head}, and its
   * values are {@code {6}} and those after it.
   */
  Record append(
      DSLContext tx, UUID tenant, List<Change> changes, String rest, QueryPart... values) {
    Set<String> kinds = changes.stream().map(Change::kind).collect(toSet());
    List<QueryPart> all = new ArrayList<>();
    all.add(DSL.val(tenant));
    all.add(DSL.val(changes.stream().map(Change::kind).toArray(String[]::new)));
    all.add(DSL.val(changes.stream().map(change -> change.op().name()).toArray(String[]::new)));
    all.add(DSL.val(changes.stream().map(Change::entity).toArray(UUID[]::new)));
    all.add(DSL.val(changes.stream().map(Change::user).toArray(UUID[]::new)));
    all.add(DSL.val(changes.stream().map(Change::revision).toArray(Long[]::new)));
    all.addAll(List.of(values));
    return tx.fetchSingle(CHANGES + ending(kinds, FURTHER) + rest, all.toArray(QueryPart[]::new));
  }

  /**
   * The end of a statement that writes: what the subscribers do, the number and the log. What comes
   * before it defines {@code changes} and {@code events}, as subscribers know them, and {@code
   * entries (tenant_id, ordinal, kind, op, entity_id, user_id, revision, row_count, batch)}, the
   * first of the commit; what comes after may read {@code head (tenant_id, position)}.
   */
  public String ending(Collection<String> kinds) {
    return ending(kinds, "e.ordinal");
  }

  private String ending(Collection<String> kinds, String ordinal) {
    StringBuilder sql = new StringBuilder();
    StringBuilder done = new StringBuilder("true");
    int n = 0;
    for (ChangeSubscriber subscriber : subscribers) {
      if (kinds.stream().anyMatch(subscriber::concerns)) {
        n++;
        sql.append(", subscriber_%d AS (\n%s)".formatted(n, subscriber.statement()));
        done.append(" AND (SELECT count(*) FROM subscriber_%d) >= 0".formatted(n));
      }
    }
    String log =
        LOG.replace("DONE", done).replace("NUMBER", number(kinds)).replace("ORDINAL", ordinal);
    return sql.append(log).toString();
  }

  private String number(Collection<String> kinds) {
    String number = "position";
    for (NumberSubscriber subscriber : afterNumber) {
      if (kinds.stream().anyMatch(subscriber::concerns)) {
        number = subscriber.call(number);
      }
    }
    return number;
  }
}
