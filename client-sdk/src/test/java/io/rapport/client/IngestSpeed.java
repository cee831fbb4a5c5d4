package io.rapport.client;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.stub.StreamObserver;
import io.rapport.identity.v1.Identity;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.IngestEventsRequest;
import io.rapport.tracking.v1.IngestEventsResponse;
import java.util.Locale;

/** Prints how many events a second a writer sends over loopback to a service that drops them. */
final class IngestSpeed {
  private static final int EVENTS = 1_000_000;
  private static final int ROUNDS = 5;

  private IngestSpeed() {}

  public static void main(String[] args) throws Exception {
    Server server =
        Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
            .addService(new Sink())
            .build()
            .start();
    try (RapportClient client = RapportClient.connect("localhost:" + server.getPort())) {
      for (int round = 1; round <= ROUNDS; round++) {
        long start = System.nanoTime();
        write(client);
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf(Locale.ROOT, "round=%d events_per_s=%.0f%n", round, EVENTS / seconds);
      }
    } finally {
      server.shutdownNow();
    }
  }

  private static void write(RapportClient client) {
    ByteString data = ByteString.copyFromUtf8("{\"repository\":\"jdbi/jdbi\",\"files\":2}");
    Identity who = Identity.newBuilder().setProvider("import").setSubject("31c9094c").build();
    try (EventWriter writer = client.events().ingest()) {
      for (int i = 0; i < EVENTS; i++) {
        writer.write(
            Event.newBuilder()
                .setId("c0006fcd-3b94-56aa-9565-6014126ddb78")
                .setIdentity(who)
                .setEventType("commit")
                .setOccurredAt(Timestamp.newBuilder().setSeconds(i))
                .setDataJson(data)
                .setText("Remove files in import")
                .build());
      }
    }
  }

  private static final class Sink extends EventServiceGrpc.EventServiceImplBase {
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
        public void onError(Throwable failure) {}

        @Override
        public void onCompleted() {
          answers.onCompleted();
        }
      };
    }
  }
}
