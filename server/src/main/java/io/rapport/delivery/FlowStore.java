package io.rapport.delivery;

import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;

/**
 * How issues flow through their statuses, worked out from all changes of their statuses. The
 * formulas stand with the fields of {@code Issue} and {@code IssueChangelog}.
 *
 * <p>Figures are sums of exact decimals in an order that the changes themselves have, so they are
 * the same however the changes came.
 */
final class FlowStore {
  private static final String CHANGELOG = "delivery.issue_changelog";
  private static final String ISSUE = "delivery.issue";

  /** In the order in which upserts lock them. */
  private static final String LOCK =
      """
      SELECT id FROM delivery.issues WHERE tenant_id = {0} AND id = ANY ({1}::uuid[])
       ORDER BY integration_id, external_id, id FOR NO KEY UPDATE
      """;

  private static final String MOVES =
      """
      WITH meanings AS MATERIALIZED (
        SELECT * FROM delivery.status_meanings WHERE tenant_id = {0}
      ), moves AS (
        SELECT c.issue_id, c.id, c.active, c.transition_change_date AS moved_at,
          CASE WHEN c.active
            THEN COALESCE(lag(c.transition_change_date) OVER way, i.created) END AS since,
          row_number() OVER way AS n,
          f.category AS from_category, t.category AS to_category, t.is_commitment_point,
          f.step_number AS from_step, t.step_number AS to_step, t.commitment_number
          FROM delivery.issue_changelogs c
          JOIN delivery.issues i ON i.tenant_id = c.tenant_id AND i.id = c.issue_id
          LEFT JOIN meanings f ON f.status_id = c.from_status_id
          LEFT JOIN meanings t ON t.status_id = c.to_status_id
         WHERE c.tenant_id = {0} AND c.issue_id = ANY ({1}::uuid[])
        WINDOW way AS (PARTITION BY c.issue_id, c.active
          ORDER BY c.transition_change_date, char_length(c.external_id), c.external_id, c.id)
      ), timed AS (
        SELECT *, CASE WHEN since IS NOT NULL
            THEN GREATEST(EXTRACT(EPOCH FROM moved_at - since), 0) END AS seconds,
          COALESCE(is_commitment_point, false) AS commits,
          COALESCE(to_category = 'IN_PROGRESS'
            AND from_category IS DISTINCT FROM 'IN_PROGRESS', false) AS starts,
          COALESCE(to_category = 'DONE'
            AND from_category IS DISTINCT FROM 'DONE', false) AS completes,
          COALESCE(to_step <= commitment_number
            AND from_step > commitment_number, false) AS returns
          FROM moves
      )
      """;

  private static final String FIGURES =
      """
      , counted AS (
        SELECT issue_id,
          min(moved_at) FILTER (WHERE commits) AS first_committed,
          min(moved_at) FILTER (WHERE starts) AS first_started,
          max(moved_at) FILTER (WHERE starts) AS last_started,
          min(moved_at) FILTER (WHERE completes) AS first_completed,
          max(moved_at) FILTER (WHERE completes) AS last_completed,
          count(*) FILTER (WHERE starts) AS starts,
          count(*) FILTER (WHERE completes) AS completions,
          count(*) FILTER (WHERE returns) AS returns,
          sum(seconds) FILTER (WHERE from_category = 'IN_PROGRESS') AS work,
          sum(seconds) FILTER (WHERE from_category = 'TO_DO') AS review,
          max(n) FILTER (WHERE starts) AS start,
          max(n) FILTER (WHERE completes) AS completion,
          max(n) FILTER (WHERE completes AND from_category = 'TO_DO') AS direct_completion
          FROM timed WHERE active GROUP BY issue_id
      ), figures AS (
        SELECT i.id, c.first_committed, c.first_started, c.last_started, c.first_completed,
          c.last_completed,
          COALESCE(c.starts, 0)::integer AS starts,
          COALESCE(c.completions, 0)::integer AS completions,
          COALESCE(c.returns, 0)::integer AS returns,
          COALESCE(c.work, 0)::double precision AS work,
          COALESCE(c.review, 0)::double precision AS review,
          COALESCE(GREATEST(EXTRACT(EPOCH FROM last_completed - first_started), 0), 0)
            ::double precision AS cycle,
          COALESCE(GREATEST(EXTRACT(EPOCH FROM last_completed - first_committed), 0), 0)
            ::double precision AS lead,
          (2 * COALESCE(c.returns, 0) + GREATEST(COALESCE(c.completions, 0) - 1, 0))::integer
            AS complexity,
          COALESCE(c.starts, 0) > 1 AS rework,
          COALESCE(c.completions > 0
            AND (c.starts = 0 OR (c.direct_completion = c.completion AND c.completion > c.start)),
            false) AS direct
          FROM unnest({1}::uuid[]) AS i (id) LEFT JOIN counted c ON c.issue_id = i.id
      )
      """;

