package io.rapport.delivery;

import static io.rapport.db.generated.delivery.Tables.DORA_MARKET_BENCHMARKS;

import io.rapport.db.generated.delivery.tables.records.DoraMarketBenchmarksRecord;
import io.rapport.delivery.v1.DoraMarketBenchmark;
import io.rapport.delivery.v1.DoraMarketBenchmark.Tier;
import io.rapport.delivery.v1.ListDoraMarketBenchmarksRequest;
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
import org.jspecify.annotations.Nullable;

/** The benchmarks in PostgreSQL. The only class that knows their table. */
final class BenchmarkStore {
  private static final String STANDARD_SOURCE = "Google DORA Report";

  private final TenantDb db;

  BenchmarkStore(TenantDb db) {
    this.db = db;
  }

  Optional<DoraMarketBenchmark> find(UUID id) {
    return db.read(
        Caller.currentTenant().id(),
        dsl ->
            dsl.selectFrom(DORA_MARKET_BENCHMARKS)
                .where(DORA_MARKET_BENCHMARKS.ID.eq(id))
                .fetchOptional(BenchmarkStore::toProto));
  }

  /**
   * By year, tier and metric.
   *
   * @param after these three of the last one before; empty for the first page
   */
  List<DoraMarketBenchmark> list(
      ListDoraMarketBenchmarksRequest request, List<String> after, int limit) {
    var b = DORA_MARKET_BENCHMARKS;
    return db.read(
        Caller.currentTenant().id(),
        dsl ->
            dsl.selectFrom(b)
                .where(passes(request))
                .and(
                    after.isEmpty()
                        ? DSL.noCondition()
                        : DSL.row(b.REPORT_YEAR, b.PERFORMANCE_TIER, b.METRIC_NAME)
                            .gt(Integer.valueOf(after.get(0)), after.get(1), after.get(2)))
                .orderBy(b.REPORT_YEAR, b.PERFORMANCE_TIER, b.METRIC_NAME)
                .limit(limit)
                .fetch(BenchmarkStore::toProto));
  }

  private static Condition passes(ListDoraMarketBenchmarksRequest request) {
    var b = DORA_MARKET_BENCHMARKS;
    Condition passes = DSL.noCondition();
    if (request.getReportYear() > 0) {
      passes = passes.and(b.REPORT_YEAR.eq(request.getReportYear()));
    }
    if (!request.getMetricName().isEmpty()) {
      passes = passes.and(b.METRIC_NAME.eq(request.getMetricName()));
    }
    if (request.getPerformanceTierCount() > 0) {
      passes =
          passes.and(
              b.PERFORMANCE_TIER.in(
                  request.getPerformanceTierList().stream().map(Tier::name).toList()));
    }
    return passes;
  }

  /** Lets a benchmark be there as it is sent; one that is there just so is not written. */
  Put<DoraMarketBenchmark> put(DSLContext tx, DoraMarketBenchmark sent) {
    var b = DORA_MARKET_BENCHMARKS;
    String source = sent.getReportSource().isEmpty() ? STANDARD_SOURCE : sent.getReportSource();
    String unit = orNull(sent.getMetricUnit());
    UUID id = Ids.next();
    Optional<DoraMarketBenchmarksRecord> written =
        tx.insertInto(b)
            .set(b.ID, id)
            .set(b.REPORT_YEAR, sent.getReportYear())
            .set(b.REPORT_SOURCE, source)
            .set(b.PERFORMANCE_TIER, sent.getPerformanceTier().name())
            .set(b.METRIC_NAME, sent.getMetricName())
            .set(b.METRIC_VALUE, sent.getMetricValue())
            .set(b.METRIC_UNIT, unit)
            .onConflict(b.REPORT_YEAR, b.PERFORMANCE_TIER, b.METRIC_NAME)
            .doUpdate()
            .set(b.REPORT_SOURCE, source)
            .set(b.METRIC_VALUE, sent.getMetricValue())
            .set(b.METRIC_UNIT, unit)
            .set(b.REVISION, b.REVISION.plus(1))
            .set(b.LAST_UPDATED_AT, DSL.field("now()", b.LAST_UPDATED_AT.getDataType()))
            .where(
                b.REPORT_SOURCE
                    .ne(source)
                    .or(b.METRIC_VALUE.ne(sent.getMetricValue()))
                    .or(b.METRIC_UNIT.isDistinctFrom(unit)))
            .returning()
            .fetchOptional();
    Result changed =
        written.filter(it -> it.getId().equals(id)).isPresent() ? Result.CREATED : Result.UPDATED;
    return written
        .map(it -> new Put<>(changed, toProto(it)))
        .orElseGet(() -> new Put<>(Result.UNCHANGED, same(tx, sent)));
  }

  private static DoraMarketBenchmark same(DSLContext tx, DoraMarketBenchmark sent) {
    var b = DORA_MARKET_BENCHMARKS;
    return tx.selectFrom(b)
        .where(b.REPORT_YEAR.eq(sent.getReportYear()))
        .and(b.PERFORMANCE_TIER.eq(sent.getPerformanceTier().name()))
        .and(b.METRIC_NAME.eq(sent.getMetricName()))
        .fetchSingle(BenchmarkStore::toProto);
  }

  private static @Nullable String orNull(String text) {
    return text.isEmpty() ? null : text;
  }

  /** Whether there was one. */
  boolean delete(DSLContext tx, UUID id) {
    return tx.deleteFrom(DORA_MARKET_BENCHMARKS).where(DORA_MARKET_BENCHMARKS.ID.eq(id)).execute()
        > 0;
  }

  private static DoraMarketBenchmark toProto(DoraMarketBenchmarksRecord row) {
    DoraMarketBenchmark.Builder benchmark =
        DoraMarketBenchmark.newBuilder()
            .setId(row.getId().toString())
            .setReportYear(row.getReportYear())
            .setReportSource(row.getReportSource())
            .setPerformanceTier(Tier.valueOf(row.getPerformanceTier()))
            .setMetricName(row.getMetricName())
            .setMetricValue(row.getMetricValue())
            .setCreatedAt(Times.proto(row.getCreatedAt()))
            .setLastUpdatedAt(Times.proto(row.getLastUpdatedAt()))
            .setEtag(Etags.of(row.getRevision()));
    if (row.getMetricUnit() != null) {
      benchmark.setMetricUnit(row.getMetricUnit());
    }
    return benchmark.build();
  }
}
