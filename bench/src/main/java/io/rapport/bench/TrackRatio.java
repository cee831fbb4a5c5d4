package io.rapport.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.HdrHistogram.Histogram;

/** Single events a second, each answered after its commit, against single-row inserts. */
final class TrackRatio implements Ratio {
  private static final Map<Integer, Double> TARGETS = new TreeMap<>(Map.of(64, 2.0, 256, 2.5));
  private static final List<Integer> TENANTS = List.of(1, 100);
  private static final int FEW_CHANNELS = 4;

  @Override
  public List<Result> measure(Site site, Samples samples, Settings settings) throws Exception {
    List<Result> results = new ArrayList<>();
    for (int count : TENANTS) {
      List<Tenants.Tenant> tenants = site.makeTenants(count);
      List<UUID> ids = tenants.stream().map(Tenants.Tenant::id).toList();
      PgbenchPeer peer = best(site, samples, ids, Pgbench.Rows.EVENT, settings);
      PgbenchPeer both = best(site, samples, ids, Pgbench.Rows.EVENT_AND_ID, settings);
      int channels = Math.max(FEW_CHANNELS, count);
      try (UnaryLoad load = UnaryLoad.of(site, samples, tenants, channels)) {
        Report.say(
            "  %d tenants over %d channels; peer: pgbench -M prepared -j 2, %d clients",
            count, channels, peer.clients());
        warmUp(load, settings);
        tellAlone(site, load, settings.span());
        Ours ours = new Ours(site, load, settings.span());
        results.addAll(ratios(site, settings, ours, List.of(peer, both), count));
      }
    }
    return results;
  }

  private static PgbenchPeer best(
      Site site, Samples samples, List<UUID> tenants, Pgbench.Rows rows, Settings settings)
      throws Exception {
    return PgbenchPeer.best(Pgbench.inserting(site, samples, tenants, rows), settings);
  }

  private static void warmUp(UnaryLoad load, Settings settings) throws Exception {
    CallLoad.Outcome outcome = load.run(64, settings.warmUp());
    Report.say("  warming up: %,d calls, %,d refused", outcome.calls(), outcome.refused());
  }

  private static List<Result> ratios(
      Site site, Settings settings, Ours ours, List<PgbenchPeer> peers, int tenants)
      throws Exception {
    List<Result> results = new ArrayList<>();
    for (Map.Entry<Integer, Double> target : TARGETS.entrySet()) {
      int inFlight = target.getKey();
      String name =
          "track_unary_%d_%d%s".formatted(inFlight, tenants, tenants == 1 ? "tenant" : "tenants");
      Report.say(" %s", name);
      Pairs pairs = new Pairs(site, settings, name);
      Pairs.Runs runs = pairs.run(() -> ours.run(inFlight), peers.getFirst()::run);
      results.add(Result.ratio(name, runs.ratios(), target.getValue(), runs.steal()));
      Run withId = peers.getLast().run();
      Report.say(
          "  against inserts of the id as well (%,.0f/s, one run): %.3f",
          withId.rate(),
          Spread.of(runs.ours().stream().map(Run::rate).toList()).median() / withId.rate());
    }
    return results;
  }

  private static void tellAlone(Site site, UnaryLoad load, Duration span) throws Exception {
    site.empty();
    Histogram latencies = load.run(1, span).latencies();
    Report.say(
        "  1 in flight: p50 %.2f ms, p99 %.2f ms",
        latencies.getValueAtPercentile(50) / 1e3, latencies.getValueAtPercentile(99) / 1e3);
  }

  private record Ours(Site site, UnaryLoad load, Duration span) {
    Run run(int inFlight) throws Exception {
      site.empty();
      Run run = Run.of(site, () -> measured(inFlight));
      long stored = site.number("SELECT count(*) FROM tracking.behavioral_events");
      if (stored != run.events()) {
        throw new IllegalStateException(stored + " events are stored, not " + run.events());
      }
      return run;
    }

    private long measured(int inFlight) throws InterruptedException {
      CallLoad.Outcome outcome = load.run(inFlight, span);
      if (outcome.refused() > 0) {
        Report.say("  %,d calls were refused as too many, and don't count", outcome.refused());
      }
      return outcome.calls();
    }
  }
}
