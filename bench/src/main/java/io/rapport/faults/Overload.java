package io.rapport.faults;

import io.grpc.ManagedChannel;
import io.rapport.bench.Report;
import io.rapport.tracking.v1.CountEventsRequest;
import io.rapport.tracking.v1.CountEventsResponse;
import io.rapport.tracking.v1.EventGrouping;
import io.rapport.tracking.v1.EventServiceGrpc;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * P26: a service that is offered four times what it can do refuses the rest at once, and does as
 * much as before. Control: a server that lets everything in.
 *
 * <p>Calls are counts that keep the database busy, so that those who make them, on the same
 * machine, take little of it.
 */
final class Overload implements Promise {
  private static final String ID = "P26";
  private static final int TENANTS = 8;
  private static final int BATCHES = 1;
  private static final int EVENTS = 10_000;
  private static final int UNDER_WAY = 96;
  private static final int MOST_ROUNDS = 8;
  private static final double STILL_FASTER = 1.1;
  private static final int MANY_TIMES = 4;
  private static final double CALM_RATE = 1000;
  private static final double LEAST_GOODPUT = 0.8;
  private static final double MOST_SLOWER = 2;
  private static final double MOST_REFUSAL_MILLIS = 10;

  /** How many calls, for each that is refused at once, may first wait for a connection. */
  private static final double MOST_IN_VAIN = 0.1;

  private static final double MOST_RECOVERY_SECONDS = 5;
  private static final long PATIENCE = 30_000;
  private static final int CALM_CALLS = 20;
  private static final CountEventsRequest REQUEST =
      CountEventsRequest.newBuilder()
          .addGroupBy(EventGrouping.newBuilder().setEventType(true))
          .build();

  /** What a server showed at its capacity, and beyond it. */
  private record Seen(Arrivals full, Arrivals over, Arrivals waiting, double recovery) {
    private double goodput() {
      return over.answersPerSecond() / full.answersPerSecond();
    }

    private double slower() {
      return over.acceptedMillis(99) / full.acceptedMillis(99);
    }

    private boolean isInBounds() {
      return goodput() >= LEAST_GOODPUT
          && slower() <= MOST_SLOWER
          && over.saturated() <= over.refused() * MOST_IN_VAIN
          && over.others() == 0
          && waiting.refused() > 0
          && waiting.refusedMillis(99) <= MOST_REFUSAL_MILLIS
          && recovery <= MOST_RECOVERY_SECONDS;
    }

    private Verdict.Figures figures() {
      return Verdict.of(ID)
          .with("capacity", "%.0f".formatted(full.answersPerSecond()))
          .with("p99_at_capacity_ms", "%.0f".formatted(full.acceptedMillis(99)))
          .with("goodput_ratio", "%.2f".formatted(goodput()))
          .with("p99_accepted_ratio", "%.2f".formatted(slower()))
          .with("refused", over.refused())
          .with("refusal_ms_p50", "%.1f".formatted(over.refusedMillis(50)))
          .with("refusal_ms_p99", "%.1f".formatted(over.refusedMillis(99)))
          .with("refusal_ms_p99_while_all_wait", "%.1f".formatted(waiting.refusedMillis(99)))
          .with("without_connection", over.saturated())
          .with("other_endings", over.others())
          .with("unsent", over.unsent())
          .with("recovery_s", "%.1f".formatted(recovery));
    }
  }

  @Override
  public List<Verdict> test(Run run) throws Exception {
    long millis = run.pick(3_000, 20_000);
    try (Victim victim = Victim.open()) {
      letDatabaseGiveWay(victim);
      victim.start();
      List<UUID> tenants = new ArrayList<>();
      for (int i = 0; i < TENANTS; i++) {
        tenants.add(victim.newTenant());
      }
      fill(victim, tenants);
      Seen limited = see(victim, tenants, millis);
      victim.set("RAPPORT_MAX_CALLS", "100000");
      victim.server().kill();
      victim.start();
      Seen unlimited = see(victim, tenants, millis);
      return List.of(
          limited.figures().met(limited.isInBounds()),
          unlimited.figures().failed(!unlimited.isInBounds()));
    }
  }

  private static Seen see(Victim victim, List<UUID> tenants, long millis) throws Exception {
    try (Crowd crowd = new Crowd(victim, tenants)) {
      crowd.offer(crowd.full(millis / 2).answersPerSecond() * MANY_TIMES, millis / 2).awaitEnds();
      Arrivals full = crowd.full(millis / 2);
      Arrivals over = crowd.offer(full.answersPerSecond() * MANY_TIMES, millis);
      double recovery = crowd.recoverySeconds(full.acceptedMillis(99));
      over.awaitEnds();
      Report.say("  %d times as many: %s", MANY_TIMES, over);
      return new Seen(full, over, whileAllWait(victim, crowd, millis / 2), recovery);
    }
  }

