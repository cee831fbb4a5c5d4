package io.rapport.bench;

import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.rapport.client.RapportClient;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.EventServiceGrpc.EventServiceBlockingStub;
import io.rapport.tracking.v1.GetEventRequest;
import io.rapport.tracking.v1.TrackEventRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Calls a second through the SDK, against the generated blocking stub on a channel alike. */
final class SdkRatio implements Ratio {
  private static final double TARGET = 0.95;
  private static final List<Integer> THREADS = List.of(1, 8);

  @Override
  public List<Result> measure(Site site, Samples samples, Settings settings) throws Exception {
    ManagedChannel channel = ManagedChannelBuilder.forTarget(site.target()).usePlaintext().build();
    try (RapportClient client = RapportClient.connect(site.target())) {
      EventServiceBlockingStub stub = EventServiceGrpc.newBlockingStub(channel);
      String hot = client.events().track(samples.fresh(1).getFirst()).getEventId();
      List<Result> results = new ArrayList<>();
      for (int threads : THREADS) {
        Load load = new Load(site, settings, threads);
        results.add(load.compare("get", () -> get(client, hot), () -> get(stub, hot)));
        results.add(
            load.compare("track", () -> track(client, samples), () -> track(stub, samples)));
      }
      return results;
    } finally {
      channel.shutdownNow();
    }
  }

  private static Object get(RapportClient client, String id) {
    return client.events().get(GetEventRequest.newBuilder().setId(id).setDataAsJson(true).build());
  }

  private static Object get(EventServiceBlockingStub stub, String id) {
    return stub.getEvent(GetEventRequest.newBuilder().setId(id).setDataAsJson(true).build());
  }

  private static Object track(RapportClient client, Samples samples) {
    return client.events().track(samples.one());
  }

  private static Object track(EventServiceBlockingStub stub, Samples samples) {
    Event event = samples.one();
    return stub.trackEvent(TrackEventRequest.newBuilder().setEvent(event).build());
  }

  private interface Call {
    Object make();
  }

  private record Load(Site site, Settings settings, int threads) {
    Result compare(String call, Call ours, Call bare) throws Exception {
      String name =
          "sdk_overhead_%s_%d%s".formatted(call, threads, threads == 1 ? "thread" : "threads");
      Report.say(" %s", name);
      run(ours, settings.warmUp());
      run(bare, settings.warmUp());
      Pairs.Runs runs =
          new Pairs(site, settings, name).run(() -> measured(ours), () -> measured(bare));
      return Result.ratio(name, runs.ratios(), TARGET, runs.steal());
    }

    private Run measured(Call call) throws Exception {
      return Run.of(site, () -> run(call, settings.span()));
    }

    private long run(Call call, Duration span) throws Exception {
      long end = System.nanoTime() + span.toNanos();
      List<Future<Long>> counts = new ArrayList<>();
      try (ExecutorService workers = Executors.newFixedThreadPool(threads)) {
        for (int i = 0; i < threads; i++) {
          counts.add(workers.submit(() -> repeat(call, end)));
        }
        long calls = 0;
        for (Future<Long> count : counts) {
          calls += count.get();
        }
        return calls;
      }
    }

    private static long repeat(Call call, long end) {
      long calls = 0;
      while (System.nanoTime() < end) {
        call.make();
        calls++;
      }
      return calls;
    }
  }
}
