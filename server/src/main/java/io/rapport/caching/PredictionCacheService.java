package io.rapport.caching;

import com.google.protobuf.Duration;
import io.grpc.ServerServiceDefinition;
import io.rapport.caching.Puts.Item;
import io.rapport.caching.v1.BatchGetPredictionsRequest;
import io.rapport.caching.v1.BatchGetPredictionsResponse;
import io.rapport.caching.v1.BatchPutPredictionsRequest;
import io.rapport.caching.v1.BatchPutPredictionsResponse;
import io.rapport.caching.v1.GetOrLeasePredictionRequest;
import io.rapport.caching.v1.GetOrLeasePredictionResponse;
import io.rapport.caching.v1.GetPredictionRequest;
import io.rapport.caching.v1.GetPredictionResponse;
import io.rapport.caching.v1.InvalidationCause;
import io.rapport.caching.v1.ListPredictionsRequest;
import io.rapport.caching.v1.ListPredictionsResponse;
import io.rapport.caching.v1.Prediction;
import io.rapport.caching.v1.PredictionCacheServiceGrpc;
import io.rapport.caching.v1.PredictionKey;
import io.rapport.caching.v1.PutCondition;
import io.rapport.caching.v1.PutPredictionRequest;
import io.rapport.caching.v1.ReadOptions;
import io.rapport.platform.Caller;
import io.rapport.platform.PageTokens;
import io.rapport.platform.Reply;
import io.rapport.platform.Rpcs;
import java.util.ArrayList;
import java.util.List;

/** The RPCs of predictions. */
final class PredictionCacheService {
  private final Caches caches;

  PredictionCacheService(Caches caches) {
    this.caches = caches;
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return rpcs.service(PredictionCacheServiceGrpc.getServiceDescriptor())
        .immediate(PredictionCacheServiceGrpc.getGetPredictionMethod(), this::getPrediction)
        .bulk(PredictionCacheServiceGrpc.getBatchGetPredictionsMethod(), this::batchGetPredictions)
        .unary(PredictionCacheServiceGrpc.getListPredictionsMethod(), this::listPredictions)
        .unary(
            PredictionCacheServiceGrpc.getGetOrLeasePredictionMethod(), this::getOrLeasePrediction)
        .unary(PredictionCacheServiceGrpc.getPutPredictionMethod(), this::putPrediction)
        .bulk(
            PredictionCacheServiceGrpc.getBatchPutPredictionsMethod(),
            (request, reply) -> reply.send(batchPutPredictions(request)))
        .build();
  }

  private void getPrediction(GetPredictionRequest request, Reply<GetPredictionResponse> reply) {
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

  private void batchGetPredictions(
      BatchGetPredictionsRequest request, Reply<BatchGetPredictionsResponse> reply) {
    long start = System.nanoTime();
    ReadOptions options = request.getOptions();
    Caller.Tenant tenant = Caller.currentTenant();
    caches.read(
        request.getKeysList().stream().map(EntryKey::of).toList(),
        options,
        readings -> {
          BatchGetPredictionsResponse.Builder response = BatchGetPredictionsResponse.newBuilder();
          for (Reading reading : Caches.withinBytes(readings)) {
            response.addResults(response(tenant, reading, options, start));
          }
          return response.build();
        },
        reply);
  }

  private static GetPredictionResponse response(
      Caller.Tenant tenant, Reading reading, ReadOptions options, long startNanos) {
    GetPredictionResponse.Builder response =
        GetPredictionResponse.newBuilder().setHit(reading.hit()).setState(reading.state());
    Entry shown = reading.shown(options);
    if (shown != null) {
      response.setPrediction(prediction(shown));
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

  private static Prediction prediction(Entry entry) {
    return (Prediction) entry.message();
  }

  private ListPredictionsResponse listPredictions(ListPredictionsRequest request) {
    long start = System.nanoTime();
    Caller.Tenant tenant = Caller.currentTenant();
    ReadOptions options = ReadOptions.newBuilder().setIncludeUnusable(true).build();
    ListPredictionsRequest arguments = request.toBuilder().clearPageSize().clearPageToken().build();
    Caches.Page page =
        caches.list(
            new EntryStore.Listing(
                "PREDICTION",
                Caches.uuidOrNull(request.getUserId()),
                request.getType() == PredictionKey.Type.TYPE_UNSPECIFIED
                    ? null
                    : request.getType().name(),
                null,
                Caches.after(PageTokens.decode(tenant, arguments, request.getPageToken())),
                PageTokens.size(request.getPageSize())));
    ListPredictionsResponse.Builder response = ListPredictionsResponse.newBuilder();
    page.readings().forEach(it -> response.addResults(response(tenant, it, options, start)));
    page.cursor()
        .ifPresent(it -> response.setNextPageToken(PageTokens.encode(tenant, arguments, it)));
    return response.build();
  }

  private GetOrLeasePredictionResponse getOrLeasePrediction(GetOrLeasePredictionRequest request) {
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
    GetOrLeasePredictionResponse.Builder response =
        GetOrLeasePredictionResponse.newBuilder()
            .setOutcome(answer.outcome())
            .setState(answer.reading().state());
    Entry shown = answer.reading().shown(request.getOptions());
    if (shown != null) {
      response.setPrediction(prediction(shown));
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

  private Prediction putPrediction(PutPredictionRequest request) {
    Item item = item(request.getPrediction(), request.getCondition(), "prediction");
    return caches.put(
        request, Prediction.parser(), List.of(item), kept -> prediction(kept.getFirst()));
  }

  private BatchPutPredictionsResponse batchPutPredictions(BatchPutPredictionsRequest request) {
    List<Item> items = new ArrayList<>();
    for (int i = 0; i < request.getPutsCount(); i++) {
      var put = request.getPuts(i);
      items.add(item(put.getPrediction(), put.getCondition(), "puts[" + i + "].prediction"));
    }
    return caches.put(
        request,
        BatchPutPredictionsResponse.parser(),
        items,
        kept ->
            BatchPutPredictionsResponse.newBuilder()
                .addAllPredictions(kept.stream().map(PredictionCacheService::prediction).toList())
                .build());
  }

  private static Item item(Prediction prediction, PutCondition condition, String field) {
    return new Item(
        EntryKey.of(prediction.getKey()),
        prediction.getValue().toByteString(),
        prediction.getInfo(),
        condition,
        null,
        field);
  }
}
