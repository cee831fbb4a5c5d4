package io.rapport.faults;

import io.grpc.ManagedChannel;
import io.rapport.bench.Report;
import io.rapport.tracking.v1.CountEventsRequest;
import io.rapport.tracking.v1.EventServiceGrpc;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * P28: without its database the service fails fast, and heals by itself: whether it is gone, hung
 * or unreachable. Control: a driver with its defaults.
 */
final class LostDatabase implements Promise {
  private static final String ID = "P28";
  private static final int CALLERS = 8;
  private static final long DEADLINE = 20_000;
  private static final long MOST_MILLIS = 2000;
  private static final long HEAL_MILLIS = 5000;
  private static final long CONTROL_MILLIS = 10_000;

  /** How the database is lost, and found again. */
  private interface Loss {
    void begin() throws Exception;

    void end() throws Exception;
  }

  private static final class Seen {
    private final List<Long> errors = new ArrayList<>();
    private long slowestHeal;
    private int hung;
    private int ok;
  }

  @Override
  public List<Verdict> test(Run run) throws Exception {
    int rounds = run.pick(1, 5);
    try (Victim victim = Victim.open();
        TcpProxy proxy = new TcpProxy(victim.database().port())) {
      victim.databaseBehind(proxy).start();
      Seen seen = new Seen();
      UUID tenant = victim.newTenant();
      ManagedChannel channel = Victim.channel(victim.port());
      Calls calls = new Calls(channel, victim.token(tenant), DEADLINE);
      for (int round = 0; round < rounds; round++) {
        lose("unreachable", calls, seen, unreachable(proxy));
        lose("black hole", calls, seen, blackHole(proxy));
        lose("frozen", calls, seen, frozen(victim));
        lose("killed", calls, seen, killed(victim));
      }
      channel.shutdownNow();
      seen.errors.sort(Long::compare);
      long p99 = seen.errors.get((int) (seen.errors.size() * 0.99));
      Verdict verdict =
          Verdict.of(ID)
              .with("losses", rounds * 4)
              .with("errors", seen.errors.size())
              .with("answers_without_database", seen.ok)
              .with("error_ms_median", seen.errors.get(seen.errors.size() / 2))
              .with("error_ms_p99", p99)
              .with("heal_ms", seen.slowestHeal)
              .with("hung_calls", seen.hung)
              .met(p99 <= MOST_MILLIS && seen.slowestHeal <= HEAL_MILLIS && seen.hung == 0);
      return List.of(verdict, control(victim));
    }
  }

  private static Loss unreachable(TcpProxy proxy) {
    return new Loss() {
      @Override
      public void begin() throws Exception {
        proxy.vanish();
      }

      @Override
      public void end() throws Exception {
        proxy.comeBack();
      }
    };
  }

  private static Loss blackHole(TcpProxy proxy) {
    return new Loss() {
      @Override
      public void begin() {
        proxy.hang();
      }

      @Override
      public void end() throws Exception {
        proxy.vanish();
        proxy.comeBack();
      }
    };
  }

  private static Loss frozen(Victim victim) {
    return new Loss() {
      @Override
      public void begin() throws Exception {
        victim.postgres().freeze();
      }

      @Override
      public void end() throws Exception {
        victim.postgres().thaw();
      }
    };
  }

  private static Loss killed(Victim victim) {
    return new Loss() {
      @Override
      public void begin() throws Exception {
        victim.postgres().kill();
      }

      @Override
      public void end() throws Exception {
        victim.postgres().restart();
      }
    };
  }

  private static void lose(String how, Calls calls, Seen seen, Loss loss) throws Exception {
    if (Threads.await(DEADLINE, () -> count(calls).ok()) < 0) {
      throw new IllegalStateException("not healthy before: " + how);
    }
    loss.begin();
    AtomicInteger open = new AtomicInteger();
    List<CompletableFuture<Void>> callers = new ArrayList<>();
    for (int i = 0; i < CALLERS; i++) {
      callers.add(Threads.start(() -> call(calls, seen, open)));
    }
    callers.forEach(CompletableFuture::join);
    seen.hung += open.get();
    loss.end();
    long start = System.nanoTime();
    long healed = Threads.await(DEADLINE, () -> count(calls).ok());
    long heal = healed < 0 ? DEADLINE : Threads.millisSince(start);
    seen.slowestHeal = Math.max(seen.slowestHeal, heal);
    Report.say("  %s: healed after %d ms", how, heal);
  }

  private static Boolean call(Calls calls, Seen seen, AtomicInteger open) {
    for (int i = 0; i < 5; i++) {
      open.incrementAndGet();
      long start = System.nanoTime();
      boolean ok = count(calls).ok();
      long took = Threads.millisSince(start);
      if (took < DEADLINE) {
        open.decrementAndGet();
      }
      synchronized (seen) {
        seen.ok += ok ? 1 : 0;
        seen.errors.add(took);
      }
    }
    return true;
  }

  private static Calls.End<?> count(Calls calls) {
    return calls.call(
        EventServiceGrpc.getCountEventsMethod(), CountEventsRequest.getDefaultInstance());
  }

  private static Verdict control(Victim victim) throws Exception {
    Connection connection = victim.connect();
    victim.postgres().freeze();
    long start = System.nanoTime();
    CompletableFuture<Void> query = Threads.start(() -> read(connection));
    boolean hung = Threads.await(CONTROL_MILLIS, query::isDone) < 0;
    long took = Threads.millisSince(start);
    victim.postgres().thaw();
    query.join();
    connection.close();
    return Verdict.of(ID).with("error_ms", hung ? ">" + CONTROL_MILLIS : took).failed(hung);
  }

  private static Boolean read(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      return statement.execute("SELECT 1");
    }
  }
}
