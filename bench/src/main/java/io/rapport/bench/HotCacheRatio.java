package io.rapport.bench;

import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.rapport.caching.v1.ReadOptions.Consistency;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Predictions that the server has in its memory, against the health check over the same connection:
 * the least that a call can take. Also what the database is asked for.
 */
final class HotCacheRatio implements Ratio {
  private static final double TARGET = 0.9;
  private static final int KEYS = 100;
  private static final List<Integer> IN_FLIGHT = List.of(8, 64);

  @Override
  public List<Result> measure(Site site, Samples samples, Settings settings) throws Exception {
    // Health checks have a lane of their own, which is narrow.
    site.restartServer(Map.of("RAPPORT_MAX_RESERVED_CALLS", "128"));
    Tenants.Tenant tenant = site.makeTenants(1).getFirst();
    ManagedChannel channel = site.channel();
    try {
      Channel own = tenant.over(channel);
      KeptPredictions kept = KeptPredictions.put(site, tenant, own, samples, KEYS);
      List<Result> results = new ArrayList<>();
      for (int inFlight : IN_FLIGHT) {
        CacheLoad checks = new CacheLoad(site, "checks", checks(own), inFlight);
        for (Consistency consistency : List.of(Consistency.BOUNDED, Consistency.STRONG)) {
          CallLoad gets = new CallLoad(List.of(kept.gets(consistency)));
          CacheLoad ours =
              new CacheLoad(site, consistency.name().toLowerCase(Locale.ROOT), gets, inFlight);
          String name =
              "cache_hot" + (consistency == Consistency.STRONG ? "_strong_" : "_") + inFlight;
          Pairs.Runs runs = compare(name, ours, checks, settings);
          if (consistency == Consistency.BOUNDED) {
            results.add(Result.ratio(name, runs.ratios(), TARGET, runs.steal()));
          } else {
            Report.say("  %s: %.3f, without a target", name, runs.ratios().median());
          }
        }
      }
      return results;
    } finally {
      channel.shutdownNow();
    }
  }

  private static Pairs.Runs compare(
      String name, CacheLoad ours, CacheLoad checks, Settings settings) throws Exception {
    Report.say(" %s", name);
    ours.warmUp(settings.warmUp());
    checks.warmUp(settings.warmUp());
    Pairs.Runs runs =
        new Pairs(ours.site(), settings, name)
            .run(() -> ours.run(settings.span()), () -> checks.run(settings.span()));
    ours.tellLatencies(settings.span());
    checks.tellLatencies(settings.span());
    return runs;
  }

  private static CallLoad checks(Channel channel) {
    CallLoad.Call check =
        new RpcCall<>(
            channel,
            HealthGrpc.getCheckMethod(),
            HealthCheckRequest.getDefaultInstance(),
            (HealthCheckResponse answer) -> answer.getStatus() == ServingStatus.SERVING);
    Supplier<CallLoad.Call> always = () -> check;
    return new CallLoad(List.of(always));
  }
}
