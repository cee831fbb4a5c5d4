package io.rapport.bench;

import java.time.Duration;
import org.HdrHistogram.Histogram;

/** One side of a comparison of calls. */
record CacheLoad(Site site, String name, CallLoad load, int inFlight) {
  void warmUp(Duration span) throws Exception {
    Report.say("  warming up %s", name);
    told(load.run(inFlight, span));
  }

  /** Lets it run once more, for its latencies. */
  void tellLatencies(Duration span) throws Exception {
    Histogram latencies = told(load.run(inFlight, span));
    Report.say(
        "  %s: p50 %.2f ms, p99 %.2f ms",
        name, latencies.getValueAtPercentile(50) / 1e3, latencies.getValueAtPercentile(99) / 1e3);
  }

  Run run(Duration span) throws Exception {
    return Run.of(
        site,
        () -> {
          CallLoad.Outcome outcome = load.run(inFlight, span);
          told(outcome);
          return outcome.calls();
        });
  }

  private Histogram told(CallLoad.Outcome outcome) {
    if (outcome.refused() > 0) {
      Report.say("  %s: %,d calls were refused, and don't count", name, outcome.refused());
    }
    return outcome.latencies();
  }
}
