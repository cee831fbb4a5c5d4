package io.rapport.bench;

import io.grpc.ManagedChannel;
import io.rapport.caching.v1.ReadOptions.Consistency;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * Predictions of a server that keeps none in its memory, against a prepared SELECT of the same rows
 * by their primary key.
 */
final class ColdCacheRatio implements Ratio {
  private static final double TARGET = 0.6;
  private static final int KEYS = 100;
  private static final int IN_FLIGHT = 64;
  private static final int CHANNELS = 4;

  @Override
  public List<Result> measure(Site site, Samples samples, Settings settings) throws Exception {
    site.restartServer(Map.of("RAPPORT_NEAR_CACHE_MB", "0"));
    Tenants.Tenant tenant = site.makeTenants(1).getFirst();
    List<ManagedChannel> channels = new ArrayList<>();
    for (int i = 0; i < CHANNELS; i++) {
      channels.add(site.channel());
    }
    try {
      KeptPredictions kept =
          KeptPredictions.put(site, tenant, tenant.over(channels.getFirst()), samples, KEYS);
      List<Supplier<CallLoad.Call>> gets =
          channels.stream()
              .map(channel -> kept.over(tenant.over(channel)).gets(Consistency.BOUNDED))
              .toList();
      CacheLoad ours = new CacheLoad(site, "cold", new CallLoad(gets), IN_FLIGHT);
      PgbenchPeer peer =
          PgbenchPeer.best(new Pgbench(site, "entry", selects(site, tenant.id())), settings);
      String name = "cache_cold";
      Report.say(
          " %s: %d in flight over %d channels; peer: pgbench -M prepared -j 2, %d clients",
          name, IN_FLIGHT, CHANNELS, peer.clients());
      ours.warmUp(settings.warmUp());
      Pairs.Runs runs =
          new Pairs(site, settings, name).run(() -> ours.run(settings.span()), peer::run);
      ours.tellLatencies(settings.span());
      return List.of(Result.ratio(name, runs.ratios(), TARGET, runs.steal()));
    } finally {
      channels.forEach(ManagedChannel::shutdownNow);
    }
  }

  private static List<String> selects(Site site, UUID tenant) throws Exception {
    List<String> selects = new ArrayList<>();
    try (Statement statement = site.admin().createStatement();
        ResultSet ids =
            statement.executeQuery(
                "SELECT id FROM caching.entries WHERE tenant_id = '" + tenant + "'")) {
      while (ids.next()) {
        selects.add(
            "SELECT key, value, info FROM caching.entries WHERE tenant_id = '%s' AND id = '%s';\n"
                .formatted(tenant, ids.getString(1)));
      }
    }
    return selects;
  }
}
