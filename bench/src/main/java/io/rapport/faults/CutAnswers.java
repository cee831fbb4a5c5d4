package io.rapport.faults;

import io.grpc.ManagedChannel;
import io.rapport.bench.Report;
import io.rapport.client.EventWriter;
import io.rapport.client.IngestFailedException;
import io.rapport.client.RapportClient;
import io.rapport.client.RapportException;
import io.rapport.identity.v1.Tenant;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventProperty;
import io.rapport.tracking.v1.EventServiceGrpc;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * P11: the SDK does nothing twice, though it repeats calls whose answer was lost. Control: a client
 * that repeats whatever fails, as if it were new.
 */
final class CutAnswers implements Promise {
  private static final String ID = "P11";
  private static final Duration DEADLINE = Duration.ofSeconds(5);
  private static final int TRIES = 3;

  @Override
  public List<Verdict> test(Run run) throws Exception {
    int rounds = run.pick(5, 100);
    AnswerCutter cutter = new AnswerCutter();
    try (Victim victim = Victim.serving();
        TcpProxy proxy = new TcpProxy(victim.port(), cutter)) {
      return List.of(sdk(victim, proxy, cutter, rounds), blanket(victim, proxy, cutter, rounds));
    }
  }

  /** A write under a text by which its effects are found. */
  private record Write(String rpc, Consumer<String> call) {}

  private static List<Write> writes(RapportClient client, String user) {
    return List.of(
        new Write("TrackEvent", text -> client.events().track(named(text))),
        new Write("BatchTrackEvents", text -> client.events().batch(List.of(named(text)))),
        new Write(
            "BatchTrackEvents all",
            text -> client.events().batchAllOrNothing(List.of(named(text)))),
        new Write("IngestEvents", text -> stream(client, text)),
        new Write("LinkIdentity", text -> client.users().link(user, Make.identity(text))),
        new Write(
            "DeclareProperty",
            text -> client.properties().declare(text, EventProperty.Type.STRING, DEADLINE)),
        new Write(
            "CreateTenant",
            text -> client.tenants().create(Tenant.newBuilder().setDisplayName(text).build())));
  }

  private static Event named(String text) {
    return Make.nameless("ada").toBuilder().setText(text).build();
  }

  private static void stream(RapportClient client, String text) {
    try (EventWriter writer = client.events().ingest()) {
      writer.write(named(text));
      writer.flush();
    }
  }

  private static Verdict sdk(Victim victim, TcpProxy proxy, AnswerCutter cutter, int rounds)
      throws Exception {
    UUID tenant = victim.newTenant();
    try (RapportClient direct = victim.client(tenant)) {
      direct.events().track("fault", Make.identity("ada"));
    }
    String ada = victim.userOf(tenant, "ada");
    History history = new History();
    int told = 0;
    for (int round = 0; round < rounds; round++) {
      // A new client for each round, or its budget for retries would soon be used up.
      try (RapportClient client =
          victim.client(proxy.port(), tenant).writeDeadline(DEADLINE).build()) {
        for (Write write : writes(client, ada)) {
          String key = write.rpc().replace(' ', '_') + "_" + round;
          Outcome outcome = cutOnce(cutter, () -> write.call().accept(key));
          told += outcome == Outcome.OK ? 1 : 0;
          history.add(0, write.rpc(), List.of(key), 0, outcome);
        }
      }
    }
    Map<String, Integer> effects = effects(victim);
    Audit audit = Audit.of(history, effects);
    int doubles = doubles(effects);
    Report.say("  doubled: %s", audit.duplicated());
    return Verdict.of(ID)
        .with("calls", history.operations().size())
        .with("cut", cutter.cuts())
        .with("done_by_repeating", told)
        .with("double_effects", doubles)
        .with("misclassified", audit.misclassified())
        .met(doubles == 0 && audit.misclassified() == 0 && cutter.cuts() > 0);
  }

  private static Outcome cutOnce(AnswerCutter cutter, Runnable call) {
    AtomicBoolean done = new AtomicBoolean();
    cutter.plan(() -> done.compareAndSet(false, true));
    try {
      call.run();
      return Outcome.OK;
    } catch (IngestFailedException undecided) {
      return Outcome.UNKNOWN;
    } catch (RapportException failure) {
      return Outcome.of(failure);
    } finally {
      cutter.plan(() -> false);
    }
  }

  /** How often each thing was done: rows of events, else entries of the change log. */
  private static Map<String, Integer> effects(Victim victim) throws Exception {
    Map<String, Integer> effects = new HashMap<>();
    effects.putAll(
        victim.counts(
            "SELECT event_text FROM tracking.behavioral_events WHERE event_text IS NOT NULL"));
    effects.putAll(
        victim.counts(
            "SELECT display_name FROM identity.tenants WHERE display_name LIKE 'CreateTenant%'"));
    effects.putAll(
        victim.counts(
            """
            SELECT p.name FROM tracking.event_properties p
              JOIN platform.change_log c ON c.tenant_id = p.tenant_id AND c.entity_id = p.id
            """));
    effects.putAll(
        victim.counts(
            "SELECT subject FROM identity.identity_links WHERE subject LIKE 'LinkIdentity%'"));
    return effects;
  }

  private static int doubles(Map<String, Integer> effects) {
    return effects.values().stream().mapToInt(it -> Math.max(0, it - 1)).sum();
  }

  private static Verdict blanket(Victim victim, TcpProxy proxy, AnswerCutter cutter, int rounds)
      throws Exception {
    ManagedChannel channel = Victim.channel(proxy.port());
    Calls calls = new Calls(channel, victim.token(victim.newTenant()), DEADLINE.toMillis());
    for (int round = 0; round < rounds; round++) {
      Event event = named("blanket " + round);
      AtomicBoolean done = new AtomicBoolean();
      cutter.plan(() -> done.compareAndSet(false, true));
      for (int tries = 0; tries < TRIES; tries++) {
        if (calls.call(EventServiceGrpc.getTrackEventMethod(), Make.track(event)).ok()) {
          break;
        }
      }
    }
    channel.shutdownNow();
    Map<String, Integer> effects = effects(victim);
    effects.keySet().removeIf(key -> !key.startsWith("blanket"));
    return Verdict.of(ID)
        .with("calls", rounds)
        .with("double_effects", doubles(effects))
        .failed(doubles(effects) > 0);
  }
}
