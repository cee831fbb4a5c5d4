package io.rapport.faults;

import io.grpc.CallOptions;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.IngestEventsRequest;
import io.rapport.tracking.v1.IngestEventsResponse;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Streams of events without the SDK. */
final class Streams {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private Streams() {}

  /** Sends one message and waits for its answer. */
  static Calls.End<IngestEventsResponse> ingest(
      ManagedChannel channel, String token, List<Event> events, long deadlineMillis) {
    Metadata headers = new Metadata();
    headers.put(AUTHORIZATION, "Bearer " + token);
    var call =
        ClientCalls.blockingBidiStreamingCall(
            ClientInterceptors.intercept(
                channel, MetadataUtils.newAttachHeadersInterceptor(headers)),
            EventServiceGrpc.getIngestEventsMethod(),
            CallOptions.DEFAULT.withDeadlineAfter(deadlineMillis, TimeUnit.MILLISECONDS));
    try {
      return ask(call, events);
    } catch (StatusException failure) {
      return new Calls.End<>(
          failure.getStatus(),
          Calls.reason(failure.getStatus().asRuntimeException(failure.getTrailers())),
          null,
          "");
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
      return new Calls.End<>(Status.CANCELLED, "", null, "");
    } finally {
      call.cancel("done", null);
    }
  }

  private static Calls.End<IngestEventsResponse> ask(
      BlockingClientCall<IngestEventsRequest, IngestEventsResponse> call, List<Event> events)
      throws InterruptedException, StatusException {
    call.write(IngestEventsRequest.newBuilder().addAllEvents(events).build());
    IngestEventsResponse answer = call.read();
    return answer == null
        ? new Calls.End<>(Status.UNAVAILABLE, "", null, "")
        : new Calls.End<>(Status.OK, "", answer, "");
  }
}
