package io.rapport.bench;

import io.grpc.ManagedChannel;
import io.rapport.client.EventWriter;
import io.rapport.client.RapportClient;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.ListEventsRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * How long from starting java to the first answer of a validated call that reads the database, and
 * how large the server is then and after load.
 */
final class StartRatio implements Ratio {
  private static final double SECONDS = 2.0;
  private static final double MEGABYTES = 256;
  private static final int CHUNK = 10_000;
  private static final int IN_FLIGHT = 64;

  @Override
  public List<Result> measure(Site site, Samples samples, Settings settings) throws Exception {
    Report.say("  server's java options: %s", ServerProcess.javaOptions());
    firstAnswer(site);
    List<Double> seconds = new ArrayList<>();
    List<Double> sizes = new ArrayList<>();
    CpuUse before = site.cpu();
    for (int i = 0; i < settings.pairs(); i++) {
      seconds.add(firstAnswer(site));
      sizes.add(site.residentMegabytes());
      Report.say("  start %d: %.2f s, %.0f MB", i + 1, seconds.getLast(), sizes.getLast());
    }
    Duration half = settings.warmUp().multipliedBy(2);
    load(site, samples, half);
    double steal = site.cpu().minus(before).steal();
    Spread loaded = Spread.of(List.of(site.residentMegabytes()));
    return List.of(
        Result.most("start_seconds", "s", Spread.of(seconds), SECONDS, steal),
        Result.most("start_rss_mb", "MB", Spread.of(sizes), MEGABYTES, steal),
        Result.most("load_rss_mb", "MB", loaded, MEGABYTES, steal));
  }

  private static double firstAnswer(Site site) throws Exception {
    site.stopServer();
    long start = System.nanoTime();
    site.startServer();
    ManagedChannel channel = site.channel();
    try {
      EventServiceGrpc.newBlockingStub(channel)
          .listEvents(ListEventsRequest.newBuilder().setPageSize(1).build());
      return (System.nanoTime() - start) / 1e9;
    } finally {
      channel.shutdownNow();
    }
  }

  /** One half of the time single events, the other a stream. */
  static void load(Site site, Samples samples, Duration half) throws Exception {
    try (UnaryLoad unary = UnaryLoad.of(site, samples, site.makeTenants(1), 4)) {
      unary.run(IN_FLIGHT, half);
    }
    long end = System.nanoTime() + half.toNanos();
    try (RapportClient client = RapportClient.connect(site.target());
        EventWriter writer = client.events().ingest()) {
      while (System.nanoTime() < end) {
        samples.fresh(CHUNK).forEach(writer::write);
      }
    }
  }
}
