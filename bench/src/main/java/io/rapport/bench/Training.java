package io.rapport.bench;

import io.grpc.ManagedChannel;
import io.rapport.identity.v1.ListUsersRequest;
import io.rapport.identity.v1.UserServiceGrpc;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.ListEventsRequest;
import java.time.Duration;
import java.util.List;

/**
 * Runs the server through a little of everything, so that Java learns its classes and how they are
 * used, and keeps that in the file that the property {@code rapport.training} names. See
 * https://openjdk.org/jeps/514.
 */
final class Training {
  private static final Duration HALF = Duration.ofSeconds(2);

  private Training() {}

  public static void main(String[] args) throws Exception {
    String cache = System.getProperty("rapport.training");
    try (Site site = Site.open(List.of("-XX:AOTCacheOutput=" + cache))) {
      StartRatio.load(site, Samples.load(null), HALF);
      read(site);
      site.stopServer(); // which writes the cache
    }
  }

  private static void read(Site site) {
    ManagedChannel channel = site.channel();
    try {
      EventServiceGrpc.newBlockingStub(channel)
          .listEvents(ListEventsRequest.newBuilder().setPageSize(1).build());
      UserServiceGrpc.newBlockingStub(channel)
          .listUsers(ListUsersRequest.newBuilder().setPageSize(1).build());
    } finally {
      channel.shutdownNow();
    }
  }
}
