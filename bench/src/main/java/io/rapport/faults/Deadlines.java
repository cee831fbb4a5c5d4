package io.rapport.faults;

import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.rapport.tracking.v1.CountEventsRequest;
import io.rapport.tracking.v1.EventServiceGrpc;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/**
 * P24: the work of a call ends in the database too when its deadline passes, and the connection
 * stays good. Control: a client that only stops waiting.
 */
final class Deadlines implements Promise {
  private static final String ID = "P24";
  private static final long DEADLINE = 200;
  private static final long MOST = 150;
  private static final long PATIENCE = 5000;
  private static final String LOCK =
      "LOCK TABLE tracking.behavioral_events IN ACCESS EXCLUSIVE MODE";

  private static final String RUNNING =
      "SELECT count(*) FROM pg_stat_activity"
          + " WHERE usename = 'rapport_server' AND state = 'active'";

  private static final String LEAKED =
      "SELECT count(*) FROM pg_stat_activity"
          + " WHERE usename = 'rapport_server' AND state LIKE 'idle in%'";

  @Override
  public List<Verdict> test(Run run) throws Exception {
    int rounds = run.pick(5, 100);
    try (Victim victim = Victim.serving()) {
      victim.execute("ALTER ROLE rapport_server SET lock_timeout = '30s'");
      victim.server().kill();
      victim.start();
      return List.of(service(victim, rounds), control(victim));
    }
  }

  private static Verdict service(Victim victim, int rounds) throws Exception {
    ManagedChannel channel = Victim.channel(victim.port());
    Calls calls = new Calls(channel, victim.token(victim.newTenant()), PATIENCE);
    count(calls, PATIENCE);
    long slowest = 0;
    int others = 0;
    for (int i = 0; i < rounds; i++) {
      try (Connection admin = victim.connect();
          Statement statement = admin.createStatement()) {
        admin.setAutoCommit(false);
        statement.execute(LOCK);
        others += count(calls, DEADLINE).status().getCode() == Code.DEADLINE_EXCEEDED ? 0 : 1;
        long alive = Threads.await(PATIENCE, () -> victim.number(RUNNING) == 0);
        slowest = Math.max(slowest, alive < 0 ? PATIENCE : alive);
        admin.rollback();
      }
    }
    int poisoned = 0;
    for (int i = 0; i < 30; i++) {
      poisoned += count(calls, PATIENCE).ok() ? 0 : 1;
    }
    long leaked = victim.number(LEAKED);
    channel.shutdownNow();
    return Verdict.of(ID)
        .with("calls", rounds)
        .with("backend_alive_after_deadline_ms", slowest)
        .with("leaked_connections", leaked)
        .with("poisoned_connections", poisoned)
        .with("other_endings", others)
        .met(slowest <= MOST && leaked == 0 && poisoned == 0 && others == 0);
  }

  private static Calls.End<?> count(Calls calls, long millis) {
    return calls.call(
        EventServiceGrpc.getCountEventsMethod(), CountEventsRequest.getDefaultInstance(), millis);
  }

  private static Verdict control(Victim victim) throws Exception {
    try (Connection admin = victim.connect();
        Statement statement = admin.createStatement();
        Connection careless = victim.connect()) {
      admin.setAutoCommit(false);
      statement.execute(LOCK);
      var reading = Threads.start(() -> read(careless));
      Threads.sleep(DEADLINE);
      long alive =
          Threads.await(
              1000,
              () ->
                  victim.number(
                          "SELECT count(*) FROM pg_stat_activity"
                              + " WHERE state = 'active' AND query LIKE 'SELECT FROM tracking%'")
                      == 0);
      admin.rollback();
      reading.join();
      return Verdict.of(ID)
          .with("backend_alive_after_deadline_ms", alive < 0 ? ">1000" : alive)
          .failed(alive < 0 || alive > MOST);
    }
  }

  private static Boolean read(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      return statement.execute("SELECT FROM tracking.behavioral_events LIMIT 1");
    }
  }
}
