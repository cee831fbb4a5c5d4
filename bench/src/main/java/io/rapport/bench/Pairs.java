package io.rapport.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Runs two sides in turns, so that what disturbs one disturbs the other as well. */
final class Pairs {
  /** One side: makes a run. */
  interface Side {
    Run run() throws Exception;
  }

  private final Site site;
  private final Settings settings;
  private final String name;

  Pairs(Site site, Settings settings, String name) {
    this.site = site;
    this.settings = settings;
    this.name = name;
  }

  /** All runs of the two sides; those with the same index are a pair. */
  record Runs(List<Run> ours, List<Run> peers) {
    /** How much faster ours is, pair by pair. */
    Spread ratios() {
      List<Double> ratios = new ArrayList<>();
      for (int i = 0; i < ours.size(); i++) {
        ratios.add(ours.get(i).rate() / peers.get(i).rate());
      }
      return Spread.of(ratios);
    }

    double steal() {
      return total(ours).plus(total(peers)).steal();
    }
  }

  /** The sides take turns in going first. */
  Runs run(Side ours, Side peer) throws Exception {
    Runs runs = new Runs(new ArrayList<>(), new ArrayList<>());
    startRecording();
    for (int i = 0; i < settings.pairs(); i++) {
      if (i % 2 == 0) {
        runs.ours().add(ours.run());
        runs.peers().add(peer.run());
      } else {
        runs.peers().add(peer.run());
        runs.ours().add(ours.run());
      }
      Report.say(
          "  pair %d: ours %,.0f/s, peer %,.0f/s, ratio %.3f",
          i + 1,
          runs.ours().getLast().rate(),
          runs.peers().getLast().rate(),
          runs.ours().getLast().rate() / runs.peers().getLast().rate());
    }
    stopRecording();
    tell("ours", runs.ours());
    tell("peer", runs.peers());
    return runs;
  }

  private void startRecording() throws Exception {
    if (settings.recordings() != null) {
      site.server().startRecording();
    }
  }

  private void stopRecording() throws Exception {
    @Nullable Path recordings = settings.recordings();
    if (recordings != null) {
      site.server().stopRecording(recordings.resolve(name + ".jfr"));
    }
  }

  private static void tell(String side, List<Run> runs) {
    Spread rates = Spread.of(runs.stream().map(Run::rate).toList());
    long events = runs.stream().mapToLong(Run::events).sum();
    double seconds = runs.stream().mapToDouble(Run::seconds).sum();
    CpuUse cpu = total(runs);
    Report.say(
        "  %s: median %,.0f/s (%,.0f to %,.0f), %,d events in %.1f s; %s; machine %s busy",
        side,
        rates.median(),
        rates.min(),
        rates.max(),
        events,
        seconds,
        cpu.perEvent(events),
        busy(cpu));
  }

  private static String busy(CpuUse cpu) {
    double used = cpu.client() + cpu.server() + cpu.postgres();
    return String.format(
        Locale.ROOT, "%.0f %%", cpu.machine() == 0 ? 0 : 100 * used / cpu.machine());
  }

  private static CpuUse total(List<Run> runs) {
    return runs.stream().map(Run::cpu).reduce(CpuUse.NONE, CpuUse::plus);
  }
}