  /** What callers have just written has its new revision already. */
  private static final String TOUCH =
      """
      revision = x.revision + CASE WHEN x.id = ANY ({2}::uuid[]) THEN 0 ELSE 1 END,
      last_updated_at = now()
      """;

  private static final String STORE =
      """
      , stored_times AS (
        UPDATE delivery.issue_changelogs x SET TOUCH, transition_start_date = t.since,
            time_in_status_seconds = t.seconds::double precision
          FROM timed t
         WHERE x.tenant_id = {0} AND x.id = t.id
           AND (x.transition_start_date, x.time_in_status_seconds)
             IS DISTINCT FROM (t.since, t.seconds::double precision)
        RETURNING x.id, x.revision
      ), stored_figures AS (
        UPDATE delivery.issues x SET TOUCH, (COLUMNS) = ROW(VALUES)
          FROM figures f
         WHERE x.tenant_id = {0} AND x.id = f.id AND (CURRENT) IS DISTINCT FROM (VALUES)
        RETURNING x.id, x.revision
      )
      SELECT false, id, revision FROM stored_times WHERE id <> ALL ({2}::uuid[])
      UNION ALL
      SELECT true, id, revision FROM stored_figures WHERE id <> ALL ({2}::uuid[])
       ORDER BY 1, 2
      """;

  private static final List<String> COLUMNS =
      List.of(
          "work_first_committed_at",
          "work_first_started_at",
          "work_last_started_at",
          "work_first_completed_at",
          "work_last_completed_at",
          "total_work_starts",
          "total_completions",
          "total_backlog_returns",
          "total_work_time_seconds",
          "total_review_time_seconds",
          "total_cycle_time_seconds",
          "total_lead_time_seconds",
          "workflow_complexity_score",
          "rework_indicator",
          "direct_completion");

  private static final String VALUES =
      """
      f.first_committed, f.first_started, f.last_started, f.first_completed, f.last_completed,
      f.starts, f.completions, f.returns, f.work, f.review, f.cycle, f.lead, f.complexity,
      f.rework, f.direct\
      """;

  private static final String WORK_OUT =
      MOVES
          + FIGURES
          + STORE
              .replace("TOUCH", TOUCH.strip())
              .replace("COLUMNS", String.join(", ", COLUMNS))
              .replace("CURRENT", "x." + String.join(", x.", COLUMNS))
              .replace("VALUES", VALUES);

  /**
   * Works out the figures of issues and the times of their changes anew.
   *
   * @param written rows that this transaction has said to be changed already
   * @return the other rows that this changed
   */
  List<Change> workOut(
      DSLContext tx, UUID tenant, Collection<UUID> issues, Collection<UUID> written) {
    UUID[] ids = issues.stream().distinct().toArray(UUID[]::new);
    tx.fetch(LOCK, DSL.val(tenant), DSL.val(ids));
    return tx.fetch(WORK_OUT, DSL.val(tenant), DSL.val(ids), DSL.val(written.toArray(UUID[]::new)))
        .map(row ->
            new Change(
                row.get(0, Boolean.class) ? ISSUE : CHANGELOG,
                Op.UPDATED,
                row.get(1, UUID.class),
                null,
                row.get(2, Long.class)));
  }
}
