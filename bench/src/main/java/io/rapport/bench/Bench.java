package io.rapport.bench;

import io.grpc.netty.shaded.io.netty.util.internal.logging.InternalLoggerFactory;
import io.grpc.netty.shaded.io.netty.util.internal.logging.JdkLoggerFactory;
import io.rapport.db.CommandLines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * Measures the service against what it stands on. Exit code 0: all targets are met; 1: some are
 * not; 2: the command was wrong.
 */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description = {
      "Measures ratios on a throw-away, durable PostgreSQL; without names, all of them:",
      "  ingest_stream, ingest_dups, track_unary, sdk_overhead, watch_lag, resource, start,",
      "  cache_hot, cache_cold, cache_zipf, quality_assessment, prediction_log,",
      "  search_qps, search_narrow, search_tenants_10, search_tenants_1000"
    })
public final class Bench implements Callable<Integer> {
  private static final Path SHARED_DATA = Path.of("../shared/data/engineering-events.ndjson.gz");
  private static final int QUICK_SECONDS = 3;
  private static final int SECONDS = 8;

  @Spec private @Nullable CommandSpec spec;

  @Option(names = "--rows", description = "Events of one run of an ingest (default: 300000).")
  private @Nullable Integer rows;

  @Option(names = "--pairs", description = "Pairs of runs (default: 7).")
  private @Nullable Integer pairs;

  @Option(
      names = "--warmup",
      paramLabel = "SECONDS",
      description = "How long each side is warmed up (default: 15).")
  private @Nullable Integer warmUp;

  @Option(names = "--quick", description = "Only see whether it works; the figures say little.")
  private boolean quick;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      description = "The real events, NDJSON, plain or gzip.")
  private @Nullable Path data;

  @Option(
      names = "--jfr",
      paramLabel = "DIR",
      description = "Keep the server's flight recordings here.")
  private @Nullable Path recordings;

  @Parameters(paramLabel = "NAME", description = "What to measure.")
  private List<String> names = new ArrayList<>();

  private Bench() {}

  /** Runs the command and exits. */
  public static void main(String[] args) {
    InternalLoggerFactory.setDefaultFactory(JdkLoggerFactory.INSTANCE);
    System.exit(commandLine().execute(args));
  }

  static CommandLine commandLine() {
    return CommandLines.of("bench", new Bench());
  }

  private static Map<String, Ratio> ratios() {
    Map<String, Ratio> ratios = new LinkedHashMap<>();
    ratios.put("ingest_stream", IngestRatio.stream());
    ratios.put("ingest_dups", IngestRatio.repeating());
    ratios.put("track_unary", new TrackRatio());
    ratios.put("sdk_overhead", new SdkRatio());
    ratios.put("watch_lag", new WatchLag());
    ratios.put("resource", new ResourceRatio());
    ratios.put("start", new StartRatio());
    ratios.put("cache_hot", new HotCacheRatio());
    ratios.put("cache_cold", new ColdCacheRatio());
    ratios.put("cache_zipf", new ZipfRatio());
    ratios.put("quality_assessment", new QualityRatio());
    ratios.put("prediction_log", new PredictionRatio());
    ratios.put("search_qps", new SearchRatio());
    ratios.put("search_narrow", new NarrowSearchRatio());
    ratios.put("search_tenants_10", new SearchTenantsRatio(10));
    ratios.put("search_tenants_1000", new SearchTenantsRatio(1_000));
    return ratios;
  }

  @Override
  public Integer call() throws IOException {
    Map<String, Ratio> chosen = chosen();
    requirePositive("--rows", rows);
    requirePositive("--pairs", pairs);
    requirePositive("--warmup", warmUp);
    Path events = orElse(data, SHARED_DATA);
    require(data == null || Files.isReadable(events), "no such file: " + events);
    Settings settings = settings(events);
    Samples samples = Samples.load(events);
    List<String> lines = new ArrayList<>();
    boolean met = true;
    for (Map.Entry<String, Ratio> ratio : chosen.entrySet()) {
      List<Result> results = measure(ratio.getKey(), ratio.getValue(), samples, settings);
      met &= !results.isEmpty() && results.stream().allMatch(Result::met);
      results.forEach(result -> lines.add(result.line() + (quick ? " quick=yes" : "")));
      if (results.isEmpty()) {
        lines.add("RATIO name=" + ratio.getKey() + " failed=yes");
      }
    }
    lines.forEach(System.out::println);
    return met ? 0 : 1;
  }

  private Map<String, Ratio> chosen() {
    Map<String, Ratio> chosen = ratios();
    Set<String> known = Set.copyOf(chosen.keySet());
    for (String name : names) {
      require(
          known.contains(name),
          "there is no \"" + name + "\"; there are " + String.join(", ", chosen.keySet()));
    }
    if (!names.isEmpty()) {
      chosen.keySet().retainAll(names);
    }
    return chosen;
  }

  private void requirePositive(String option, @Nullable Integer number) {
    require(number == null || number > 0, option + " must be 1 or more: " + number);
  }

  private void require(boolean holds, String message) {
    if (!holds && spec != null) {
      throw new ParameterException(spec.commandLine(), message);
    }
  }

  private Settings settings(Path events) throws IOException {
    Path directory = recordings;
    if (directory != null) {
      Files.createDirectories(directory);
    }
    return new Settings(
        orElse(rows, quick ? 60_000 : 300_000),
        orElse(pairs, quick ? 2 : 7),
        Duration.ofSeconds(orElse(warmUp, quick ? QUICK_SECONDS : 15)),
        Duration.ofSeconds(quick ? QUICK_SECONDS : SECONDS),
        events,
        directory);
  }

  private static <T> T orElse(@Nullable T given, T otherwise) {
    return given == null ? otherwise : given;
  }

  /** Empty if it failed: then the others are still measured. */
  private List<Result> measure(String name, Ratio ratio, Samples samples, Settings settings) {
    Report.say("%s%s", name, quick ? " (quick: the figures say little)" : "");
    try (Site site = Site.open()) {
      describe(site, samples);
      List<Result> results = measure(site, ratio, samples, settings);
      results.forEach(result -> Report.say("  %s", result.line()));
      return results;
    } catch (Exception failure) {
      Report.say("  failed: %s", failure);
      failure.printStackTrace();
      return List.of();
    }
  }

  private static List<Result> measure(Site site, Ratio ratio, Samples samples, Settings settings)
      throws Exception {
    boolean done = false;
    try {
      List<Result> results = ratio.measure(site, samples, settings);
      done = true;
      return results;
    } finally {
      if (!done) {
        Report.say("  the server's log ends with:%n%s", site.endOfLog());
      }
    }
  }

  private static void describe(Site site, Samples samples) throws SQLException, IOException {
    Report.say(
        "  %s; Java %s; PostgreSQL %s, fsync %s, synchronous_commit %s, shared_buffers %s; events: %s",
        Machine.describe(),
        Runtime.version(),
        site.setting("SHOW server_version"),
        site.setting("SHOW fsync"),
        site.setting("SHOW synchronous_commit"),
        site.setting("SHOW shared_buffers"),
        samples.origin());
  }
}
