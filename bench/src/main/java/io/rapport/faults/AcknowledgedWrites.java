package io.rapport.faults;

import com.nimbusds.jose.JOSEException;
import io.rapport.bench.Report;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/**
 * P1: what was acknowledged outlives {@code kill -9} of the server and of PostgreSQL, and what was
 * refused never appears. Control: a PostgreSQL that acknowledges before it has written.
 */
final class AcknowledgedWrites implements Promise {
  private static final String ID = "P1";
  private static final int CLIENTS = 8;
  private static final int TENANTS = 4;
  private static final int LOAD_MILLIS = 700;
  private static final int MORE_MILLIS = 1300;
  private static final long MOST_RECOVERY_MILLIS = 5000;

  /** What is killed. */
  private enum Kill {
    SERVER,
    POSTGRES
  }

  private record Seen(History history, Audit audit, List<Long> recoveries, int kills) {
    long slowestRecovery() {
      return recoveries.stream().mapToLong(Long::longValue).max().orElse(0);
    }

    boolean recovered() {
      return recoveries.stream().noneMatch(it -> it < 0);
    }

    Verdict.Figures figures() {
      return Verdict.of(ID)
          .with("kills", kills)
          .with("acked", history.count(Outcome.OK))
          .with("lost_acked", audit.lost().size())
          .with("refused", history.count(Outcome.REFUSED))
          .with("refused_but_present", audit.refusedButPresent().size())
          .with("unknown", audit.unknown())
          .with("unknown_present", audit.unknownPresent())
          .with("duplicated", audit.duplicated().size())
          .with("strange", audit.strange().size())
          .with("recovery_ms_median", median(recoveries))
          .with("recovery_ms", slowestRecovery())
          .with(
              "load",
              "%.1f"
                  .formatted(ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage()));
    }
  }

  @Override
  public List<Verdict> test(Run run) throws Exception {
    int kills = run.pick(4, 24);
    long acked = run.pick(1000, 50_000);
    Seen seen = see(run, kills, false);
    Report.say("  %s", seen.history().doneByRpc());
    Verdict verdict =
        seen.figures()
            .met(
                seen.audit().clean()
                    && seen.history().count(Outcome.OK) >= acked
                    && seen.recovered()
                    && seen.slowestRecovery() <= MOST_RECOVERY_MILLIS);
    Seen broken = see(run, run.pick(3, 6), true);
    Verdict control =
        broken.figures().with("synchronous_commit", "off").failed(!broken.audit().lost().isEmpty());
    return List.of(verdict, control);
  }

  private static Seen see(Run run, int kills, boolean careless) throws Exception {
    try (Victim victim = Victim.open()) {
      if (careless) {
        victim.execute("ALTER SYSTEM SET synchronous_commit = off");
        victim.execute("SELECT pg_reload_conf()");
      }
      victim.start();
      History history = new History();
      List<WriteLoad> clients = clients(victim, run, history);
      List<Thread> threads = clients.stream().map(it -> Thread.ofPlatform().start(it)).toList();
      List<Long> killed = kill(victim, run.random("kills"), kills, careless);
      TimeUnit.MILLISECONDS.sleep(LOAD_MILLIS + MORE_MILLIS);
      clients.forEach(WriteLoad::stop);
      for (Thread thread : threads) {
        thread.join();
      }
      Map<String, Integer> there = readBack(clients);
      clients.forEach(WriteLoad::close);
      List<Long> recoveries = killed.stream().map(history::recoveryMillis).toList();
      return new Seen(history, Audit.of(history, there), recoveries, kills);
    }
  }

  private static List<WriteLoad> clients(Victim victim, Run run, History history)
      throws SQLException, JOSEException {
    List<UUID> tenants = new ArrayList<>();
    for (int i = 0; i < TENANTS; i++) {
      tenants.add(victim.newTenant());
    }
    List<WriteLoad> clients = new ArrayList<>();
    for (int i = 0; i < CLIENTS; i++) {
      WriteLoad client =
          new WriteLoad(
              i,
              victim.client(victim.port(), tenants.get(i % TENANTS)),
              run.random("client " + i),
              history);
      client.prepare();
      clients.add(client);
    }
    return clients;
  }

  /** Returns when each kill was. */
  private static List<Long> kill(Victim victim, Random random, int kills, boolean careless)
      throws IOException, InterruptedException {
    List<Long> killed = new ArrayList<>();
    for (int i = 1; i <= kills; i++) {
      TimeUnit.MILLISECONDS.sleep(LOAD_MILLIS + random.nextInt(MORE_MILLIS));
      Kill what = careless || random.nextBoolean() ? Kill.POSTGRES : Kill.SERVER;
      killed.add(System.nanoTime());
      if (what == Kill.SERVER) {
        victim.server().kill();
        victim.start();
      } else {
        victim.postgres().kill();
        victim.postgres().restart();
      }
      Report.say("  kill %d of %d: %s", i, kills, what);
      TimeUnit.MILLISECONDS.sleep(LOAD_MILLIS);
    }
    return killed;
  }

  private static Map<String, Integer> readBack(List<WriteLoad> clients) {
    Map<String, Integer> there = new HashMap<>();
    for (int i = 0; i < CLIENTS; i++) {
      if (i < TENANTS) {
        there.putAll(clients.get(i).readBack());
      }
      there.putAll(clients.get(i).readLinks());
    }
    there.putAll(clients.getFirst().readTenants());
    return there;
  }

  private static long median(List<Long> values) {
    return values.stream().sorted().skip(values.size() / 2).findFirst().orElse(0L);
  }
}
