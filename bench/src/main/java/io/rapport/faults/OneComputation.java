package io.rapport.faults;

import com.google.protobuf.Duration;
import io.grpc.ManagedChannel;
import io.rapport.bench.Report;
import io.rapport.bench.ServerProcess;
import io.rapport.caching.v1.GetOrLeasePredictionResponse;
import io.rapport.caching.v1.GetPredictionResponse;
import io.rapport.caching.v1.Lease;
import io.rapport.caching.v1.ReadOptions.Consistency;
import io.rapport.platform.Times;
import io.rapport.tracking.v1.EventServiceGrpc;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * P18: what 200 callers of two servers miss at the same time is computed by one of them, and the
 * others get its value; if that one dies, another takes its place when the lease is over, and what
 * the dead one still puts is refused. Control: callers that compute whatever they miss.
 */
final class OneComputation implements Promise {
  private static final String ID = "P18";
  private static final int CALLERS = 200;
  private static final int HEIRS = 20;
  private static final long COMPUTING_MILLIS = 50;
  private static final long DEADLINE = 20_000;
  private static final long GRACE_MILLIS = 100;
  private static final Duration LEASE = Predictions.seconds(15);
  private static final Duration SHORT_LEASE = Predictions.seconds(1);
  private static final int VALUE = 7;

  /** Gets a value, and computes it if need be. */
  private interface Caller {
    void call(Predictions predictions, Predictions.Entry entry, Misses misses);
  }

  /** What came of many misses. */
  private static final class Misses {
    private final List<Integer> computed = new ArrayList<>();
    private final AtomicInteger computing = new AtomicInteger();
    private final AtomicBoolean told = new AtomicBoolean();
    private final LongAdder hits = new LongAdder();
    private final LongAdder failed = new LongAdder();

    private void compute() {
      computing.incrementAndGet();
      Threads.sleep(COMPUTING_MILLIS);
    }

    private void count(boolean hit) {
      (hit ? hits : failed).increment();
    }

    private void tellStrange(Calls.End<?> end) {
      if (!end.ok() && !told.getAndSet(true)) {
        Report.say("  a caller was told: %s", end);
      }
    }

    private void endRound() {
      computed.add(computing.getAndSet(0));
    }

    private int most() {
      return Collections.max(computed);
    }

    private Verdict.Figures figures() {
      return Verdict.of(ID)
          .with("misses", computed.size())
          .with("callers", CALLERS)
          .with("computes_per_miss", most())
          .with("hits", hits.sum())
          .with("other_endings", failed.sum());
    }
  }

  /**
   * What came of holders that died.
   *
   * @param overdueMillis from the end of each lease until another caller knew that it has it
   */
  private record Takeovers(
      List<Long> overdueMillis, int early, int heirs, int latePuts, int latePutsRefused) {
    private static final Takeovers NONE = new Takeovers(List.of(), 0, 0, 0, 0);

    private Takeovers plus(Takeovers more) {
      List<Long> all = new ArrayList<>(overdueMillis);
      all.addAll(more.overdueMillis);
      return new Takeovers(
          all,
          early + more.early,
          heirs + more.heirs,
          latePuts + more.latePuts,
          latePutsRefused + more.latePutsRefused);
    }

    private long longest() {
      return overdueMillis.isEmpty() ? Long.MAX_VALUE : Collections.max(overdueMillis);
    }
  }

  /** Where the callers are. */
  private record Place(Victim victim, List<ManagedChannel> channels) {
    private Predictions predictions(int number, String token) {
      return new Predictions(new Calls(channels.get(number % 2), token, DEADLINE));
    }

    /** The user of a tenant of its own. */
    private String user(UUID tenant, String token) throws Exception {
      predictions(0, token)
          .calls()
          .call(EventServiceGrpc.getTrackEventMethod(), Make.track(Make.event("ada")));
      return victim.userOf(tenant, "ada");
    }
  }

  @Override
  public List<Verdict> test(Run run) throws Exception {
    try (Victim victim = victim();
        ServerProcess another = victim.another()) {
      Place place =
          new Place(victim, List.of(Victim.channel(victim.port()), Victim.channel(another.port())));
      UUID tenant = victim.newTenant();
      String token = victim.token(tenant);
      String user = place.user(tenant, token);
      Misses leased = misses(place, token, user, run.pick(6, 60), OneComputation::getOrLease);
      Takeovers takeovers = Takeovers.NONE;
      for (int i = 0; i < run.pick(4, 30); i++) {
        takeovers = takeovers.plus(takeover(place, token, entry(user, "dead " + i)));
      }
      Misses blind = misses(place, token, user, run.pick(2, 5), OneComputation::getThenPut);
      place.channels().forEach(ManagedChannel::shutdownNow);
      return List.of(verdict(leased, takeovers), blind.figures().failed(blind.most() > 1));
    }
  }