  /** Calls while those that are let in wait for a lock, so that the processors have time. */
  private static Arrivals whileAllWait(Victim victim, Crowd crowd, long millis) throws Exception {
    try (Connection admin = victim.connect();
        Statement statement = admin.createStatement()) {
      admin.setAutoCommit(false);
      statement.execute("LOCK TABLE tracking.behavioral_events IN ACCESS EXCLUSIVE MODE");
      Arrivals waiting = crowd.offer(CALM_RATE, millis);
      waiting.awaitEnds();
      admin.rollback();
      Report.say("  while all wait: %s", waiting);
      return waiting;
    }
  }

  /** As if it had a machine of its own: what the service does first, it does at once. */
  private static void letDatabaseGiveWay(Victim victim) throws Exception {
    try (Connection admin = victim.connect();
        Statement statement = admin.createStatement();
        ResultSet rows = statement.executeQuery("SELECT pg_backend_pid()")) {
      rows.next();
      long postmaster =
          ProcessHandle.of(rows.getLong(1)).flatMap(ProcessHandle::parent).orElseThrow().pid();
      Process renice =
          new ProcessBuilder("renice", "-n", "10", "-p", String.valueOf(postmaster))
              .redirectErrorStream(true)
              .start();
      renice.getInputStream().readAllBytes();
      if (renice.waitFor() != 0) {
        throw new IllegalStateException("the priority of PostgreSQL can't be changed");
      }
    }
  }

  private static void fill(Victim victim, List<UUID> tenants) throws Exception {
    ManagedChannel channel = Victim.channel(victim.port());
    for (UUID tenant : tenants) {
      Calls calls = new Calls(channel, victim.token(tenant), PATIENCE);
      for (int i = 0; i < BATCHES; i++) {
        calls.untilAnswered(
            EventServiceGrpc.getBatchTrackEventsMethod(),
            Make.batch(Stream.generate(() -> Make.event("ada")).limit(EVENTS).toList()),
            PATIENCE);
      }
    }
    channel.shutdownNow();
    victim.execute("VACUUM ANALYZE");
  }

  /** Callers of all tenants. */
  private static final class Crowd implements AutoCloseable {
    private final List<AsyncCalls<CountEventsRequest, CountEventsResponse>> callers =
        new ArrayList<>();
    private final ManagedChannel channel;
    private final Calls one;

    private Crowd(Victim victim, List<UUID> tenants) throws Exception {
      for (UUID tenant : tenants) {
        callers.add(
            new AsyncCalls<>(
                victim.port(),
                victim.token(tenant),
                EventServiceGrpc.getCountEventsMethod(),
                REQUEST));
      }
      channel = Victim.channel(victim.port());
      one = new Calls(channel, victim.token(tenants.getFirst()), PATIENCE);
    }

    /** As many calls as are answered when it no longer gets faster. */
    private Arrivals full(long millis) throws InterruptedException {
      Arrivals best = Arrivals.closed(callers, UNDER_WAY, millis);
      Report.say("  %d under way: %s", UNDER_WAY, best);
      for (int i = 0; i < MOST_ROUNDS; i++) {
        Arrivals next = Arrivals.closed(callers, UNDER_WAY, millis);
        Report.say("  %d under way: %s", UNDER_WAY, next);
        if (next.answersPerSecond() < best.answersPerSecond() * STILL_FASTER) {
          return next.answersPerSecond() > best.answersPerSecond() ? next : best;
        }
        best = next;
      }
      return best;
    }

    private Arrivals offer(double perSecond, long millis) {
      return Arrivals.open(callers, perSecond, millis);
    }

    /** After how long single calls are answered again, one after the other, as at capacity. */
    private double recoverySeconds(double millis) {
      long start = System.nanoTime();
      int calm = 0;
      while (calm < CALM_CALLS && Threads.millisSince(start) < PATIENCE) {
        long began = System.nanoTime();
        boolean ok = one.call(EventServiceGrpc.getCountEventsMethod(), REQUEST).ok();
        calm = ok && Threads.millisSince(began) <= millis ? calm + 1 : 0;
      }
      return Threads.millisSince(start) / 1000.0;
    }

    @Override
    public void close() {
      callers.forEach(AsyncCalls::close);
      channel.shutdownNow();
    }
  }
}
