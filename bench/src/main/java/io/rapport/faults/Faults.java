package io.rapport.faults;

import io.grpc.netty.shaded.io.netty.util.internal.logging.InternalLoggerFactory;
import io.grpc.netty.shaded.io.netty.util.internal.logging.JdkLoggerFactory;
import io.rapport.bench.Report;
import io.rapport.db.CommandLines;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * Puts the promises to the test. Exit code 0: all hold, and all controls fail as they should; 1:
 * one misses; 2: the command was wrong.
 */
@Command(
    name = "faults",
    mixinStandardHelpOptions = true,
    description = {
      "Breaks a service of its own in every way that it promises to survive, and checks that",
      "it does; each promise also with its guarantee broken, which has to be noticed.",
      "Without ids, all of them; docs/reliability.md tells what each is."
    })
public final class Faults implements Callable<Integer> {
  private static final Path CHECKOUT = Path.of(System.getProperty("rapport.checkout", ""));

  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "What everything random follows from; printed first.")
  private @Nullable Long seed;

  @Option(names = "--quick", description = "Minutes rather than hours.")
  private boolean quick;

  @Option(
      names = "--write-table",
      description = "Write the results into the table of docs/reliability.md.")
  private boolean writeTable;

  @Parameters(paramLabel = "ID", description = "The promises to test.")
  private List<String> ids = new ArrayList<>();

  private Faults() {}

  /** Runs the command and exits. */
  public static void main(String[] args) {
    InternalLoggerFactory.setDefaultFactory(JdkLoggerFactory.INSTANCE);
    System.exit(commandLine().execute(args));
  }

  static CommandLine commandLine() {
    return CommandLines.of("faults", new Faults());
  }

  private static Map<String, Promise> promises() {
    Map<String, Promise> promises = new LinkedHashMap<>();
    promises.put("P1", new AcknowledgedWrites());
    promises.put("P4", new StalledStandby());
    promises.put("P5", new CommitCuts());
    promises.put("P8", new RequestIds());
    promises.put("P9", new ReusedRequestIds());
    promises.put("P10", new FreedRequestIds());
    promises.put("P11", new CutAnswers());
    promises.put("P12", new RetryLoad());
    promises.put("P13", new BatchOutcomes());
    promises.put("P14", new ConcurrentUpdates());
    promises.put("P15", new OneActiveVersion());
    promises.put("P15b", new OneTraining());
    promises.put("P17", new FreshReads());
    promises.put("P18", new OneComputation());
    promises.put("P19", new CacheKeys());
    promises.put("P20", new WatchedChanges());
    promises.put("P21", new PagedLists());
    promises.put("P22", new Positions());
    promises.put("P24", new Deadlines());
    promises.put("P25", new CallsWithoutDeadline());
    promises.put("P26", new Overload());
    promises.put("P27", new ReservedLane());
    promises.put("P28", new LostDatabase());
    promises.put("P30", new RollingRestart());
    promises.put("P34", new HonestSearch());
    promises.put("P35", new DamagedIndex());
    promises.put("P40", new TenantIsolation());
    promises.put("P41", new PooledTenants());
    return promises;
  }

  @Override
  public Integer call() throws IOException {
    Map<String, Promise> chosen = chosen();
    Run run = new Run(seed == null ? ThreadLocalRandom.current().nextInt(1_000_000) : seed, quick);
    System.out.println("faults: seed=" + run.seed() + (quick ? " quick=yes" : ""));
    List<Verdict> verdicts = new ArrayList<>();
    for (Map.Entry<String, Promise> promise : chosen.entrySet()) {
      List<Verdict> shown = test(promise.getKey(), promise.getValue(), run);
      shown.forEach(verdict -> System.out.println(verdict.line()));
      verdicts.addAll(shown);
    }
    if (writeTable) {
      ResultTable.write(CHECKOUT.resolve("docs/reliability.md"), run, verdicts);
    }
    return verdicts.stream().allMatch(Verdict::met) ? 0 : 1;
  }

  private Map<String, Promise> chosen() {
    Map<String, Promise> all = promises();
    if (ids.isEmpty()) {
      return all;
    }
    for (String id : ids) {
      require(
          all.containsKey(id),
          "there is no \"" + id + "\"; there are " + String.join(", ", all.keySet()));
    }
    all.keySet().retainAll(ids);
    return all;
  }

  private void require(boolean holds, String message) {
    if (!holds && spec != null) {
      throw new ParameterException(spec.commandLine(), message);
    }
  }

  /** A test that can't be run misses, and the others still are. */
  private static List<Verdict> test(String id, Promise promise, Run run) {
    Report.say("%s", id);
    long start = System.nanoTime();
    try {
      return promise.test(run);
    } catch (Exception failure) {
      failure.printStackTrace();
      return List.of(Verdict.of(id).with("failed", "yes").met(false));
    } finally {
      Report.say("  %s took %d s", id, (System.nanoTime() - start) / 1_000_000_000);
    }
  }
}
