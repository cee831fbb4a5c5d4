package io.rapport.caching;

import com.google.protobuf.Duration;
import io.grpc.ServerServiceDefinition;
import io.rapport.caching.Puts.Item;
import io.rapport.caching.v1.Analysis;
import io.rapport.caching.v1.AnalysisCacheServiceGrpc;
import io.rapport.caching.v1.BatchGetAnalysesRequest;
import io.rapport.caching.v1.BatchGetAnalysesResponse;
import io.rapport.caching.v1.BatchPutAnalysesRequest;
import io.rapport.caching.v1.BatchPutAnalysesResponse;
import io.rapport.caching.v1.FindSimilarAnalysisRequest;
import io.rapport.caching.v1.FindSimilarAnalysisResponse;
import io.rapport.caching.v1.GetAnalysisRequest;
import io.rapport.caching.v1.GetAnalysisResponse;
import io.rapport.caching.v1.GetOrLeaseAnalysisRequest;
import io.rapport.caching.v1.GetOrLeaseAnalysisResponse;
import io.rapport.caching.v1.InvalidationCause;
import io.rapport.caching.v1.ListAnalysesRequest;
import io.rapport.caching.v1.ListAnalysesResponse;
import io.rapport.caching.v1.PutAnalysisRequest;
import io.rapport.caching.v1.PutCondition;
import io.rapport.caching.v1.ReadOptions;
import io.rapport.platform.Caller;
import io.rapport.platform.PageTokens;
import io.rapport.platform.Reply;
import io.rapport.platform.Rpcs;
import java.util.ArrayList;
import java.util.List;

/** The RPCs of analyses. */
final class AnalysisCacheService {
  private final Caches caches;

  AnalysisCacheService(Caches caches) {
    this.caches = caches;
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return rpcs.service(AnalysisCacheServiceGrpc.getServiceDescriptor())
        .immediate(AnalysisCacheServiceGrpc.getGetAnalysisMethod(), this::getAnalysis)
        .bulk(AnalysisCacheServiceGrpc.getBatchGetAnalysesMethod(), this::batchGetAnalyses)
        .unary(AnalysisCacheServiceGrpc.getListAnalysesMethod(), this::listAnalyses)
        .unary(AnalysisCacheServiceGrpc.getFindSimilarAnalysisMethod(), this::findSimilarAnalysis)
        .unary(AnalysisCacheServiceGrpc.getGetOrLeaseAnalysisMethod(), this::getOrLeaseAnalysis)
        .unary(AnalysisCacheServiceGrpc.getPutAnalysisMethod(), this::putAnalysis)
        .bulk(
            AnalysisCacheServiceGrpc.getBatchPutAnalysesMethod(),
            (request, reply) -> reply.send(batchPutAnalyses(request)))
        .build();
  }

  private void getAnalysis(GetAnalysisRequest request, Reply<GetAnalysisResponse> reply) {
    long start = System.nanoTime();
    ReadOptions options = request.getOptions();
    Caller.Tenant tenant = Caller.currentTenant();
    Reading near = request.hasOptions() ? null : caches.near(request.getKey());
    if (near != null) {
      reply.send(response(tenant, near, options, start));
      return;
    }
    caches.check(request);
    caches.read(
        List.of(EntryKey.of(request.getKey())),
        options,
        readings -> response(tenant, readings.getFirst(), options, start),
        reply);
  }

  private void batchGetAnalyses(
      BatchGetAnalysesRequest request, Reply<BatchGetAnalysesResponse> reply) {
    long start = System.nanoTime();
    ReadOptions options = request.getOptions();
    Caller.Tenant tenant = Caller.currentTenant();
    caches.read(
        request.getKeysList().stream().map(EntryKey::of).toList(),
        options,
        readings -> {
          BatchGetAnalysesResponse.Builder response = BatchGetAnalysesResponse.newBuilder();
          for (Reading reading : Caches.withinBytes(readings)) {
            response.addResults(response(tenant, reading, options, start));
          }
          return response.build();
        },
        reply);
  }

  private static GetAnalysisResponse response(
      Caller.Tenant tenant, Reading reading, ReadOptions options, long startNanos) {
    GetAnalysisResponse.Builder response =
        GetAnalysisResponse.newBuilder().setHit(reading.hit()).setState(reading.state());
    Entry shown = reading.shown(options);
    if (shown != null) {
      response.setAnalysis(analysis(shown));
    }
    InvalidationCause cause = reading.cause(tenant);
    if (cause != null) {
      response.setCause(cause);
    }
    return response.setRetrievalTime(since(startNanos)).build();
  }

