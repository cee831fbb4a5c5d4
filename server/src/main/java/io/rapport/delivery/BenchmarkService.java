package io.rapport.delivery;

import static java.util.stream.Collectors.joining;

import com.google.protobuf.Empty;
import io.grpc.ServerServiceDefinition;
import io.rapport.delivery.v1.BatchUpsertDoraMarketBenchmarksRequest;
import io.rapport.delivery.v1.BatchUpsertDoraMarketBenchmarksResponse;
import io.rapport.delivery.v1.DeleteDoraMarketBenchmarkRequest;
import io.rapport.delivery.v1.DoraMarketBenchmark;
import io.rapport.delivery.v1.DoraMarketBenchmarkServiceGrpc;
import io.rapport.delivery.v1.GetDoraMarketBenchmarkRequest;
import io.rapport.delivery.v1.ListDoraMarketBenchmarksRequest;
import io.rapport.delivery.v1.ListDoraMarketBenchmarksResponse;
import io.rapport.delivery.v1.UpsertDoraMarketBenchmarkRequest;
import io.rapport.delivery.v1.UpsertDoraMarketBenchmarkResponse;
import io.rapport.platform.NamePage;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.UnitOfWork;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/** The RPCs of the benchmarks that all tenants share. */
final class BenchmarkService {
  private static final String NOUN = "dora_market_benchmark";

  private final UnitOfWork systemWork;
  private final BenchmarkStore benchmarks;

  /**
   * @param systemWork as the system role
   */
  BenchmarkService(UnitOfWork systemWork, BenchmarkStore benchmarks) {
    this.systemWork = systemWork;
    this.benchmarks = benchmarks;
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return rpcs.service(DoraMarketBenchmarkServiceGrpc.getServiceDescriptor())
        .unary(DoraMarketBenchmarkServiceGrpc.getGetDoraMarketBenchmarkMethod(), this::get)
        .unary(DoraMarketBenchmarkServiceGrpc.getListDoraMarketBenchmarksMethod(), this::list)
        .unary(DoraMarketBenchmarkServiceGrpc.getUpsertDoraMarketBenchmarkMethod(), this::upsert)
        .unary(
            DoraMarketBenchmarkServiceGrpc.getBatchUpsertDoraMarketBenchmarksMethod(),
            this::batchUpsert)
        .unary(DoraMarketBenchmarkServiceGrpc.getDeleteDoraMarketBenchmarkMethod(), this::delete)
        .build();
  }

  private DoraMarketBenchmark get(GetDoraMarketBenchmarkRequest request) {
    return benchmarks
        .find(UUID.fromString(request.getId()))
        .orElseThrow(() -> ServiceException.notFound(NOUN, request.getId()));
  }

  private ListDoraMarketBenchmarksResponse list(ListDoraMarketBenchmarksRequest request) {
    NamePage<DoraMarketBenchmark> page =
        new NamePage<>(
            request.toBuilder().clearPageSize().clearPageToken().build(),
            request.getPageSize(),
            request.getPageToken(),
            BenchmarkService::key);
    List<DoraMarketBenchmark> found =
        benchmarks.list(request, PutBatch.parts(page.after(), 3), page.limit());
    return ListDoraMarketBenchmarksResponse.newBuilder()
        .addAllDoraMarketBenchmarks(page.items(found))
        .setNextPageToken(page.nextToken(found))
        .build();
  }

  /** Year, tier and metric, in the order of a list. */
  private static String key(DoraMarketBenchmark it) {
    return Stream.of(it.getReportYear(), it.getPerformanceTier(), it.getMetricName())
        .map(String::valueOf)
        .collect(joining(PutBatch.SEPARATOR));
  }

  private UpsertDoraMarketBenchmarkResponse upsert(UpsertDoraMarketBenchmarkRequest request) {
    return systemWork.write(
        request,
        UpsertDoraMarketBenchmarkResponse.parser(),
        tx -> {
          Put<DoraMarketBenchmark> put = benchmarks.put(tx.dsl(), request.getDoraMarketBenchmark());
          return UpsertDoraMarketBenchmarkResponse.newBuilder()
              .setDoraMarketBenchmark(put.entity())
              .setResult(put.result())
              .build();
        });
  }

  private BatchUpsertDoraMarketBenchmarksResponse batchUpsert(
      BatchUpsertDoraMarketBenchmarksRequest request) {
    PutBatch<DoraMarketBenchmark> batch =
        new PutBatch<>(
            "dora_market_benchmarks", request.getDoraMarketBenchmarksList(), BenchmarkService::key);
    return systemWork.write(
        request,
        BatchUpsertDoraMarketBenchmarksResponse.parser(),
        tx ->
            BatchUpsertDoraMarketBenchmarksResponse.newBuilder()
                .addAllOutcomes(
                    batch.run(it -> {
                      Put<DoraMarketBenchmark> put = benchmarks.put(tx.dsl(), it);
                      return put.outcome(put.entity().getId(), put.entity().getEtag());
                    }))
                .build());
  }

  private Empty delete(DeleteDoraMarketBenchmarkRequest request) {
    return systemWork.write(
        request,
        Empty.parser(),
        tx -> {
          if (!benchmarks.delete(tx.dsl(), UUID.fromString(request.getId()))) {
            throw ServiceException.notFound(NOUN, request.getId());
          }
          return Empty.getDefaultInstance();
        });
  }
}
