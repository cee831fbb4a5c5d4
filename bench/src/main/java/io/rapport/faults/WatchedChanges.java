package io.rapport.faults;

import io.rapport.bench.Report;
import io.rapport.bench.ServerProcess;
import io.rapport.client.RapportClient;
import io.rapport.client.Watch;
import io.rapport.client.WatchOptions;
import io.rapport.platform.v1.Change;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventWatchFilter;
import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/**
 * P20: who watches is told every change once, in the order of the commits, whatever breaks
 * meanwhile, and can go on by a cursor. Writers write by one server, watchers watch at another.
 * Control: one that reads what is newer than the newest it has seen.
 */
final class WatchedChanges implements Promise {
  private static final String ID = "P20";
  private static final int WRITERS = 2;
  private static final long CALM_MILLIS = 1500;
  private static final long SLOW_MILLIS = 100;
  private static final int BATCHES_AT_ONCE = 5;
  private static final long CATCH_UP_MILLIS = 60_000;

  /** In this time something could still come twice. */
  private static final long REST_MILLIS = 1000;

  /** What breaks. */
  private enum Fault {
    DATABASE_CONNECTIONS,
    DATABASE_SESSIONS,
    WATCHERS_CONNECTIONS,
    WATCHERS_SERVER,
    POSTGRES
  }

  @Override
  public List<Verdict> test(Run run) throws Exception {
    try (Victim victim = Victim.serving();
        TcpProxy database = new TcpProxy(victim.database().port());
        Site site = new Site(victim, database)) {
      return site.test(run);
    }
  }

  /** A server that is written to, and one that is watched, whose every connection can break. */
  private static final class Site implements AutoCloseable {
    private final Victim victim;
    private final TcpProxy database;
    private final TcpProxy front;
    private final UUID tenant;
    private final RapportClient watching;
    private final RapportClient writing;
    private final List<Follower<?>> changes = new ArrayList<>();
    private final List<Follower<?>> events = new ArrayList<>();
    private final List<CompletableFuture<Void>> running = new ArrayList<>();
    private ServerProcess watched;

    private Site(Victim victim, TcpProxy database) throws Exception {
      this.victim = victim;
      this.database = database;
      this.watched = victim.databaseBehind(database).another();
      this.front = new TcpProxy(watched.port());
      this.tenant = victim.newTenant();
      this.watching = victim.client(front.port(), tenant).build();
      this.writing = victim.client(tenant);
    }

    private List<Verdict> test(Run run) throws Exception {
      History history = new History();
      List<WriteLoad> writers = writers(run, history);
      follow();
      Threads.each(WRITERS, number -> writers.get(number).prepare());
      ByTime byTime = new ByTime(victim, tenant);
      var control = Threads.start(byTime::read);
      var load =
          Threads.start(() -> {
            Threads.each(WRITERS, number -> writers.get(number).run());
            return true;
          });
      List<Fault> faults = faults(run);
      for (int i = 0; i < faults.size(); i++) {
        Threads.sleep(CALM_MILLIS);
        if (i == faults.size() / 2) {
          join();
        }
        strike(faults.get(i));
      }
      Threads.sleep(CALM_MILLIS);
      writers.forEach(WriteLoad::stop);
      load.join();
      List<String> there = logged();
      List<String> recorded = there.stream().filter(it -> it.startsWith("event ")).toList();
      boolean caughtUp = end(there.size(), recorded.size());
      byTime.stop();
      control.join();
      writers.forEach(WriteLoad::close);
      Telling missed = Telling.ofSet(recorded, byTime.seen);
      return List.of(
          verdict(faults.size(), history, there, recorded, caughtUp),
          Verdict.of(ID)
              .with("told", byTime.seen.size())
              .with("missed", missed.missed())
              .failed(missed.missed() > 0));
    }

