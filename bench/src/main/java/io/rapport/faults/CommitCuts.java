package io.rapport.faults;

import io.grpc.ManagedChannel;
import io.rapport.bench.Report;
import io.rapport.faults.CommitCutter.Cut;
import io.rapport.identity.v1.TenantServiceGrpc;
import io.rapport.identity.v1.UserServiceGrpc;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventPropertyServiceGrpc;
import io.rapport.tracking.v1.EventServiceGrpc;
import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * P5: every write says whether it is done, not done or unknown, and never wrongly, also if the
 * connection to the database breaks at the COMMIT. Control: a client that takes a COMMIT that
 * failed for one that wasn't done.
 */
final class CommitCuts implements Promise {
  private static final String ID = "P5";
  private static final long DEADLINE = 8000;
  private static final double RESOLVED = 0.99;
  private static final int COPIED = 250;

  @Override
  public List<Verdict> test(Run run) throws Exception {
    int rounds = run.pick(8, 100);
    try (Victim victim = Victim.open();
        Cutting cutting = new Cutting(victim)) {
      victim.databaseBehind(cutting.proxy).start();
      return List.of(service(victim, cutting, rounds), control(victim, cutting, rounds));
    }
  }

  /** A database behind a proxy that breaks one COMMIT when asked to, in turn before and after. */
  private static final class Cutting implements AutoCloseable {
    private final CommitCutter cutter = new CommitCutter();
    private final TcpProxy proxy;
    private boolean after;

    private Cutting(Victim victim) throws IOException {
      proxy = new TcpProxy(victim.database().port(), cutter);
    }

    /** Returns whether a COMMIT was cut while the call ran. */
    <T> T during(Supplier<T> call) {
      AtomicBoolean done = new AtomicBoolean();
      after = !after;
      Cut cut = after ? Cut.AFTER : Cut.BEFORE;
      cutter.plan(() -> done.compareAndSet(false, true) ? cut : Cut.NOWHERE);
      try {
        return call.get();
      } finally {
        cutter.plan(() -> Cut.NOWHERE);
      }
    }

    int cuts() {
      return cutter.before() + cutter.after();
    }

    @Override
    public void close() throws IOException {
      proxy.close();
    }
  }

  private static Verdict service(Victim victim, Cutting cutting, int rounds) throws Exception {
    UUID tenant = victim.newTenant();
    History history = new History();
    Map<String, Integer> cut = new TreeMap<>();
    Map<String, Integer> open = new TreeMap<>();
    ManagedChannel channel = Victim.channel(victim.port());
    Calls calls = new Calls(channel, victim.token(tenant), DEADLINE);
    calls.call(EventServiceGrpc.getTrackEventMethod(), Make.track(Make.event("ada")));
    String ada = victim.userOf(tenant, "ada");
    for (int round = 0; round < rounds; round++) {
      for (Write write : writes(calls, victim.token(tenant), ada, round)) {
        int before = cutting.cuts();
        long start = System.nanoTime();
        Outcome outcome = cutting.during(write.call());
        history.add(0, write.rpc(), write.keys(), start, outcome);
        cut.merge(write.rpc(), Math.min(1, cutting.cuts() - before), Integer::sum);
        open.merge(write.rpc(), outcome == Outcome.UNKNOWN ? 1 : 0, Integer::sum);
      }
    }
    channel.shutdownNow();
    Report.say("  cut %s, of these unknown %s", cut, open);
    Audit audit = Audit.of(history, present(victim, history));
    audit.refusedButPresent().stream()
        .limit(5)
        .forEach(it -> Report.say("  refused, but there: %s", it));
    audit.lost().stream().limit(5).forEach(it -> Report.say("  done, but not there: %s", it));
    int named =
        Stream.of("LinkIdentity", "DeclareProperty", "CreateTenant").mapToInt(cut::get).sum();
    int left =
        Stream.of("LinkIdentity", "DeclareProperty", "CreateTenant").mapToInt(open::get).sum();
    double resolved = named == 0 ? 0 : 1 - (double) left / named;
    return Verdict.of(ID)
        .with("calls", rounds * 7)
        .with("cut_before", cutting.cutter.before())
        .with("cut_after", cutting.cutter.after())
        .with("misclassified", audit.misclassified())
        .with("duplicated", audit.duplicated().size())
        .with("unknown", open.values().stream().mapToInt(Integer::intValue).sum())
        .with("unknown_resolved_ratio", "%.3f".formatted(resolved))
        .met(audit.misclassified() == 0 && audit.duplicated().isEmpty() && resolved >= RESOLVED);
  }

