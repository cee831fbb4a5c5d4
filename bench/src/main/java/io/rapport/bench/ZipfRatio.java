package io.rapport.bench;

import io.grpc.ManagedChannel;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.rapport.caching.v1.ReadOptions.Consistency;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Reads and writes of many keys, of which a few are asked for most of the time; against Redis with
 * the same values and as many connections. Redis forgets all if it is killed.
 */
final class ZipfRatio implements Ratio {
  private static final double TARGET = 0.35;
  private static final double HITS = 0.99;
  private static final double EXPONENT = 0.99;
  private static final int PERCENT_WRITES = 5;
  private static final int KEYS = 100_000;
  private static final int FEW_KEYS = 10_000;
  private static final int IN_FLIGHT = 64;
  private static final int CONNECTIONS = 4;

  /** How many reads there were, and how many were hits. */
  private record Reads(LongAdder all, LongAdder hits) {
    private boolean count(boolean hit) {
      all.increment();
      hits.add(hit ? 1 : 0);
      return true;
    }

    private double ratio() {
      return hits.doubleValue() / Math.max(1, all.sum());
    }
  }

  /** Keys, each asked for as often as its place says. */
  private record Choice(Zipf zipf, int keys) {
    private Supplier<CallLoad.Call> calls(
        IntFunction<CallLoad.Call> read, IntFunction<CallLoad.Call> write) {
      return () -> {
        Random random = ThreadLocalRandom.current();
        int key = zipf.next(random);
        return random.nextInt(100) < PERCENT_WRITES ? write.apply(key) : read.apply(key);
      };
    }
  }

  @Override
  public List<Result> measure(Site site, Samples samples, Settings settings) throws Exception {
    Tenants.Tenant tenant = site.makeTenants(1).getFirst();
    List<ManagedChannel> channels =
        IntStream.range(0, CONNECTIONS).mapToObj(i -> site.channel()).toList();
    Optional<RedisServer> redis = RedisServer.start();
    try {
      int keys = settings.rows() < KEYS ? FEW_KEYS : KEYS;
      Choice choice = new Choice(new Zipf(keys, EXPONENT), keys);
      Report.say(
          " cache_zipf: %,d keys, s = %.2f, %d %% writes, %d in flight over %d connections",
          keys, EXPONENT, PERCENT_WRITES, IN_FLIGHT, CONNECTIONS);
      KeptPredictions kept =
          KeptPredictions.put(site, tenant, tenant.over(channels.getFirst()), samples, keys);
      Reads reads = new Reads(new LongAdder(), new LongAdder());
      List<Supplier<CallLoad.Call>> calls = new ArrayList<>();
      for (ManagedChannel channel : channels) {
        calls.add(ours(choice, kept.over(tenant.over(channel)), reads));
      }
      CacheLoad ours = new CacheLoad(site, "ours", new CallLoad(calls), IN_FLIGHT);
      ours.warmUp(settings.warmUp());
      return redis.isPresent()
          ? compare(ours, redis(site, choice, redis.get()), reads, settings)
          : alone(ours, reads, settings);
    } finally {
      channels.forEach(ManagedChannel::shutdownNow);
      redis.ifPresent(RedisServer::close);
    }
  }

  private static Supplier<CallLoad.Call> ours(Choice choice, KeptPredictions kept, Reads reads) {
    return choice.calls(
        key -> kept.get(key, Consistency.BOUNDED, answer -> reads.count(answer.getHit())),
        key -> kept.put(key, ThreadLocalRandom.current()));
  }

  private static CacheLoad redis(Site site, Choice choice, RedisServer redis) throws Exception {
    List<Supplier<CallLoad.Call>> calls = new ArrayList<>();
    for (int i = 0; i < CONNECTIONS; i++) {
      RedisAsyncCommands<byte[], byte[]> commands = redis.connect().async();
      calls.add(
          choice.calls(
              key -> end -> tell(commands.get(name(key)), end),
              key -> end -> set(commands, key, end)));
    }
    RedisAsyncCommands<byte[], byte[]> commands = redis.connect().async();
    List<Future<?>> sets = new ArrayList<>();
    for (int key = 0; key < choice.keys(); key++) {
      sets.add(commands.set(name(key), KeptPredictions.bytes(new Random(key))));
    }
    for (Future<?> set : sets) {
      var _ = set.get();
    }
    return new CacheLoad(site, "redis", new CallLoad(calls), IN_FLIGHT);
  }

  private static void set(RedisAsyncCommands<byte[], byte[]> commands, int key, CallLoad.End end) {
    tell(commands.set(name(key), KeptPredictions.bytes(ThreadLocalRandom.current())), end);
  }

  private static byte[] name(int key) {
    return ("number " + key).getBytes(StandardCharsets.UTF_8);
  }

  /** No value at all is a wrong answer. */
  private static void tell(CompletionStage<?> answer, CallLoad.End end) {
    var _ =
        answer.whenComplete((value, failure) -> {
          if (failure == null && value != null) {
            end.answered();
          } else {
            end.failed(failure == null ? new IllegalStateException("no value") : failure);
          }
        });
  }

  private static List<Result> compare(
      CacheLoad ours, CacheLoad peer, Reads reads, Settings settings) throws Exception {
    peer.warmUp(settings.warmUp());
    Pairs.Runs runs =
        new Pairs(ours.site(), settings, "cache_zipf")
            .run(() -> ours.run(settings.span()), () -> peer.run(settings.span()));
    ours.tellLatencies(settings.span());
    peer.tellLatencies(settings.span());
    return List.of(
        hits(reads, runs.steal()),
        Result.ratio("cache_vs_redis", runs.ratios(), TARGET, runs.steal()));
  }

  private static List<Result> alone(CacheLoad ours, Reads reads, Settings settings)
      throws Exception {
    Report.say(
        "  there is no redis-server on the PATH (Debian's package is redis-server), so nothing is"
            + " compared");
    Run run = ours.run(settings.span());
    ours.tellLatencies(settings.span());
    Report.say("  ours: %,.0f/s; %s", run.rate(), run.cpu().perEvent(run.events()));
    return List.of(hits(reads, run.cpu().steal()));
  }

  private static Result hits(Reads reads, double steal) {
    return Result.ratio("cache_zipf_hits", Spread.of(List.of(reads.ratio())), HITS, steal);
  }
}