  private static Duration since(long startNanos) {
    return Caches.duration(System.nanoTime() - startNanos);
  }

  private static Analysis analysis(Entry entry) {
    return (Analysis) entry.message();
  }

  private ListAnalysesResponse listAnalyses(ListAnalysesRequest request) {
    long start = System.nanoTime();
    Caller.Tenant tenant = Caller.currentTenant();
    ReadOptions options = ReadOptions.newBuilder().setIncludeUnusable(true).build();
    ListAnalysesRequest arguments = request.toBuilder().clearPageSize().clearPageToken().build();
    Caches.Page page =
        caches.list(
            new EntryStore.Listing(
                "ANALYSIS",
                Caches.uuidOrNull(request.getUserId()),
                Caches.textOrNull(request.getType()),
                Caches.textOrNull(request.getProjectId()),
                Caches.after(PageTokens.decode(tenant, arguments, request.getPageToken())),
                PageTokens.size(request.getPageSize())));
    ListAnalysesResponse.Builder response = ListAnalysesResponse.newBuilder();
    page.readings().forEach(it -> response.addResults(response(tenant, it, options, start)));
    page.cursor()
        .ifPresent(it -> response.setNextPageToken(PageTokens.encode(tenant, arguments, it)));
    return response.build();
  }

  private FindSimilarAnalysisResponse findSimilarAnalysis(FindSimilarAnalysisRequest request) {
    Caches.Similar similar = caches.findSimilar(request);
    FindSimilarAnalysisResponse.Builder response =
        FindSimilarAnalysisResponse.newBuilder()
            .setHit(similar.reading().hit())
            .setState(similar.reading().state());
    Entry shown = similar.reading().shown(request.getOptions());
    if (shown != null) {
      response.setAnalysis(analysis(shown)).setSimilarity(similar.similarity());
    }
    return response.build();
  }

  private GetOrLeaseAnalysisResponse getOrLeaseAnalysis(GetOrLeaseAnalysisRequest request) {
    Caller.Tenant tenant = Caller.currentTenant();
    Leasing.Answer answer =
        caches.getOrLease(
            new Leasing.Request(
                EntryKey.of(request.getKey()),
                request.getOptions(),
                request.getDependenciesList(),
                Leasing.time(request.hasLeaseTime(), request.getLeaseTime()),
                request.hasMaxWait() ? request.getMaxWait() : null,
                Caches.leaseId(request.getLeaseId()),
                request.getHolder()));
    GetOrLeaseAnalysisResponse.Builder response =
        GetOrLeaseAnalysisResponse.newBuilder()
            .setOutcome(answer.outcome())
            .setState(answer.reading().state());
    Entry shown = answer.reading().shown(request.getOptions());
    if (shown != null) {
      response.setAnalysis(analysis(shown));
    }
    InvalidationCause cause = answer.reading().cause(tenant);
    if (cause != null) {
      response.setCause(cause);
    }
    if (answer.lease() != null) {
      response.setLease(Leasing.proto(answer.lease()));
    }
    return response.build();
  }

  private Analysis putAnalysis(PutAnalysisRequest request) {
    Item item = item(request.getAnalysis(), request.getCondition(), "analysis");
    return caches.put(request, Analysis.parser(), List.of(item), kept -> analysis(kept.getFirst()));
  }

  private BatchPutAnalysesResponse batchPutAnalyses(BatchPutAnalysesRequest request) {
    List<Item> items = new ArrayList<>();
    for (int i = 0; i < request.getPutsCount(); i++) {
      var put = request.getPuts(i);
      items.add(item(put.getAnalysis(), put.getCondition(), "puts[" + i + "].analysis"));
    }
    return caches.put(
        request,
        BatchPutAnalysesResponse.parser(),
        items,
        kept ->
            BatchPutAnalysesResponse.newBuilder()
                .addAllAnalyses(kept.stream().map(AnalysisCacheService::analysis).toList())
                .build());
  }

  private static Item item(Analysis analysis, PutCondition condition, String field) {
    return new Item(
        EntryKey.of(analysis.getKey()),
        analysis.getValue().toByteString(),
        analysis.getInfo(),
        condition,
        analysis.hasQuestion() ? analysis.getQuestion() : null,
        field);
  }
}
