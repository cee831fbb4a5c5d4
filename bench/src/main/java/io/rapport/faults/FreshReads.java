package io.rapport.faults;

import com.google.protobuf.Duration;
import io.grpc.ManagedChannel;
import io.rapport.bench.Report;
import io.rapport.bench.ServerProcess;
import io.rapport.caching.v1.GetOrLeasePredictionResponse;
import io.rapport.caching.v1.GetPredictionResponse;
import io.rapport.caching.v1.Prediction;
import io.rapport.caching.v1.ReadOptions.Consistency;
import io.rapport.tracking.v1.EventServiceGrpc;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;

/**
 * P17: once an invalidation is acknowledged, no read gives what was computed from what was there
 * before; a BOUNDED read may for another 100 ms. Sources change and tell the service so, while
 * others read them, dawdle, and put what they have read. Control: the same without leases.
 */
final class FreshReads implements Promise {
  private static final String ID = "P17";
  private static final int SOURCES = 20;
  private static final int WRITERS = 3;
  private static final int READERS = 4;
  private static final int FILLERS = 5;
  private static final int DAWDLE_MILLIS = 25;
  private static final int REST_MILLIS = 12;
  private static final long HISTORY_NANOS = 1_500_000_000;
  private static final long BOUND_NANOS = 100_000_000;
  private static final long DEADLINE = 10_000;
  private static final Duration LEASE = Predictions.seconds(2);

  /** How what was computed gets into the cache. */
  private enum Filling {
    LEASED,
    BLIND
  }

  /** What came of all histories of a kind. */
  private static final class Tally {
    private final LongAdder changes = new LongAdder();
    private final LongAdder reads = new LongAdder();
    private final LongAdder puts = new LongAdder();
    private final LongAdder refused = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final List<Long> strong = new ArrayList<>();
    private final List<Long> bounded = new ArrayList<>();

    private void add(CachedSource source) {
      strong.addAll(source.history().lags(true));
      bounded.addAll(source.history().lags(false));
    }

    private int strongViolations() {
      return above(strong, 0);
    }

    private int boundedViolations() {
      return above(bounded, BOUND_NANOS);
    }

    private static int above(List<Long> lags, long bound) {
      return (int) lags.stream().filter(lag -> lag > bound).count();
    }

    private static long maxMillis(List<Long> lags) {
      return lags.stream().mapToLong(Long::longValue).max().orElse(0) / 1_000_000;
    }

    private boolean wasPutToTheTest() {
      return !strong.isEmpty() && !bounded.isEmpty() && puts.sum() > 0 && failed.sum() == 0;
    }

    private Verdict.Figures figures(int histories) {
      return Verdict.of(ID)
          .with("histories", histories)
          .with("changes", changes.sum())
          .with("puts", puts.sum())
          .with("late_puts_refused", refused.sum())
          .with("reads", reads.sum())
          .with("strong_hits", strong.size())
          .with("bounded_hits", bounded.size())
          .with("other_endings", failed.sum())
          .with("violations", strongViolations())
          .with("bounded_violations", boundedViolations())
          .with("bounded_behind_ms", maxMillis(bounded));
    }
  }

  @Override
  public List<Verdict> test(Run run) throws Exception {
    try (Victim victim = Victim.serving();
        ServerProcess another = victim.another()) {
      List<ManagedChannel> channels =
          List.of(Victim.channel(victim.port()), Victim.channel(another.port()));
      int histories = run.pick(12, 200);
      Tally leased = histories(run, victim, channels, Filling.LEASED, histories);
      int few = run.pick(4, 20);
      Tally blind = histories(run, victim, channels, Filling.BLIND, few);
      channels.forEach(ManagedChannel::shutdownNow);
      boolean fresh = leased.strongViolations() == 0 && leased.boundedViolations() == 0;
      return List.of(
          leased
              .figures(histories)
              .met(leased.wasPutToTheTest() && leased.refused.sum() > 0 && fresh),
          blind.figures(few).failed(blind.strongViolations() > 0));
    }
  }

