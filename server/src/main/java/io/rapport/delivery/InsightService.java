package io.rapport.delivery;

import com.google.protobuf.Empty;
import io.grpc.ServerServiceDefinition;
import io.rapport.delivery.v1.BatchUpsertDoraMetricInsightsRequest;
import io.rapport.delivery.v1.BatchUpsertDoraMetricInsightsResponse;
import io.rapport.delivery.v1.DeleteDoraMetricInsightRequest;
import io.rapport.delivery.v1.DoraMetricInsight;
import io.rapport.delivery.v1.DoraMetricInsightServiceGrpc;
import io.rapport.delivery.v1.GetDoraMetricInsightRequest;
import io.rapport.delivery.v1.ListDoraMetricInsightsRequest;
import io.rapport.delivery.v1.ListDoraMetricInsightsResponse;
import io.rapport.delivery.v1.UpsertDoraMetricInsightRequest;
import io.rapport.delivery.v1.UpsertDoraMetricInsightResponse;
import io.rapport.platform.NamePage;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.UnitOfWork;
import java.util.List;
import java.util.UUID;

/** The RPCs of the insights that all tenants share. */
final class InsightService {
  private static final String NOUN = "dora_metric_insight";

  private final UnitOfWork systemWork;
  private final InsightStore insights;

  /**
   * @param systemWork as the system role
   */
  InsightService(UnitOfWork systemWork, InsightStore insights) {
    this.systemWork = systemWork;
    this.insights = insights;
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return rpcs.service(DoraMetricInsightServiceGrpc.getServiceDescriptor())
        .unary(DoraMetricInsightServiceGrpc.getGetDoraMetricInsightMethod(), this::get)
        .unary(DoraMetricInsightServiceGrpc.getListDoraMetricInsightsMethod(), this::list)
        .unary(DoraMetricInsightServiceGrpc.getUpsertDoraMetricInsightMethod(), this::upsert)
        .unary(
            DoraMetricInsightServiceGrpc.getBatchUpsertDoraMetricInsightsMethod(),
            this::batchUpsert)
        .unary(DoraMetricInsightServiceGrpc.getDeleteDoraMetricInsightMethod(), this::delete)
        .build();
  }

  private DoraMetricInsight get(GetDoraMetricInsightRequest request) {
    return insights
        .find(UUID.fromString(request.getId()))
        .orElseThrow(() -> ServiceException.notFound(NOUN, request.getId()));
  }

  private ListDoraMetricInsightsResponse list(ListDoraMetricInsightsRequest request) {
    NamePage<DoraMetricInsight> page =
        new NamePage<>(
            request.toBuilder().clearPageSize().clearPageToken().build(),
            request.getPageSize(),
            request.getPageToken(),
            InsightService::key);
    List<DoraMetricInsight> found =
        insights.list(request, PutBatch.parts(page.after(), 2), page.limit());
    return ListDoraMetricInsightsResponse.newBuilder()
        .addAllDoraMetricInsights(page.items(found))
        .setNextPageToken(page.nextToken(found))
        .build();
  }

  /** Year and metric, in the order of a list. */
  private static String key(DoraMetricInsight it) {
    return it.getReportYear() + PutBatch.SEPARATOR + it.getMetricName();
  }

  private UpsertDoraMetricInsightResponse upsert(UpsertDoraMetricInsightRequest request) {
    return systemWork.write(
        request,
        UpsertDoraMetricInsightResponse.parser(),
        tx -> {
          Put<DoraMetricInsight> put = insights.put(tx.dsl(), request.getDoraMetricInsight());
          return UpsertDoraMetricInsightResponse.newBuilder()
              .setDoraMetricInsight(put.entity())
              .setResult(put.result())
              .build();
        });
  }

  private BatchUpsertDoraMetricInsightsResponse batchUpsert(
      BatchUpsertDoraMetricInsightsRequest request) {
    PutBatch<DoraMetricInsight> batch =
        new PutBatch<>(
            "dora_metric_insights", request.getDoraMetricInsightsList(), InsightService::key);
    return systemWork.write(
        request,
        BatchUpsertDoraMetricInsightsResponse.parser(),
        tx ->
            BatchUpsertDoraMetricInsightsResponse.newBuilder()
                .addAllOutcomes(
                    batch.run(it -> {
                      Put<DoraMetricInsight> put = insights.put(tx.dsl(), it);
                      return put.outcome(put.entity().getId(), put.entity().getEtag());
                    }))
                .build());
  }

  private Empty delete(DeleteDoraMetricInsightRequest request) {
    return systemWork.write(
        request,
        Empty.parser(),
        tx -> {
          if (!insights.delete(tx.dsl(), UUID.fromString(request.getId()))) {
            throw ServiceException.notFound(NOUN, request.getId());
          }
          return Empty.getDefaultInstance();
        });
  }
}
