package io.rapport.faults;

import io.grpc.ManagedChannel;
import io.rapport.bench.ServerProcess;
import io.rapport.tracking.v1.BatchTrackEventsRequest;
import io.rapport.tracking.v1.BatchTrackEventsResponse;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventOutcome;
import io.rapport.tracking.v1.EventOutcome.Result;
import io.rapport.tracking.v1.EventServiceGrpc;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;

/**
 * P13: each item of a batch has an outcome of its own, also after a crash in the middle and the
 * same batch again, and none is recorded twice. Control: a sender that gives new ids each time.
 */
final class BatchOutcomes implements Promise {
  private static final String ID = "P13";
  private static final int ITEMS = 1000;
  private static final long DEADLINE = 20_000;
  private static final List<String> POINTS =
      List.of("tx.beforeCommit", "tx.afterCommitBeforeReply");

  /** What an item is, which decides what may become of it. */
  private enum Kind {
    NEW,
    REPEATED,
    CHANGED,
    BROKEN;

    boolean allows(Result result) {
      return switch (this) {
        case NEW -> result == Result.RECORDED || result == Result.DUPLICATE;
        case REPEATED -> result == Result.DUPLICATE;
        case CHANGED -> result == Result.CONFLICT;
        case BROKEN -> result == Result.REFUSED;
      };
    }
  }

  private record Item(Kind kind, Event event) {}

  @Override
  public List<Verdict> test(Run run) throws Exception {
    int rounds = run.pick(1, 8);
    try (Victim victim = Victim.serving()) {
      UUID tenant = victim.newTenant();
      return List.of(
          service(victim, tenant, run.random("batches"), rounds), control(victim, tenant));
    }
  }

  private static List<Item> items(Random random, String text) {
    List<Item> items = new ArrayList<>();
    List<Event> before = new ArrayList<>();
    while (items.size() < ITEMS) {
      int chance = before.isEmpty() ? 99 : random.nextInt(100);
      if (chance < 5) {
        items.add(new Item(Kind.REPEATED, before.get(random.nextInt(before.size()))));
      } else if (chance < 8) {
        Event other = before.get(random.nextInt(before.size()));
        items.add(new Item(Kind.CHANGED, other.toBuilder().setEventType("changed").build()));
      } else if (chance < 11) {
        items.add(
            new Item(Kind.BROKEN, Make.event("ada").toBuilder().setEventType("NO TYPE").build()));
      } else {
        Event event = Make.event("user " + random.nextInt(50)).toBuilder().setText(text).build();
        before.add(event);
        items.add(new Item(Kind.NEW, event));
      }
    }
    return items;
  }

  private static Verdict service(Victim victim, UUID tenant, Random random, int rounds)
      throws Exception {
    int without = 0;
    int wrong = 0;
    int batches = 0;
    long expected = 0;
    ManagedChannel channel = Victim.channel(victim.port());
    Calls calls = new Calls(channel, victim.token(tenant), DEADLINE);
    for (int round = 0; round < rounds; round++) {
      for (String point : POINTS) {
        batches++;
        List<Item> items = items(random, "batch");
        expected += items.stream().filter(item -> item.kind() == Kind.NEW).count();
        sendAndDie(victim, tenant, point, items);
        List<EventOutcome> outcomes = send(calls, items);
        without += ITEMS - distinct(outcomes);
        wrong += wrong(items, outcomes);
      }
    }
    channel.shutdownNow();
    long rows =
        victim.number("SELECT count(*) FROM tracking.behavioral_events WHERE event_text = 'batch'");
    return Verdict.of(ID)
        .with("batches", batches)
        .with("items", batches * ITEMS)
        .with("crashes", batches)
        .with("items_without_outcome", without)
        .with("wrong_outcomes", wrong)
        .with("dup_rows", Math.max(0, rows - expected))
        .with("missing_rows", Math.max(0, expected - rows))
        .met(without == 0 && wrong == 0 && rows == expected);
  }

  private static void sendAndDie(Victim victim, UUID tenant, String point, List<Item> items)
      throws Exception {
    try (ServerProcess dying = victim.anotherWith(point + "=halt")) {
      ManagedChannel channel = Victim.channel(dying.port());
      Calls calls = new Calls(channel, victim.token(tenant), DEADLINE);
      if (calls.call(EventServiceGrpc.getBatchTrackEventsMethod(), request(items)).ok()) {
        throw new IllegalStateException("the server didn't die at " + point);
      }
      channel.shutdownNow();
    }
  }

  private static BatchTrackEventsRequest request(List<Item> items) {
    return Make.batch(items.stream().map(Item::event).toList());
  }

  private static List<EventOutcome> send(Calls calls, List<Item> items)
      throws InterruptedException {
    BatchTrackEventsResponse answer =
        calls
            .untilAnswered(EventServiceGrpc.getBatchTrackEventsMethod(), request(items), DEADLINE)
            .answer();
    return answer == null ? List.of() : answer.getOutcomesList();
  }

  private static int distinct(List<EventOutcome> outcomes) {
    Set<Integer> indexes = new HashSet<>();
    outcomes.stream()
        .filter(outcome -> outcome.getResult() != Result.RESULT_UNSPECIFIED)
        .forEach(outcome -> indexes.add(outcome.getIndex()));
    return indexes.size();
  }

  private static int wrong(List<Item> items, List<EventOutcome> outcomes) {
    int wrong = 0;
    for (EventOutcome outcome : outcomes) {
      Kind kind = items.get(outcome.getIndex()).kind();
      wrong += kind.allows(outcome.getResult()) ? 0 : 1;
    }
    return wrong;
  }

  private static Verdict control(Victim victim, UUID tenant) throws Exception {
    List<Item> items = new ArrayList<>();
    for (int i = 0; i < ITEMS; i++) {
      items.add(new Item(Kind.NEW, Make.nameless("ada").toBuilder().setText("renamed").build()));
    }
    sendAndDie(victim, tenant, "tx.afterCommitBeforeReply", items);
    ManagedChannel channel = Victim.channel(victim.port());
    send(new Calls(channel, victim.token(tenant), DEADLINE), items);
    channel.shutdownNow();
    long rows =
        victim.number(
            "SELECT count(*) FROM tracking.behavioral_events WHERE event_text = 'renamed'");
    return Verdict.of(ID).with("items", ITEMS).with("dup_rows", rows - ITEMS).failed(rows > ITEMS);
  }
}
