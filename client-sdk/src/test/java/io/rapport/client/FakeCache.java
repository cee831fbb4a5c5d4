package io.rapport.client;

import io.grpc.BindableService;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.rapport.caching.v1.BatchGetPredictionsRequest;
import io.rapport.caching.v1.BatchGetPredictionsResponse;
import io.rapport.caching.v1.CacheServiceGrpc;
import io.rapport.caching.v1.GetOrLeasePredictionRequest;
import io.rapport.caching.v1.GetOrLeasePredictionResponse;
import io.rapport.caching.v1.GetPredictionResponse;
import io.rapport.caching.v1.Lease;
import io.rapport.caching.v1.Prediction;
import io.rapport.caching.v1.PredictionCacheServiceGrpc;
import io.rapport.caching.v1.PredictionKey;
import io.rapport.caching.v1.PutPredictionRequest;
import io.rapport.caching.v1.ReleaseLeaseRequest;
import io.rapport.caching.v1.ReleaseLeaseResponse;
import io.rapport.caching.v1.RenewLeaseRequest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;

/** The prediction cache as far as it does what the real one can't be made to do. */
final class FakeCache extends PredictionCacheServiceGrpc.PredictionCacheServiceImplBase {
  /** What comes of the n-th call, from 1; may throw a StatusRuntimeException, and may wait. */
  interface Fate<Q, A> {
    A of(int call, Q request) throws InterruptedException;
  }

  final List<GetOrLeasePredictionRequest> asked = Collections.synchronizedList(new ArrayList<>());
  final List<PutPredictionRequest> puts = Collections.synchronizedList(new ArrayList<>());
  final List<List<PredictionKey>> read = Collections.synchronizedList(new ArrayList<>());
  final List<String> renewed = Collections.synchronizedList(new ArrayList<>());
  final List<String> released = Collections.synchronizedList(new ArrayList<>());

  volatile Fate<GetOrLeasePredictionRequest, GetOrLeasePredictionResponse> asking =
      (call, request) -> compute();
  volatile Fate<PutPredictionRequest, Prediction> putting =
      (call, request) -> request.getPrediction();
  volatile Fate<BatchGetPredictionsRequest, List<GetPredictionResponse>> reading =
      (call, request) -> List.of();

  static GetOrLeasePredictionResponse compute() {
    return GetOrLeasePredictionResponse.newBuilder()
        .setOutcome(Lease.Outcome.COMPUTE)
        .setLease(Lease.newBuilder().setId(UUID.randomUUID().toString()))
        .build();
  }

  static GetOrLeasePredictionResponse hit(Prediction prediction) {
    return GetOrLeasePredictionResponse.newBuilder()
        .setOutcome(Lease.Outcome.HIT)
        .setPrediction(prediction)
        .build();
  }

  static GetOrLeasePredictionResponse busy() {
    return GetOrLeasePredictionResponse.newBuilder().setOutcome(Lease.Outcome.BUSY).build();
  }

  @Override
  public void getOrLeasePrediction(
      GetOrLeasePredictionRequest request, StreamObserver<GetOrLeasePredictionResponse> answer) {
    answer(answer, asking, noted(asked, request), request);
  }

  @Override
  public void putPrediction(PutPredictionRequest request, StreamObserver<Prediction> answer) {
    answer(answer, putting, noted(puts, request), request);
  }

  @Override
  public void batchGetPredictions(
      BatchGetPredictionsRequest request, StreamObserver<BatchGetPredictionsResponse> answer) {
    answer(
        answer,
        (call, it) ->
            BatchGetPredictionsResponse.newBuilder().addAllResults(reading.of(call, it)).build(),
        noted(read, request.getKeysList()),
        request);
  }

  /** The service of both caches. */
  BindableService leases() {
    return new CacheServiceGrpc.CacheServiceImplBase() {
      @Override
      public void renewLease(RenewLeaseRequest request, StreamObserver<Lease> answer) {
        int call = noted(renewed, request.getLeaseId());
        answer(answer, (n, it) -> Lease.getDefaultInstance(), call, request);
      }

      @Override
      public void releaseLease(
          ReleaseLeaseRequest request, StreamObserver<ReleaseLeaseResponse> answer) {
        int call = noted(released, request.getLeaseId());
        answer(answer, (n, it) -> ReleaseLeaseResponse.getDefaultInstance(), call, request);
      }
    };
  }

  private static <Q> int noted(List<Q> all, Q one) {
    synchronized (all) {
      all.add(one);
      return all.size();
    }
  }

  private static <Q, A> void answer(
      StreamObserver<A> answer, Fate<Q, A> fate, int call, Q request) {
    try {
      A value = fate.of(call, request);
      answer.onNext(value);
      answer.onCompleted();
    } catch (StatusRuntimeException failure) {
      answer.onError(failure);
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
    }
  }
}