  private static Victim victim() throws Exception {
    Victim victim = Victim.open();
    victim.start();
    return victim;
  }

  private static Verdict verdict(Misses leased, Takeovers takeovers) {
    boolean one = leased.most() == 1 && Collections.min(leased.computed) == 1;
    boolean taken =
        takeovers.longest() <= GRACE_MILLIS
            && takeovers.early() == 0
            && takeovers.heirs() == takeovers.overdueMillis().size();
    return leased
        .figures()
        .with("dead_holders", takeovers.overdueMillis().size())
        .with("heirs", takeovers.heirs())
        .with("lease_ms", 1_000 * SHORT_LEASE.getSeconds())
        .with("takeover_ms", 1_000 * SHORT_LEASE.getSeconds() + takeovers.longest())
        .with("before_the_end", takeovers.early())
        .with("late_puts", takeovers.latePuts())
        .with("late_puts_refused", takeovers.latePutsRefused())
        .met(
            one
                && taken
                && leased.failed.sum() == 0
                && takeovers.latePuts() == takeovers.latePutsRefused());
  }

  private static Predictions.Entry entry(String user, String name) {
    return Predictions.Entry.of(Predictions.keyOf(user).toBuilder().setName(name).build());
  }

  private static Misses misses(Place place, String token, String user, int rounds, Caller caller) {
    Misses misses = new Misses();
    for (int round = 0; round < rounds; round++) {
      Predictions.Entry entry = entry(user, Make.id());
      CyclicBarrier barrier = new CyclicBarrier(CALLERS);
      Threads.each(
          CALLERS,
          number -> {
            Threads.meet(barrier);
            caller.call(place.predictions(number, token), entry, misses);
          });
      misses.endRound();
    }
    Report.say("  computed for each miss: %s", misses.computed);
    return misses;
  }

  private static void getOrLease(Predictions predictions, Predictions.Entry entry, Misses misses) {
    Calls.End<GetOrLeasePredictionResponse> end = predictions.getOrLease(entry, LEASE);
    GetOrLeasePredictionResponse answer = end.answer();
    if (answer == null || answer.getOutcome() != Lease.Outcome.COMPUTE) {
      misses.tellStrange(end);
      misses.count(answer != null && isRight(answer));
      return;
    }
    misses.compute();
    misses.count(predictions.putUnder(answer.getLease(), entry, VALUE).ok());
  }

  private static boolean isRight(GetOrLeasePredictionResponse answer) {
    return answer.getOutcome() == Lease.Outcome.HIT
        && Predictions.number(answer.getPrediction()) == VALUE;
  }

  private static void getThenPut(Predictions predictions, Predictions.Entry entry, Misses misses) {
    GetPredictionResponse answer = predictions.get(entry.key(), Consistency.STRONG).answer();
    if (answer == null || answer.getHit()) {
      misses.count(answer != null);
      return;
    }
    misses.compute();
    misses.count(predictions.putAnyway(entry, VALUE).ok());
  }

  /** A holder that never puts in time, and others who wait for it. */
  private static Takeovers takeover(Place place, String token, Predictions.Entry entry) {
    Lease dead = lease(place.predictions(0, token).getOrLease(entry, SHORT_LEASE));
    long ends = Times.instant(dead.getExpiresAt()).toEpochMilli();
    List<Long> overdue = Collections.synchronizedList(new ArrayList<>());
    LongAdder refused = new LongAdder();
    Threads.each(
        HEIRS,
        number -> {
          Predictions predictions = place.predictions(number, token);
          GetOrLeasePredictionResponse answer = predictions.getOrLease(entry, LEASE).answer();
          if (answer != null && answer.hasLease()) {
            overdue.add(System.currentTimeMillis() - ends);
            refused.add(isRefused(predictions, dead, entry) ? 1 : 0);
            predictions.putUnder(answer.getLease(), entry, VALUE);
            refused.add(isRefused(predictions, dead, entry) ? 1 : 0);
          }
        });
    Report.say("  taken over %s ms after the end of the lease", overdue);
    int early = (int) overdue.stream().filter(it -> it < 0).count();
    List<Long> first = List.of(overdue.stream().min(Long::compare).orElse(Long.MAX_VALUE));
    return new Takeovers(
        first, early, overdue.size(), 2 * Math.max(1, overdue.size()), refused.intValue());
  }

  private static Lease lease(Calls.End<GetOrLeasePredictionResponse> end) {
    GetOrLeasePredictionResponse answer = end.answer();
    if (answer == null || !answer.hasLease()) {
      throw new IllegalStateException("no lease was given: " + end);
    }
    return answer.getLease();
  }

  private static boolean isRefused(Predictions predictions, Lease lease, Predictions.Entry entry) {
    return predictions.putUnder(lease, entry, -VALUE).reason().equals("LEASE_LOST");
  }
}