  private static Tally histories(
      Run run, Victim victim, List<ManagedChannel> channels, Filling filling, int count)
      throws Exception {
    Tally tally = new Tally();
    for (int i = 0; i < count; i++) {
      UUID tenant = victim.newTenant();
      String token = victim.token(tenant);
      List<Calls> callers =
          channels.stream().map(channel -> new Calls(channel, token, DEADLINE)).toList();
      List<CachedSource> sources = sources(victim, tenant, callers.getFirst());
      new Part(sources, callers, filling, tally, System.nanoTime() + HISTORY_NANOS)
          .play(run, filling + " " + i);
      sources.forEach(tally::add);
    }
    Report.say("  %s: %s", filling, tally.figures(count).met(true).text());
    return tally;
  }

  private static List<CachedSource> sources(Victim victim, UUID tenant, Calls calls)
      throws Exception {
    List<String> names = IntStream.range(0, SOURCES).mapToObj(i -> "user " + i).toList();
    calls.call(EventServiceGrpc.getBatchTrackEventsMethod(), Make.eventsOf(names));
    return victim
        .list("SELECT id FROM identity.users WHERE tenant_id = '" + tenant + "' ORDER BY id")
        .stream()
        .map(CachedSource::new)
        .toList();
  }

  /** One history: who takes part, and until when. */
  private record Part(
      List<CachedSource> sources, List<Calls> callers, Filling filling, Tally tally, long end) {
    private void play(Run run, String name) {
      Threads.each(
          WRITERS + READERS + FILLERS,
          number -> {
            Random random = run.random(ID + name + number);
            Calls calls = callers.get(number % callers.size());
            while (System.nanoTime() < end) {
              act(number, anySource(random), calls, random);
            }
          });
    }

    /** The first more often than the others, so that those who take part meet. */
    private CachedSource anySource(Random random) {
      return sources.get(random.nextInt(1 + random.nextInt(SOURCES)));
    }

    private void act(int number, CachedSource source, Calls calls, Random random) {
      Predictions predictions = new Predictions(calls);
      if (number < WRITERS) {
        change(source, calls, random);
      } else if (number < WRITERS + READERS) {
        read(source, predictions, random);
      } else if (filling == Filling.LEASED) {
        fillUnderLease(source, predictions, random);
      } else {
        fillBlindly(source, predictions, random);
      }
    }

    private void change(CachedSource source, Calls calls, Random random) {
      (source.change(calls, random) ? tally.changes : tally.failed).increment();
      Threads.sleep(random.nextInt(REST_MILLIS));
    }

    private void read(CachedSource source, Predictions predictions, Random random) {
      boolean strong = random.nextBoolean();
      look(source, predictions, strong);
      Threads.sleep(random.nextInt(2));
    }

    /** Whether there is a usable entry. */
    private boolean look(CachedSource source, Predictions predictions, boolean strong) {
      long begun = System.nanoTime();
      Calls.End<GetPredictionResponse> end =
          predictions.get(source.entry().key(), strong ? Consistency.STRONG : Consistency.BOUNDED);
      GetPredictionResponse answer = end.answer();
      if (answer == null) {
        tally.failed.increment();
        return false;
      }
      tally.reads.increment();
      if (answer.getHit()) {
        source.history().hit(Predictions.number(answer.getPrediction()), begun, strong);
      }
      return answer.getHit();
    }

    private void fillUnderLease(CachedSource source, Predictions predictions, Random random) {
      long begun = System.nanoTime();
      GetOrLeasePredictionResponse answer = predictions.tryLease(source.entry(), LEASE).answer();
      if (answer == null) {
        tally.failed.increment();
        return;
      }
      if (answer.hasPrediction()) {
        source.history().hit(Predictions.number(answer.getPrediction()), begun, false);
      }
      if (answer.hasLease()) {
        long computed = compute(source, random);
        count(predictions.putUnder(answer.getLease(), source.entry(), computed));
      }
    }

    private void fillBlindly(CachedSource source, Predictions predictions, Random random) {
      if (!look(source, predictions, true)) {
        count(predictions.putAnyway(source.entry(), compute(source, random)));
      }
    }

    private static long compute(CachedSource source, Random random) {
      long version = source.version();
      Threads.sleep(random.nextInt(DAWDLE_MILLIS));
      return version;
    }

    private void count(Calls.End<Prediction> put) {
      if (put.ok()) {
        tally.puts.increment();
      } else if (put.reason().equals("LEASE_LOST")) {
        tally.refused.increment();
      } else {
        tally.failed.increment();
      }
    }
  }
}
