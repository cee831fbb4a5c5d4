package io.rapport.delivery;

import io.rapport.delivery.v1.DoraMarketBenchmark;
import io.rapport.delivery.v1.DoraMarketBenchmark.Tier;
import io.rapport.delivery.v1.LeadTimeFigures;
import io.rapport.delivery.v1.LeadTimeFilter;
import io.rapport.delivery.v1.LeadTimeWeek;
import io.rapport.platform.Times;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** Lead times of issues, and what others achieve. */
final class LeadTimeStore {
  private static final List<String> TYPES = List.of("Story", "Tech Enhancement");
  private static final String METRIC = "lead time for changes";

  /** Read along ix_issues_completed. */
  private static final String COUNTED =
      """
      WITH counted AS (
        SELECT date_trunc('week', i.work_last_completed_at, 'UTC') AS week,
          i.total_lead_time_seconds AS seconds
          FROM delivery.issues i
          JOIN delivery.statuses s
            ON s.tenant_id = i.tenant_id AND s.id = i.status_id AND s.active
          JOIN delivery.status_mappings sm
            ON sm.tenant_id = s.tenant_id AND sm.id = s.status_mapping_id AND sm.active
           AND sm.status_category = 'DONE'
          JOIN delivery.issuetypes t
            ON t.tenant_id = i.tenant_id AND t.id = i.issuetype_id AND t.active
          JOIN delivery.issuetype_mappings tm
            ON tm.tenant_id = t.tenant_id AND tm.id = t.issuetype_mapping_id AND tm.active
           AND lower(tm.issuetype_to) = ANY ({3}::text[])
          JOIN delivery.issuetype_hierarchies h
            ON h.tenant_id = tm.tenant_id AND h.id = tm.issuetype_hierarchy_id AND h.active
           AND h.level_number = 0
          LEFT JOIN delivery.projects p ON p.tenant_id = i.tenant_id AND p.id = i.project_id
         WHERE i.tenant_id = {0} AND i.active
           AND i.work_last_completed_at >= {1}::timestamptz
           AND i.work_last_completed_at < {2}::timestamptz
           AND i.total_lead_time_seconds > 0 AND COALESCE(p.active, true)
           AND ({4}::uuid[] IS NULL OR i.project_id = ANY ({4}::uuid[]))
           AND ({5}::text[] IS NULL OR i.team = ANY ({5}::text[]))
           AND EXISTS (
             SELECT FROM delivery.jira_pull_request_links l
              WHERE l.tenant_id = i.tenant_id AND l.issue_id = i.id AND l.active
                AND l.pr_status = 'MERGED'
                AND ({6}::uuid[] IS NULL OR EXISTS (
                  SELECT FROM delivery.repositories r
                   WHERE r.tenant_id = l.tenant_id AND r.external_id = l.external_repo_id
                     AND r.id = ANY ({6}::uuid[]) AND r.active)))
      )
      SELECT o.week, count(*),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY o.seconds),
        percentile_cont(0.75) WITHIN GROUP (ORDER BY o.seconds),
        percentile_cont(0.9) WITHIN GROUP (ORDER BY o.seconds),
        min(o.seconds), max(o.seconds), avg(o.seconds),
        CASE WHEN GROUPING(o.week) = 1 THEN ARRAY(
          SELECT count(*) FILTER (WHERE c.seconds <= b.bound)
            FROM unnest({7}::double precision[]) WITH ORDINALITY AS b (bound, n)
            LEFT JOIN counted c ON true
           GROUP BY b.n ORDER BY b.n) END
        FROM counted o GROUP BY GROUPING SETS ((o.week), ())
       ORDER BY o.week NULLS FIRST
      """;

  private static final String BENCHMARKS =
      """
      SELECT report_year, performance_tier, metric_value
        FROM delivery.dora_market_benchmarks
       WHERE lower(metric_name) = {0} AND report_year = COALESCE(NULLIF({1}, 0),
         (SELECT max(report_year) FROM delivery.dora_market_benchmarks
           WHERE lower(metric_name) = {0}))
      """;

  /** When issues were last done: from the first instant until the second. */
  record Time(Instant from, Instant to) {}

  /**
   * @param withinBounds how many of all issues took no longer than each bound
   */
  record Found(LeadTimeFigures all, List<LeadTimeWeek> weeks, List<Long> withinBounds) {}

  Found find(DSLContext dsl, UUID tenant, LeadTimeFilter filter, Time time, List<Duration> bounds) {
    var rows =
        dsl.fetch(
            COUNTED,
            DSL.val(tenant),
            DSL.val(time.from().toString()),
            DSL.val(time.to().toString()),
            DSL.val(types(filter)),
            DSL.val(ids(filter.getProjectIdsList()), UUID[].class),
            DSL.val(
                filter.getTeamsCount() == 0 ? null : filter.getTeamsList().toArray(String[]::new),
                String[].class),
            DSL.val(ids(filter.getRepositoryIdsList()), UUID[].class),
            DSL.val(bounds.stream().map(it -> (double) it.toSeconds()).toArray(Double[]::new)));
    Record all = rows.getFirst();
    return new Found(
        figures(all),
        rows.stream().skip(1).map(LeadTimeStore::week).toList(),
        List.of(all.get(8, Long[].class)));
  }

  private static String[] types(LeadTimeFilter filter) {
    List<String> types = filter.getIssueTypesCount() == 0 ? TYPES : filter.getIssueTypesList();
    return types.stream().map(it -> it.toLowerCase(Locale.ROOT)).toArray(String[]::new);
  }

  private static UUID @Nullable [] ids(List<String> texts) {
    return texts.isEmpty() ? null : texts.stream().map(UUID::fromString).toArray(UUID[]::new);
  }

  private static LeadTimeWeek week(Record row) {
    return LeadTimeWeek.newBuilder()
        .setWeekStartAt(Times.proto(row.get(0, Instant.class)))
        .setFigures(figures(row))
        .build();
  }

  private static LeadTimeFigures figures(Record row) {
    return LeadTimeFigures.newBuilder()
        .setCount(row.get(1, Long.class))
        .setMedianSeconds(number(row, 2))
        .setP75Seconds(number(row, 3))
        .setP90Seconds(number(row, 4))
        .setMinSeconds(number(row, 5))
        .setMaxSeconds(number(row, 6))
        .setMeanSeconds(number(row, 7))
        .build();
  }

  private static double number(Record row, int index) {
    return Objects.requireNonNullElse(row.get(index, Double.class), 0.0);
  }

  /**
   * The tiers of a report; those that are usual if the year is 0 and there is no report. Empty if
   * there is none of the year.
   */
  Optional<TierBounds> bounds(DSLContext dsl, int year) {
    List<DoraMarketBenchmark> benchmarks =
        dsl.fetch(BENCHMARKS, DSL.val(METRIC), DSL.val(year))
            .map(row ->
                DoraMarketBenchmark.newBuilder()
                    .setReportYear(row.get(0, Integer.class))
                    .setPerformanceTier(Tier.valueOf(row.get(1, String.class)))
                    .setMetricValue(row.get(2, String.class))
                    .build());
    return benchmarks.isEmpty() && year != 0
        ? Optional.empty()
        : Optional.of(TierBounds.of(benchmarks));
  }
}