    /** All that has changed, in its order. */
    private List<String> logged() throws SQLException {
      return victim.list(
          """
          SELECT c.kind || ' ' || c.op || ' ' || coalesce(e.id, c.entity_id)
            FROM platform.change_log c
            LEFT JOIN tracking.behavioral_events e
              ON c.kind = 'event' AND e.tenant_id = c.tenant_id
             AND e.recorded_at = c.changed_at AND e.batch = c.batch
           WHERE c.tenant_id = '%s' ORDER BY c.position, c.ordinal, e.id
          """
              .formatted(tenant));
    }

    private List<WriteLoad> writers(Run run, History history) throws Exception {
      List<WriteLoad> writers = new ArrayList<>();
      for (int i = 0; i < WRITERS; i++) {
        writers.add(
            new WriteLoad(
                i, victim.client(victim.port(), tenant), run.random("writer " + i), history));
      }
      return writers;
    }

    /** Each fault as often, in an order that chance decides. */
    private static List<Fault> faults(Run run) {
      Random random = run.random("faults");
      List<Fault> faults = new ArrayList<>();
      for (int i = run.pick(1, 6); i > 0; i--) {
        List<Fault> all = new ArrayList<>(List.of(Fault.values()));
        Collections.shuffle(all, random);
        faults.addAll(all);
      }
      return faults;
    }

    private void follow() throws Exception {
      AtomicInteger turn = new AtomicInteger();
      start(
          changes,
          Follower.Manner.steady("at the tip"),
          WatchOptions.fromNow(),
          watching.changes()::watch,
          WatchedChanges::key);
      start(
          changes,
          Follower.Manner.slow("slow", SLOW_MILLIS),
          WatchOptions.fromOldestKept(),
          watching.changes()::watch,
          WatchedChanges::key);
      start(
          changes,
          Follower.Manner.resuming("resuming", BATCHES_AT_ONCE),
          WatchOptions.fromOldestKept(),
          options ->
              (turn.getAndIncrement() % 2 == 0 ? watching : writing).changes().watch(options),
          WatchedChanges::key);
      start(
          events,
          Follower.Manner.steady("events"),
          WatchOptions.fromOldestKept(),
          this::watchEvents,
          WatchedChanges::key);
      for (Follower<?> follower : changes) {
        if (Threads.await(CATCH_UP_MILLIS, follower::hasBegun) < 0) {
          throw new IllegalStateException("nobody watches " + follower.name());
        }
      }
    }

    /** Lets one more begin, with what is there already. */
    private void join() {
      start(
          events,
          Follower.Manner.resuming("joining", BATCHES_AT_ONCE),
          WatchOptions.fromNow().withInitialState(),
          this::watchEvents,
          WatchedChanges::key);
    }

    private Watch<Event> watchEvents(WatchOptions options) {
      return watching.events().watch(EventWatchFilter.getDefaultInstance(), options);
    }

    private <T> void start(
        List<Follower<?>> followers,
        Follower.Manner manner,
        WatchOptions begin,
        Follower.Opening<T> opening,
        Function<T, String> key) {
      Follower<T> follower = new Follower<>(manner, begin, opening, key);
      followers.add(follower);
      running.add(
          Threads.start(() -> {
            follower.run();
            return true;
          }));
    }

    private void strike(Fault fault) throws Exception {
      Report.say("  %s", fault);
      switch (fault) {
        case DATABASE_CONNECTIONS -> database.cut();
        case DATABASE_SESSIONS ->
            victim.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    + " WHERE application_name = 'rapport'");
        case WATCHERS_CONNECTIONS -> front.cut();
        case WATCHERS_SERVER -> {
          watched.kill();
          watched = victim.another(watched.port());
        }
        case POSTGRES -> {
          victim.postgres().kill();
          victim.postgres().restart();
        }
      }
    }

