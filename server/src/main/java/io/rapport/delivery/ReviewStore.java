package io.rapport.delivery;

import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;

/** How pull requests were reviewed, worked out from all their reviews and commits. */
final class ReviewStore {
  /** In the order in which upserts lock them. */
  private static final String LOCK =
      """
      SELECT id FROM delivery.pull_requests WHERE tenant_id = {0} AND id = ANY ({1}::uuid[])
       ORDER BY repository_id, number FOR NO KEY UPDATE
      """;

  private static final String WORK_OUT =
      """
      WITH reviewed AS (
        SELECT pull_request_id, min(submitted_at) AS first_review_at,
          count(DISTINCT author_login)::integer AS reviewers,
          count(*) FILTER (WHERE state IN ('APPROVED', 'CHANGES_REQUESTED'))::integer AS cycles
          FROM delivery.pull_request_reviews
         WHERE tenant_id = {0} AND pull_request_id = ANY ({1}::uuid[]) AND active
           AND state IS DISTINCT FROM 'PENDING'
         GROUP BY pull_request_id
      ), reworked AS (
        SELECT c.pull_request_id, count(*)::integer AS commits
          FROM delivery.pull_request_commits c
          JOIN reviewed r ON r.pull_request_id = c.pull_request_id
         WHERE c.tenant_id = {0} AND c.pull_request_id = ANY ({1}::uuid[]) AND c.active
           AND c.authored_date > r.first_review_at
         GROUP BY c.pull_request_id
      ), figures AS (
        SELECT p.id, r.first_review_at, COALESCE(r.reviewers, 0) AS reviewers,
          COALESCE(w.commits, 0) AS rework, COALESCE(r.cycles, 0) AS cycles
          FROM unnest({1}::uuid[]) AS p (id)
          LEFT JOIN reviewed r ON r.pull_request_id = p.id
          LEFT JOIN reworked w ON w.pull_request_id = p.id
      )
      UPDATE delivery.pull_requests p SET first_review_at = f.first_review_at,
          reviewers = f.reviewers, rework_commit_count = f.rework, review_cycles = f.cycles,
          revision = p.revision + 1, last_updated_at = now()
        FROM figures f
       WHERE p.tenant_id = {0} AND p.id = f.id
         AND (p.first_review_at, p.reviewers, p.rework_commit_count, p.review_cycles)
           IS DISTINCT FROM (f.first_review_at, f.reviewers, f.rework, f.cycles)
      RETURNING p.id, p.revision
      """;

  /**
   * Works out the figures of pull requests anew.
   *
   * @return those that this changed
   */
  List<Change> workOut(DSLContext tx, UUID tenant, Collection<UUID> pullRequests) {
    UUID[] ids = pullRequests.stream().distinct().toArray(UUID[]::new);
    tx.fetch(LOCK, DSL.val(tenant), DSL.val(ids));
    return tx.fetch(WORK_OUT, DSL.val(tenant), DSL.val(ids))
        .map(row ->
            new Change(
                "delivery.pull_request",
                Op.UPDATED,
                row.get(0, UUID.class),
                null,
                row.get(1, Long.class)));
  }
}
