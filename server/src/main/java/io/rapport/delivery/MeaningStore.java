package io.rapport.delivery;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;

/**
 * What statuses mean, and the issues that are to be worked out anew because it is something else.
 *
 * <p>Who works out issues holds a shared lock, for which who changes meanings waits: so either the
 * former goes by the new meaning, or the latter finds the issue. The former has locked issues by
 * then, so the latter never waits for one.
 */
final class MeaningStore {
  /** How many changes of issues are looked at in one transaction. */
  static final int CHUNK = 1000;

  private static final String LOCK =
      "SELECT pg_advisory_xact_lock%s(hashtextextended('delivery.meanings/' || {0}::text, 0))";

  private static final String MAPPED =
      """
      SELECT id FROM delivery.statuses
       WHERE tenant_id = {0} AND status_mapping_id = ANY ({1}::uuid[]) ORDER BY id
      """;

  private static final String IN_WORKFLOWS =
      """
      SELECT s.id FROM delivery.statuses s
        JOIN delivery.status_mappings m ON m.tenant_id = s.tenant_id AND m.id = s.status_mapping_id
       WHERE s.tenant_id = {0} AND m.workflow_id IS NOT NULL ORDER BY s.id
      """;

  private static final String ISSUES =
      """
      (SELECT issue_id FROM delivery.issue_changelogs
        WHERE tenant_id = {0} AND from_status_id = ANY ({1}::uuid[]) LIMIT {2})
      UNION ALL
      (SELECT issue_id FROM delivery.issue_changelogs
        WHERE tenant_id = {0} AND to_status_id = ANY ({1}::uuid[]) LIMIT {2})
      """;

  private static final String LOCK_ISSUES =
      """
      SELECT id FROM delivery.issues WHERE tenant_id = {0} AND id = ANY ({1}::uuid[])
       ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
      """;

  private static final String PUT_OFF =
      """
      INSERT INTO delivery.changed_meanings (tenant_id, status_id)
      SELECT {0}, id FROM unnest({1}::uuid[]) AS s (id) ORDER BY id
      ON CONFLICT (tenant_id, status_id) DO UPDATE SET changed_at = now(), inward = false,
        after_at = '-infinity', after_id = '00000000-0000-0000-0000-000000000000'
      """;

  private static final String TENANTS = "SELECT DISTINCT tenant_id FROM delivery.changed_meanings";

  private static final String NEXT =
      """
      SELECT status_id, inward FROM delivery.changed_meanings
       WHERE tenant_id = {0} ORDER BY changed_at, status_id LIMIT 1 FOR UPDATE SKIP LOCKED
      """;

  private static final String ADVANCE =
      """
      WITH part AS (
        SELECT c.issue_id, c.created_at, c.id
          FROM delivery.changed_meanings m
          JOIN delivery.issue_changelogs c
            ON c.tenant_id = m.tenant_id AND c.SIDE = m.status_id
           AND (c.created_at, c.id) > (m.after_at, m.after_id)
         WHERE m.tenant_id = {0} AND m.status_id = {1}
         ORDER BY c.created_at, c.id LIMIT {2}
      ), last AS (
        SELECT created_at, id FROM part ORDER BY created_at DESC, id DESC LIMIT 1
      ), moved AS (
        UPDATE delivery.changed_meanings m SET after_at = last.created_at, after_id = last.id
          FROM last WHERE m.tenant_id = {0} AND m.status_id = {1}
      )
      SELECT issue_id FROM part
      """;

  private static final String TURN =
      """
      UPDATE delivery.changed_meanings SET inward = true, after_at = '-infinity',
        after_id = '00000000-0000-0000-0000-000000000000'
       WHERE tenant_id = {0} AND status_id = {1}
      """;

  private static final String FINISH =
      "DELETE FROM delivery.changed_meanings WHERE tenant_id = {0} AND status_id = {1}";

  /** A status whose issues are being worked out anew. */
  record Unfinished(UUID status, boolean inward) {}

  /** Has meanings stay what they are until the transaction ends. */
  void hold(DSLContext tx, UUID tenant) {
    tx.fetch(LOCK.formatted("_shared"), DSL.val(tenant));
  }

  /** Waits for all who hold meanings, and keeps others from it until the transaction ends. */
  void seize(DSLContext tx, UUID tenant) {
    tx.fetch(LOCK.formatted(""), DSL.val(tenant));
  }

  /** The statuses with one of these mappings. */
  List<UUID> statusesOf(DSLContext tx, UUID tenant, Collection<UUID> mappings) {
    return ids(tx.fetch(MAPPED, DSL.val(tenant), DSL.val(mappings.toArray(UUID[]::new))));
  }

  /** The statuses that are steps of a workflow. */
  List<UUID> statusesInWorkflows(DSLContext tx, UUID tenant) {
    return ids(tx.fetch(IN_WORKFLOWS, DSL.val(tenant)));
  }

  /** The issues that were in one of the statuses; empty if their changes are too many. */
  Optional<List<UUID>> fewIssues(DSLContext tx, UUID tenant, Collection<UUID> statuses) {
    List<UUID> found =
        ids(
            tx.fetch(
                ISSUES,
                DSL.val(tenant),
                DSL.val(statuses.toArray(UUID[]::new)),
                DSL.val(CHUNK + 1)));
    return found.size() > CHUNK
        ? Optional.empty()
        : Optional.of(found.stream().distinct().toList());
  }

  /**
   * Locks issues, in the order of their ids; false if somebody else writes one of them. He may be
   * waiting for the meanings, and so is not waited for.
   */
  boolean lock(DSLContext tx, UUID tenant, Collection<UUID> issues) {
    return tx.fetch(LOCK_ISSUES, DSL.val(tenant), DSL.val(issues.toArray(UUID[]::new))).size()
        == issues.size();
  }

  /** Leaves the issues of these statuses to be worked out later. */
  void putOff(DSLContext tx, UUID tenant, Collection<UUID> statuses) {
    tx.execute(PUT_OFF, DSL.val(tenant), DSL.val(statuses.toArray(UUID[]::new)));
  }

  /** The tenants with issues that were left. */
  List<UUID> unfinishedTenants(DSLContext system) {
    return ids(system.fetch(TENANTS));
  }

  /** A status whose issues were left, and which nobody else is at. */
  Optional<Unfinished> next(DSLContext tx, UUID tenant) {
    return tx.fetch(NEXT, DSL.val(tenant)).stream()
        .map(row -> new Unfinished(row.get(0, UUID.class), row.get(1, Boolean.class)))
        .findFirst();
  }

  /** The issues of the next changes of the status. */
  List<UUID> advance(DSLContext tx, UUID tenant, Unfinished at) {
    String side = at.inward() ? "to_status_id" : "from_status_id";
    List<UUID> issues =
        ids(
            tx.fetch(
                ADVANCE.replace("SIDE", side),
                DSL.val(tenant),
                DSL.val(at.status()),
                DSL.val(CHUNK)));
    if (issues.size() < CHUNK) {
      tx.execute(at.inward() ? FINISH : TURN, DSL.val(tenant), DSL.val(at.status()));
    }
    return issues.stream().distinct().toList();
  }

  private static List<UUID> ids(Iterable<? extends Record> rows) {
    List<UUID> ids = new ArrayList<>();
    rows.forEach(row -> ids.add(row.get(0, UUID.class)));
    return ids;
  }
}
