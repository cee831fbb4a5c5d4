package io.rapport.importer;

import io.grpc.stub.StreamObserver;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.IngestEventsRequest;
import io.rapport.tracking.v1.IngestEventsResponse;

/** Says of every event that it is recorded. */
final class TakingService extends EventServiceGrpc.EventServiceImplBase {
  @Override
  public StreamObserver<IngestEventsRequest> ingestEvents(
      StreamObserver<IngestEventsResponse> answers) {
    return new StreamObserver<>() {
      @Override
      public void onNext(IngestEventsRequest request) {
        answers.onNext(
            IngestEventsResponse.newBuilder()
                .setSequence(request.getSequence())
                .setRecorded(request.getEventsCount())
                .build());
      }

      @Override
      public void onError(Throwable end) {}

      @Override
      public void onCompleted() {
        answers.onCompleted();
      }
    };
  }
}
