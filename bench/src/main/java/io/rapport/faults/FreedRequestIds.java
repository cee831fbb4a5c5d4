package io.rapport.faults;

import io.rapport.bench.ServerProcess;
import io.rapport.db.Role;
import io.rapport.faults.NamedWrites.Told;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * P10: a request id can't be held for ever by one that is gone: it is free as soon as its holder is
 * killed, and what is swept meanwhile brings nothing back. Control: a service that reserves ids by
 * a commit of their own.
 */
final class FreedRequestIds implements Promise {
  private static final String ID = "P10";
  private static final long FREED_MILLIS = 2000;
  private static final List<String> POINTS = List.of("idem.afterReserve", "tx.beforeCommit");

  /** As an operator would forget what is older than it has to be kept. */
  private static final String SWEEP =
      "DELETE FROM platform.requests WHERE created_at < now() - interval '7 days'";

  @Override
  public List<Verdict> test(Run run) throws Exception {
    try (Victim victim = Victim.serving();
        ServiceWrites writes = ServiceWrites.of(victim, victim.newTenant());
        StandIn reserving = new StandIn(victim, StandIn.Fault.RESERVES_FOR_EVER)) {
      return List.of(service(victim, writes, run.pick(1, 10)), control(reserving));
    }
  }

  private static Verdict service(Victim victim, ServiceWrites writes, int rounds) throws Exception {
    int stuck = 0;
    int wrong = 0;
    long slowest = 0;
    AtomicBoolean done = new AtomicBoolean();
    Thread sweeper = Thread.ofVirtual().start(() -> sweep(victim, done));
    for (int round = 0; round < rounds; round++) {
      for (String point : POINTS) {
        String key = "held " + round + " " + point;
        String id = Make.id();
        writes.prepare(List.of(key));
        kill(victim, writes, point, id, key);
        long start = System.nanoTime();
        Told told = writes.call(id, key);
        long took = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
        slowest = Math.max(slowest, took);
        stuck += told.ok() && took <= FREED_MILLIS ? 0 : 1;
        boolean same = writes.call(id, key).equals(told);
        wrong += same && writes.effects().getOrDefault(key, 0) == 1 ? 0 : 1;
      }
    }
    done.set(true);
    sweeper.join();
    return Verdict.of(ID)
        .with("killed_holders", rounds * POINTS.size())
        .with("stuck_keys", stuck)
        .with("wrong_outcome", wrong)
        .with("freed_ms", slowest)
        .met(stuck == 0 && wrong == 0);
  }

  /** Has a server hold the id until it is killed. */
  private static void kill(Victim victim, ServiceWrites writes, String point, String id, String key)
      throws Exception {
    try (ServerProcess holder = victim.anotherWith(point + "=sleep:60000");
        ServiceWrites toIt = writes.at(holder.port())) {
      Thread call = Thread.startVirtualThread(() -> toIt.callOnce(id, key));
      while (victim.number(
              "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
                  + " AND usename = 'rapport_server'")
          == 0) {
        TimeUnit.MILLISECONDS.sleep(5);
      }
      holder.kill();
      call.join();
    }
  }

  private static void sweep(Victim victim, AtomicBoolean done) {
    try (Connection system = Victim.connect(victim.database().as(Role.SYSTEM));
        Statement statement = system.createStatement()) {
      while (!done.get()) {
        statement.execute(SWEEP);
        TimeUnit.MILLISECONDS.sleep(2);
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static Verdict control(StandIn reserving) throws SQLException {
    String id = Make.id();
    reserving.die(true);
    reserving.call(id, "held");
    reserving.die(false);
    boolean stuck = !reserving.call(id, "held").ok();
    Map<String, Integer> effects = reserving.effects();
    return Verdict.of(ID)
        .with("killed_holders", 1)
        .with("stuck_keys", stuck ? 1 : 0)
        .with("effects", effects.getOrDefault("held", 0))
        .failed(stuck);
  }
}
