package io.rapport.faults;

import com.nimbusds.jose.JOSEException;
import io.grpc.ManagedChannel;
import io.rapport.identity.v1.UserServiceGrpc;
import io.rapport.tracking.v1.EventServiceGrpc;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * P22: a tenant's commits are numbered without a gap, and a reader who has seen a number never
 * finds another one below it, or something else under it. Control: numbers of a sequence.
 */
final class Positions implements Promise {
  private static final String ID = "P22";
  private static final int WRITERS = 16;
  private static final long DEADLINE = 10_000;
  private static final long PATIENCE = 60_000;

  @Override
  public List<Verdict> test(Run run) throws Exception {
    int millis = run.pick(12_000, 60_000);
    try (Victim victim = Victim.serving()) {
      return List.of(service(victim, millis), control(victim, millis / 2));
    }
  }

  /** What a reader sees who asks again and again. */
  private static final class Reader {
    private final NavigableMap<Long, String> seen = new TreeMap<>();
    private final String sql;
    private int orderChanges;
    private int polls;

    private Reader(String sql) {
      this.sql = sql;
    }

    private void poll(Connection connection) throws SQLException {
      long last = seen.isEmpty() ? 0 : seen.lastKey();
      Map<Long, String> now = new TreeMap<>();
      try (Statement statement = connection.createStatement();
          ResultSet rows = statement.executeQuery(sql)) {
        while (rows.next()) {
          now.merge(rows.getLong(1), String.valueOf(rows.getString(2)), String::concat);
        }
      }
      polls++;
      now.forEach((position, what) -> {
        String before = seen.put(position, what);
        boolean changed = before == null ? position < last : !before.equals(what);
        orderChanges += changed ? 1 : 0;
      });
    }

    private long gaps() {
      return seen.isEmpty() ? 0 : seen.lastKey() - seen.size();
    }
  }

  private static Verdict service(Victim victim, int millis) throws Exception {
    UUID tenant = victim.newTenant();
    Reader reader =
        new Reader(
            """
            SELECT position, kind || op || coalesce(entity_id::text, batch::text) || row_count
              FROM platform.change_log WHERE tenant_id = '%s' ORDER BY position, ordinal
            """
                .formatted(tenant));
    Queue<String> told = new ConcurrentLinkedQueue<>();
    AtomicBoolean done = new AtomicBoolean();
    warmUp(victim, tenant);
    var writers = Threads.start(() -> write(victim, tenant, told, done));
    read(victim, reader, millis / 2);
    victim.postgres().kill();
    victim.postgres().restart();
    read(victim, reader, millis / 4);
    victim.server().kill();
    victim.start();
    read(victim, reader, millis / 4);
    done.set(true);
    writers.join();
    read(victim, reader, 1);
    long head =
        victim.number(
            "SELECT position FROM platform.tenant_heads WHERE tenant_id = '" + tenant + "'");
    Set<String> distinct = new HashSet<>(told);
    long gaps = reader.gaps() + head - reader.seen.lastKey();
    int dups = told.size() - distinct.size();
    return Verdict.of(ID)
        .with("writers", WRITERS)
        .with("commits", reader.seen.size())
        .with("polls", reader.polls)
        .with("crashes", 2)
        .with("gaps", gaps)
        .with("dups", dups)
        .with("order_changes", reader.orderChanges)
        .met(gaps == 0 && dups == 0 && reader.orderChanges == 0 && reader.seen.size() > WRITERS);
  }

  private static void warmUp(Victim victim, UUID tenant) throws Exception {
    ManagedChannel channel = Victim.channel(victim.port());
    new Calls(channel, victim.token(tenant), DEADLINE)
        .untilAnswered(
            EventServiceGrpc.getTrackEventMethod(), Make.track(Make.event("ada")), PATIENCE);
    channel.shutdownNow();
  }

  private static void read(Victim victim, Reader reader, int millis) throws SQLException {
    long start = System.nanoTime();
    try (Connection connection = victim.connect()) {
      do {
        reader.poll(connection);
      } while (Threads.millisSince(start) < millis);
    }
  }

  private static Boolean write(Victim victim, UUID tenant, Queue<String> told, AtomicBoolean done)
      throws JOSEException {
    String token = victim.token(tenant);
    Threads.each(
        WRITERS,
        number -> {
          ManagedChannel channel = Victim.channel(victim.port());
          Calls calls = new Calls(channel, token, DEADLINE);
          writeAs("writer " + number, calls, victim, tenant, told, done);
          channel.shutdownNow();
        });
    return true;
  }

  private static void writeAs(
      String who, Calls calls, Victim victim, UUID tenant, Queue<String> told, AtomicBoolean done) {
    String user = "";
    for (int i = 0; !done.get(); i++) {
      if (user.isEmpty() || i % 3 == 0) {
        var end = calls.call(EventServiceGrpc.getTrackEventMethod(), Make.track(Make.event(who)));
        user = user.isEmpty() && end.ok() ? find(victim, tenant, who) : user;
      } else {
        var end =
            calls.call(
                UserServiceGrpc.getLinkIdentityMethod(), Make.link(Make.id(), user, who + " " + i));
        if (end.ok()) {
          told.add(end.position());
        } else {
          Threads.sleep(50); // also where nobody listens, and connecting fails at once
        }
      }
    }
  }

  private static String find(Victim victim, UUID tenant, String who) {
    try {
      return victim.userOf(tenant, who);
    } catch (SQLException away) {
      return "";
    }
  }

  private static Verdict control(Victim victim, int millis) throws Exception {
    victim.execute("CREATE TABLE public.sequenced (position bigserial, who text)");
    Reader reader = new Reader("SELECT position, who FROM public.sequenced ORDER BY position");
    AtomicBoolean done = new AtomicBoolean();
    var writers =
        Threads.start(() -> {
          Threads.each(WRITERS, number -> insert(victim, number, done));
          return true;
        });
    read(victim, reader, millis);
    done.set(true);
    writers.join();
    read(victim, reader, 1);
    return Verdict.of(ID)
        .with("commits", reader.seen.size())
        .with("gaps", reader.gaps())
        .with("order_changes", reader.orderChanges)
        .failed(reader.gaps() > 0 && reader.orderChanges > 0);
  }

  private static void insert(Victim victim, int number, AtomicBoolean done) {
    try (Connection connection = victim.connect();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      while (!done.get()) {
        statement.execute("INSERT INTO public.sequenced (who) VALUES ('" + number + "')");
        Threads.sleep(ThreadLocalRandom.current().nextInt(10));
        if (ThreadLocalRandom.current().nextInt(10) == 0) {
          connection.rollback();
        } else {
          connection.commit();
        }
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
