package io.rapport.client;

import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventFilter;
import io.rapport.tracking.v1.EventOutcome;

/** A program that uses the SDK over a real port, for the oldest Java that it supports. */
final class Java17 {
  private static final int EVENTS = 5_000;

  private Java17() {}

  public static void main(String[] args) throws Exception {
    Server server =
        Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
            .addService(new FakeService())
            .build()
            .start();
    try (RapportClient client = RapportClient.connect("localhost:" + server.getPort())) {
      use(client);
    } finally {
      server.shutdownNow();
    }
    System.out.println("used on Java " + Runtime.version().feature());
  }

  private static void use(RapportClient client) {
    EventOutcome outcome = client.events().track(Event.getDefaultInstance());
    check(outcome.getResult() == EventOutcome.Result.RECORDED);
    check(client.events().list(EventFilter.getDefaultInstance()).count() == 6);
    EventWriter writer = client.events().ingest();
    try (writer) {
      for (int i = 0; i < EVENTS; i++) {
        writer.write(InProcess.event(i));
      }
    }
    check(writer.summary().recorded() == EVENTS);
  }

  private static void check(boolean fact) {
    if (!fact) {
      throw new AssertionError("not as expected");
    }
  }
}
