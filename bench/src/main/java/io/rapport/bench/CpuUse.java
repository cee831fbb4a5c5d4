package io.rapport.bench;

import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The processors' time that a piece of work took, in seconds.
 *
 * @param machine all time there was, on all processors
 * @param stolen what other guests of the host took of it
 */
record CpuUse(
    double client,
    double server,
    double postgres,
    Map<String, Double> serverThreads,
    double stolen,
    double machine) {
  static final CpuUse NONE = new CpuUse(0, 0, 0, Map.of(), 0, 0);
  private static final double WORTH_NAMING = 0.2;

  double steal() {
    return machine == 0 ? 0 : stolen / machine;
  }

  CpuUse plus(CpuUse other) {
    return combine(other, 1);
  }

  CpuUse minus(CpuUse other) {
    return combine(other, -1);
  }

  private CpuUse combine(CpuUse other, int sign) {
    Map<String, Double> threads = new TreeMap<>(serverThreads);
    other.serverThreads.forEach((name, time) -> threads.merge(name, sign * time, Double::sum));
    return new CpuUse(
        client + sign * other.client,
        server + sign * other.server,
        postgres + sign * other.postgres,
        threads,
        stolen + sign * other.stolen,
        machine + sign * other.machine);
  }

  /** Microseconds of each process for one of so many events. */
  String perEvent(long events) {
    double scale = 1e6 / Math.max(1, events);
    String threads =
        serverThreads.entrySet().stream()
            .filter(thread -> thread.getValue() * scale >= WORTH_NAMING)
            .sorted(Map.Entry.<String, Double>comparingByValue().reversed())
            .map(thread ->
                String.format(Locale.ROOT, "%s %.1f", thread.getKey(), thread.getValue() * scale))
            .collect(Collectors.joining(", "));
    return String.format(
        Locale.ROOT,
        "cpu us/event: client %.1f, server %.1f (%s), postgres %.1f",
        client * scale,
        server * scale,
        threads,
        postgres * scale);
  }
}
