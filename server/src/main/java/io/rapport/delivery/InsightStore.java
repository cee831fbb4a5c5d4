package io.rapport.delivery;

import static io.rapport.db.generated.delivery.Tables.DORA_METRIC_INSIGHTS;

import io.rapport.db.generated.delivery.tables.records.DoraMetricInsightsRecord;
import io.rapport.delivery.v1.DoraMetricInsight;
import io.rapport.delivery.v1.ListDoraMetricInsightsRequest;
import io.rapport.platform.Caller;
import io.rapport.platform.Etags;
import io.rapport.platform.Ids;
import io.rapport.platform.TenantDb;
import io.rapport.platform.Times;
import io.rapport.platform.v1.UpsertOutcome.Result;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;

/** The insights in PostgreSQL. The only class that knows their table. */
final class InsightStore {
  private final TenantDb db;

  InsightStore(TenantDb db) {
    this.db = db;
  }

  Optional<DoraMetricInsight> find(UUID id) {
    return db.read(
        Caller.currentTenant().id(),
        dsl ->
            dsl.selectFrom(DORA_METRIC_INSIGHTS)
                .where(DORA_METRIC_INSIGHTS.ID.eq(id))
                .fetchOptional(InsightStore::toProto));
  }

  /**
   * By year and metric.
   *
   * @param after these two of the last one before; empty for the first page
   */
  List<DoraMetricInsight> list(
      ListDoraMetricInsightsRequest request, List<String> after, int limit) {
    var i = DORA_METRIC_INSIGHTS;
    return db.read(
        Caller.currentTenant().id(),
        dsl ->
            dsl.selectFrom(i)
                .where(passes(request))
                .and(
                    after.isEmpty()
                        ? DSL.noCondition()
                        : DSL.row(i.REPORT_YEAR, i.METRIC_NAME)
                            .gt(Integer.valueOf(after.get(0)), after.get(1)))
                .orderBy(i.REPORT_YEAR, i.METRIC_NAME)
                .limit(limit)
                .fetch(InsightStore::toProto));
  }

  private static Condition passes(ListDoraMetricInsightsRequest request) {
    var i = DORA_METRIC_INSIGHTS;
    Condition passes = DSL.noCondition();
    if (request.getReportYear() > 0) {
      passes = passes.and(i.REPORT_YEAR.eq(request.getReportYear()));
    }
    if (!request.getMetricName().isEmpty()) {
      passes = passes.and(i.METRIC_NAME.eq(request.getMetricName()));
    }
    return passes;
  }

  /** Lets an insight be there as it is sent; one that is there just so is not written. */
  Put<DoraMetricInsight> put(DSLContext tx, DoraMetricInsight sent) {
    var i = DORA_METRIC_INSIGHTS;
    UUID id = Ids.next();
    Optional<DoraMetricInsightsRecord> written =
        tx.insertInto(i)
            .set(i.ID, id)
            .set(i.REPORT_YEAR, sent.getReportYear())
            .set(i.METRIC_NAME, sent.getMetricName())
            .set(i.INSIGHT_TEXT, sent.getInsightText())
            .onConflict(i.REPORT_YEAR, i.METRIC_NAME)
            .doUpdate()
            .set(i.INSIGHT_TEXT, sent.getInsightText())
            .set(i.REVISION, i.REVISION.plus(1))
            .set(i.LAST_UPDATED_AT, DSL.field("now()", i.LAST_UPDATED_AT.getDataType()))
            .where(i.INSIGHT_TEXT.ne(sent.getInsightText()))
            .returning()
            .fetchOptional();
    Result changed =
        written.filter(it -> it.getId().equals(id)).isPresent() ? Result.CREATED : Result.UPDATED;
    return written
        .map(it -> new Put<>(changed, toProto(it)))
        .orElseGet(() -> new Put<>(Result.UNCHANGED, same(tx, sent)));
  }

  private static DoraMetricInsight same(DSLContext tx, DoraMetricInsight sent) {
    var i = DORA_METRIC_INSIGHTS;
    return tx.selectFrom(i)
        .where(i.REPORT_YEAR.eq(sent.getReportYear()))
        .and(i.METRIC_NAME.eq(sent.getMetricName()))
        .fetchSingle(InsightStore::toProto);
  }

  /** Whether there was one. */
  boolean delete(DSLContext tx, UUID id) {
    return tx.deleteFrom(DORA_METRIC_INSIGHTS).where(DORA_METRIC_INSIGHTS.ID.eq(id)).execute() > 0;
  }

  private static DoraMetricInsight toProto(DoraMetricInsightsRecord row) {
    return DoraMetricInsight.newBuilder()
        .setId(row.getId().toString())
        .setReportYear(row.getReportYear())
        .setMetricName(row.getMetricName())
        .setInsightText(row.getInsightText())
        .setCreatedAt(Times.proto(row.getCreatedAt()))
        .setLastUpdatedAt(Times.proto(row.getLastUpdatedAt()))
        .setEtag(Etags.of(row.getRevision()))
        .build();
  }
}
