package io.rapport.faults;

import io.grpc.ManagedChannel;
import io.rapport.bench.Report;
import io.rapport.identity.v1.TenantServiceGrpc;
import io.rapport.identity.v1.UserServiceGrpc;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventServiceGrpc;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

/**
 * P4: a deadline or a cancel never turns a commit that no standby has into OK. The standby that
 * commits wait for doesn't answer, so whatever is OK would be lost if it were promoted. Control: a
 * client that reads no warnings.
 */
final class StalledStandby implements Promise {
  private static final String ID = "P4";
  private static final long DEADLINE = 1500;
  private static final long PATIENCE = 60_000;
  private static final long CANCEL_AFTER = 100;
  private static final int COPIED = 250;

  private static final String WAITING =
      "FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND usename LIKE 'rapport_%'";

  @Override
  public List<Verdict> test(Run run) throws Exception {
    try (Victim victim = Victim.serving()) {
      return List.of(service(victim, run.pick(3, 40)), control(victim, run.pick(5, 40)));
    }
  }

  private static Verdict service(Victim victim, int rounds) throws Exception {
    UUID tenant = victim.newTenant();
    ManagedChannel channel = Victim.channel(victim.port());
    Calls calls = new Calls(channel, victim.token(tenant), DEADLINE);
    calls.untilAnswered(
        EventServiceGrpc.getTrackEventMethod(), Make.track(Make.event("ada")), PATIENCE);
    String ada = victim.userOf(tenant, "ada");
    Map<String, Integer> falselyOk = new TreeMap<>();
    Map<String, Integer> repeatedOk = new TreeMap<>();
    int count = 0;
    stall(victim, true);
    AtomicBoolean done = new AtomicBoolean();
    var canceller = Threads.start(() -> cancel(victim, done));
    for (int round = 0; round < rounds; round++) {
      for (Map.Entry<String, Callable<Outcome>> write : writes(calls, ada).entrySet()) {
        count++;
        falselyOk.merge(write.getKey(), ok(write.getValue()), Integer::sum);
        repeatedOk.merge(write.getKey(), ok(write.getValue()), Integer::sum);
      }
    }
    done.set(true);
    canceller.join();
    stall(victim, false);
    channel.shutdownNow();
    Report.say("  falsely ok: %s; when repeated: %s", falselyOk, repeatedOk);
    int wrong = sum(falselyOk);
    return Verdict.of(ID)
        .with("calls", count)
        .with("false_ok", wrong)
        .with("false_ok_when_repeated", sum(repeatedOk))
        .met(wrong + sum(repeatedOk) == 0);
  }

  private static int ok(Callable<Outcome> write) throws Exception {
    return write.call() == Outcome.OK ? 1 : 0;
  }

  private static int sum(Map<String, Integer> counts) {
    return counts.values().stream().mapToInt(Integer::intValue).sum();
  }

  /** The same requests each time that they are called. */
  private static Map<String, Callable<Outcome>> writes(Calls calls, String user) {
    Event event = Make.event("ada");
    List<Event> few = Stream.generate(() -> Make.event("ada")).limit(5).toList();
    List<Event> many = Stream.generate(() -> Make.event("ada")).limit(COPIED).toList();
    var link = Make.link(Make.id(), user, "link " + Make.id());
    var tenant = Make.tenant(Make.id(), "", "tenant " + Make.id());
    var batch = EventServiceGrpc.getBatchTrackEventsMethod();
    Map<String, Callable<Outcome>> writes = new TreeMap<>();
    writes.put(
        "TrackEvent",
        () -> calls.call(EventServiceGrpc.getTrackEventMethod(), Make.track(event)).outcome());
    writes.put("BatchTrackEvents", () -> calls.call(batch, Make.batch(few)).outcome());
    writes.put("BatchTrackEvents by COPY", () -> calls.call(batch, Make.batch(many)).outcome());
    writes.put(
        "LinkIdentity", () -> calls.call(UserServiceGrpc.getLinkIdentityMethod(), link).outcome());
    writes.put(
        "CreateTenant",
        () -> calls.call(TenantServiceGrpc.getCreateTenantMethod(), tenant).outcome());
    return writes;
  }

  private static void stall(Victim victim, boolean stalled) throws SQLException {
    victim.execute(
        "ALTER SYSTEM SET synchronous_standby_names = '" + (stalled ? "nobody" : "") + "'");
    victim.execute("SELECT pg_reload_conf()");
    Threads.sleep(CANCEL_AFTER);
  }

  /** Breaks off every commit that has waited for a while. */
  private static Boolean cancel(Victim victim, AtomicBoolean done) throws SQLException {
    try (Connection admin = victim.connect();
        Statement statement = admin.createStatement()) {
      while (!done.get()) {
        statement.execute("SELECT pg_cancel_backend(pid) " + WAITING);
        Threads.sleep(CANCEL_AFTER);
      }
    }
    return true;
  }

  private static Verdict control(Victim victim, int rounds) throws Exception {
    victim.execute("CREATE TABLE public.heedless (key text)");
    stall(victim, true);
    List<Boolean> ok = new ArrayList<>();
    for (int i = 0; i < rounds; i++) {
      ok.add(insertHeedlessly(victim));
    }
    stall(victim, false);
    long wrong = ok.stream().filter(it -> it).count();
    return Verdict.of(ID).with("calls", rounds).with("false_ok", wrong).failed(wrong > 0);
  }

  private static boolean insertHeedlessly(Victim victim) throws Exception {
    try (Connection connection = victim.connect();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("INSERT INTO public.heedless VALUES ('x')");
      var canceller =
          Threads.start(() -> {
            Threads.await(
                DEADLINE,
                () ->
                    victim.number(
                            "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity"
                                + " WHERE wait_event = 'SyncRep'")
                        > 0);
            return true;
          });
      connection.commit();
      canceller.join();
      return true;
    } catch (SQLException e) {
      return false;
    }
  }
}