  private record Write(String rpc, List<String> keys, Supplier<Outcome> call) {}

  /** One call of every RPC that writes; events also by COPY. */
  private static List<Write> writes(Calls calls, String token, String user, int round) {
    Event event = Make.event("ada");
    List<Event> few = Stream.generate(() -> Make.event("ada")).limit(5).toList();
    List<Event> many = Stream.generate(() -> Make.event("ada")).limit(COPIED).toList();
    List<Event> streamed = Stream.generate(() -> Make.event("ada")).limit(5).toList();
    String subject = "link-" + Make.id();
    String property = "p_" + round;
    String tenant = "tenant " + Make.id();
    return List.of(
        new Write(
            "TrackEvent",
            List.of(event.getId()),
            () -> calls.call(EventServiceGrpc.getTrackEventMethod(), Make.track(event)).outcome()),
        new Write("BatchTrackEvents", ids(few), () -> batch(calls, few)),
        new Write("BatchTrackEvents", ids(many), () -> batch(calls, many)),
        new Write("IngestEvents", ids(streamed), () -> ingest(calls, token, streamed)),
        new Write(
            "LinkIdentity",
            List.of(subject),
            () ->
                calls
                    .call(
                        UserServiceGrpc.getLinkIdentityMethod(),
                        Make.link(Make.id(), user, subject))
                    .outcome()),
        new Write(
            "DeclareProperty",
            List.of(property),
            () ->
                calls
                    .call(
                        EventPropertyServiceGrpc.getDeclarePropertyMethod(),
                        Make.declare(Make.id(), property))
                    .outcome()),
        new Write(
            "CreateTenant",
            List.of(tenant),
            () ->
                calls
                    .call(
                        TenantServiceGrpc.getCreateTenantMethod(),
                        Make.tenant(Make.id(), "", tenant))
                    .outcome()));
  }

  private static List<String> ids(List<Event> events) {
    return events.stream().map(Event::getId).toList();
  }

  private static Outcome batch(Calls calls, List<Event> events) {
    return calls.call(EventServiceGrpc.getBatchTrackEventsMethod(), Make.batch(events)).outcome();
  }

  private static Outcome ingest(Calls calls, String token, List<Event> events) {
    return Streams.ingest(calls.channel(), token, events, DEADLINE).outcome();
  }

  /** What is there of what was written. */
  private static Map<String, Integer> present(Victim victim, History history) throws SQLException {
    Map<String, Integer> there = new HashMap<>();
    there.putAll(victim.counts("SELECT id FROM tracking.behavioral_events"));
    there.putAll(victim.counts("SELECT subject FROM identity.identity_links"));
    there.putAll(victim.counts("SELECT name FROM tracking.event_properties"));
    there.putAll(victim.counts("SELECT display_name FROM identity.tenants"));
    List<String> keys = history.operations().stream().map(Operation::key).toList();
    there.keySet().retainAll(keys);
    return there;
  }

  private static Verdict control(Victim victim, Cutting cutting, int rounds) throws Exception {
    victim.execute("CREATE TABLE public.naive (key text)");
    History history = new History();
    for (int i = 0; i < rounds; i++) {
      String key = "naive " + i;
      long start = System.nanoTime();
      Outcome outcome = cutting.during(() -> insertNaively(victim, cutting, key));
      history.add(0, "naive", List.of(key), start, outcome);
    }
    Audit audit = Audit.of(history, victim.counts("SELECT key FROM public.naive"));
    return Verdict.of(ID)
        .with("calls", rounds)
        .with("misclassified", audit.misclassified())
        .failed(audit.misclassified() > 0);
  }

  private static Outcome insertNaively(Victim victim, Cutting cutting, String key) {
    try (Connection connection = Victim.connect(victim.database().at(cutting.proxy.port()));
        PreparedStatement insert =
            connection.prepareStatement("INSERT INTO public.naive VALUES (?)")) {
      connection.setAutoCommit(false);
      insert.setString(1, key);
      insert.execute();
      connection.commit();
      return Outcome.OK;
    } catch (SQLException failed) {
      return Outcome.REFUSED;
    }
  }
}
