package io.rapport.client;

import com.google.protobuf.Empty;
import io.rapport.delivery.v1.BatchUpsertDoraMarketBenchmarksRequest;
import io.rapport.delivery.v1.BatchUpsertDoraMarketBenchmarksResponse;
import io.rapport.delivery.v1.BatchUpsertDoraMetricInsightsRequest;
import io.rapport.delivery.v1.BatchUpsertDoraMetricInsightsResponse;
import io.rapport.delivery.v1.DeleteDoraMarketBenchmarkRequest;
import io.rapport.delivery.v1.DeleteDoraMetricInsightRequest;
import io.rapport.delivery.v1.DoraMarketBenchmark;
import io.rapport.delivery.v1.DoraMarketBenchmarkServiceGrpc;
import io.rapport.delivery.v1.DoraMetricInsight;
import io.rapport.delivery.v1.DoraMetricInsightServiceGrpc;
import io.rapport.delivery.v1.DoraServiceGrpc;
import io.rapport.delivery.v1.GetLeadTimeForecastRequest;
import io.rapport.delivery.v1.GetLeadTimeRequest;
import io.rapport.delivery.v1.LeadTimeForecast;
import io.rapport.delivery.v1.LeadTimeReport;
import io.rapport.delivery.v1.ListDoraMarketBenchmarksRequest;
import io.rapport.delivery.v1.ListDoraMarketBenchmarksResponse;
import io.rapport.delivery.v1.ListDoraMetricInsightsRequest;
import io.rapport.delivery.v1.ListDoraMetricInsightsResponse;
import io.rapport.platform.v1.UpsertOutcome;
import java.util.List;
import java.util.stream.Stream;

/**
 * Lead times, and what teams achieve all over the world by DORA's yearly reports. The latter all
 * tenants share: changing it takes the right {@code operator}. Every method may throw a {@link
 * RapportException}.
 */
public final class DoraClient {
  private final Calls calls;
  private final Rpc<ListDoraMarketBenchmarksRequest, ListDoraMarketBenchmarksResponse> benchmarks;
  private final Rpc<BatchUpsertDoraMarketBenchmarksRequest, BatchUpsertDoraMarketBenchmarksResponse>
      upsertBenchmarks;
  private final Rpc<DeleteDoraMarketBenchmarkRequest, Empty> deleteBenchmark;
  private final Rpc<ListDoraMetricInsightsRequest, ListDoraMetricInsightsResponse> insights;
  private final Rpc<BatchUpsertDoraMetricInsightsRequest, BatchUpsertDoraMetricInsightsResponse>
      upsertInsights;
  private final Rpc<DeleteDoraMetricInsightRequest, Empty> deleteInsight;
  private final Rpc<GetLeadTimeRequest, LeadTimeReport> leadTime;
  private final Rpc<GetLeadTimeForecastRequest, LeadTimeForecast> forecast;

  DoraClient(Calls calls) {
    this.calls = calls;
    this.benchmarks = calls.rpc(DoraMarketBenchmarkServiceGrpc.getListDoraMarketBenchmarksMethod());
    this.upsertBenchmarks =
        calls.batch(DoraMarketBenchmarkServiceGrpc.getBatchUpsertDoraMarketBenchmarksMethod());
    this.deleteBenchmark =
        calls.rpc(DoraMarketBenchmarkServiceGrpc.getDeleteDoraMarketBenchmarkMethod());
    this.insights = calls.rpc(DoraMetricInsightServiceGrpc.getListDoraMetricInsightsMethod());
    this.upsertInsights =
        calls.batch(DoraMetricInsightServiceGrpc.getBatchUpsertDoraMetricInsightsMethod());
    this.deleteInsight = calls.rpc(DoraMetricInsightServiceGrpc.getDeleteDoraMetricInsightMethod());
    this.leadTime = calls.rpc(DoraServiceGrpc.getGetLeadTimeMethod());
    this.forecast = calls.rpc(DoraServiceGrpc.getGetLeadTimeForecastMethod());
  }

  /**
   * Lead times for changes, week by week and in all, and the tier that they are of.
   *
   * @throws NotFoundException if there are no benchmarks of the report year that is asked for
   */
  public LeadTimeReport leadTime(GetLeadTimeRequest request) {
    return calls.call(leadTime, request);
  }

  /**
   * What the weekly median of lead times may become.
   *
   * @throws FailedPreconditionException with reason TOO_FEW_POINTS if fewer than 2 weeks that are
   *     over have issues
   */
  public LeadTimeForecast leadTimeForecast(GetLeadTimeForecastRequest request) {
    return calls.call(forecast, request);
  }

  /** The benchmarks that the request asks for, fetched page by page as the stream is read. */
  public Stream<DoraMarketBenchmark> benchmarks(ListDoraMarketBenchmarksRequest request) {
    return Pages.stream(
        request.getPageToken(),
        token -> {
          var page = calls.call(benchmarks, request.toBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getDoraMarketBenchmarksList(), page.getNextPageToken());
        });
  }

  /**
   * Lets up to 1,000 benchmarks be there as they are sent, found by year, tier and metric: all or
   * none.
   *
   * @return what became of each, in their order
   */
  public List<UpsertOutcome> upsertBenchmarks(Iterable<DoraMarketBenchmark> sent) {
    return calls
        .call(
            upsertBenchmarks,
            BatchUpsertDoraMarketBenchmarksRequest.newBuilder()
                .addAllDoraMarketBenchmarks(sent)
                .build())
        .getOutcomesList();
  }

  /**
   * Removes a benchmark.
   *
   * @throws NotFoundException if it is not there
   */
  public void deleteBenchmark(String id) {
    calls.call(deleteBenchmark, DeleteDoraMarketBenchmarkRequest.newBuilder().setId(id).build());
  }

  /** The insights that the request asks for, fetched page by page as the stream is read. */
  public Stream<DoraMetricInsight> insights(ListDoraMetricInsightsRequest request) {
    return Pages.stream(
        request.getPageToken(),
        token -> {
          var page = calls.call(insights, request.toBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getDoraMetricInsightsList(), page.getNextPageToken());
        });
  }

  /**
   * Lets up to 1,000 insights be there as they are sent, found by year and metric: all or none.
   *
   * @return what became of each, in their order
   */
  public List<UpsertOutcome> upsertInsights(Iterable<DoraMetricInsight> sent) {
    return calls
        .call(
            upsertInsights,
            BatchUpsertDoraMetricInsightsRequest.newBuilder()
                .addAllDoraMetricInsights(sent)
                .build())
        .getOutcomesList();
  }

  /**
   * Removes an insight.
   *
   * @throws NotFoundException if it is not there
   */
  public void deleteInsight(String id) {
    calls.call(deleteInsight, DeleteDoraMetricInsightRequest.newBuilder().setId(id).build());
  }
}