    /** Waits until all have been told as much as is there, and whether more comes. */
    private boolean end(int allChanges, int allEvents) throws Exception {
      long took =
          Threads.await(
              CATCH_UP_MILLIS,
              () ->
                  changes.stream().allMatch(it -> it.count() >= allChanges)
                      && events.stream().allMatch(it -> it.count() >= allEvents));
      Report.say("  told all after %d ms", took);
      Threads.sleep(REST_MILLIS);
      changes.forEach(Follower::stop);
      events.forEach(Follower::stop);
      running.forEach(CompletableFuture::join);
      return took >= 0;
    }

    private Verdict verdict(
        int faults, History history, List<String> there, List<String> recorded, boolean caughtUp) {
      Telling all = Telling.RIGHT;
      int ackedMissed = 0;
      for (Follower<?> follower : changes) {
        all = all.plus(told(follower, Telling.of(there, follower.told())));
        ackedMissed += ackedMissed(history, follower);
      }
      for (Follower<?> follower : events) {
        boolean whole = !follower.name().equals("joining");
        all =
            all.plus(
                told(
                    follower,
                    whole
                        ? Telling.of(recorded, follower.told())
                        : Telling.ofSet(recorded, follower.told())));
        ackedMissed += ackedMissed(history, follower);
      }
      return Verdict.of(ID)
          .with("watchers", changes.size() + events.size())
          .with("faults", faults)
          .with("changes", there.size())
          .with("acked", history.count(Outcome.OK))
          .with("acked_missed", ackedMissed)
          .with("missed", all.missed())
          .with("dup", all.repeated())
          .with("reordered", all.reordered())
          .met(caughtUp && all.equals(Telling.RIGHT) && ackedMissed == 0 && !there.isEmpty());
    }

    private static Telling told(Follower<?> follower, Telling telling) {
      Report.say("  %s: told %d, %s", follower.name(), follower.told().size(), telling);
      return telling;
    }

    private static int ackedMissed(History history, Follower<?> follower) {
      Set<String> told = new HashSet<>(follower.told());
      return (int)
          history.operations().stream()
              .filter(it -> it.outcome() == Outcome.OK && it.key().startsWith("event:"))
              .filter(it -> !told.contains(event(it.key().substring("event:".length()))))
              .count();
    }

    @Override
    public void close() throws IOException {
      watching.close();
      writing.close();
      watched.close();
      front.close();
    }
  }

  private static String key(Change change) {
    return change.getKind() + " " + change.getOp() + " " + change.getId();
  }

  private static String key(Event event) {
    return event(event.getId());
  }

  private static String event(String id) {
    return "event RECORDED " + id;
  }

  /** Takes what is newer by its time of recording than all before for what is new. */
  private static final class ByTime {
    private final Victim victim;
    private final UUID tenant;
    private final List<String> seen = new ArrayList<>();
    private final AtomicBoolean done = new AtomicBoolean();
    private String newest = "-infinity";

    private ByTime(Victim victim, UUID tenant) {
      this.victim = victim;
      this.tenant = tenant;
    }

    private Boolean read() {
      while (!done.get()) {
        try (Connection connection = victim.connect();
            PreparedStatement newer =
                connection.prepareStatement(
                    """
                    SELECT id, recorded_at FROM tracking.behavioral_events
                     WHERE tenant_id = ? AND recorded_at > ?::timestamptz ORDER BY recorded_at
                    """)) {
          poll(newer);
        } catch (SQLException away) {
          Threads.sleep(100);
        }
      }
      return true;
    }

    private void poll(PreparedStatement newer) throws SQLException {
      newer.setObject(1, tenant);
      for (boolean last = false; !last; ) {
        last = done.get();
        newer.setString(2, newest);
        try (ResultSet rows = newer.executeQuery()) {
          while (rows.next()) {
            seen.add(event(String.valueOf(rows.getString(1))));
            newest = String.valueOf(rows.getString(2));
          }
        }
        Threads.sleep(20);
      }
    }

    private void stop() {
      done.set(true);
    }
  }
}
