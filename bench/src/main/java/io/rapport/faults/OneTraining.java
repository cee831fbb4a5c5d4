package io.rapport.faults;

import com.google.protobuf.Duration;
import io.grpc.ManagedChannel;
import io.rapport.bench.Report;
import io.rapport.bench.ServerProcess;
import io.rapport.versioning.v1.CancelTrainingRequest;
import io.rapport.versioning.v1.ClaimTrainingRequest;
import io.rapport.versioning.v1.ClaimTrainingResponse;
import io.rapport.versioning.v1.CompleteTrainingRequest;
import io.rapport.versioning.v1.TrainingServiceGrpc;
import io.rapport.versioning.v1.TriggerTrainingRequest;
import io.rapport.versioning.v1.TriggerTrainingResponse;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * P15b: of a model type one training waits or is done at a time, however many ask for it at once;
 * if its worker dies, another gets it, and what the dead one still sends is refused. Control:
 * callers that look whether there is one, and make one if there isn't.
 */
final class OneTraining implements Promise {
  private static final String ID = "P15b";
  private static final int CALLERS = 16;
  private static final long DEADLINE = 30_000;
  private static final int LEASE_SECONDS = 1;

  /** What came of workers that died. */
  private record Deaths(int workers, int replaced, int lateRefused, long takeoverMillis) {}

  @Override
  public List<Verdict> test(Run run) throws Exception {
    try (Victim victim = Victim.serving();
        ServerProcess another = victim.another()) {
      List<ManagedChannel> channels =
          List.of(Victim.channel(victim.port()), Victim.channel(another.port()));
      String token = victim.token(victim.newTenant());
      List<Calls> callers =
          channels.stream().map(channel -> new Calls(channel, token, DEADLINE)).toList();
      int rounds = run.pick(40, 200);
      int wrong = wrongRounds(callers, rounds);
      Deaths deaths = deaths(callers, run.pick(3, 10));
      int handRounds = run.pick(20, 100);
      int wrongByHand = wrongRoundsByHand(victim, handRounds);
      channels.forEach(ManagedChannel::shutdownNow);
      boolean replaced =
          deaths.replaced() == deaths.workers() && deaths.lateRefused() == 2 * deaths.workers();
      return List.of(
          Verdict.of(ID)
              .with("rounds", rounds)
              .with("callers", CALLERS)
              .with("rounds_without_just_one", wrong)
              .with("dead_workers", deaths.workers())
              .with("replaced", deaths.replaced())
              .with("lease_ms", LEASE_SECONDS * 1000)
              .with("takeover_ms", deaths.takeoverMillis())
              .with("late_calls_refused", deaths.lateRefused())
              .met(wrong == 0 && replaced),
          Verdict.of(ID)
              .with("rounds", handRounds)
              .with("callers", CALLERS)
              .with("rounds_without_just_one", wrongByHand)
              .failed(wrongByHand > 0));
    }
  }

  private static int wrongRounds(List<Calls> callers, int rounds) {
    int wrong = 0;
    for (int round = 0; round < rounds; round++) {
      Set<String> ids = ConcurrentHashMap.newKeySet();
      AtomicInteger created = new AtomicInteger();
      CyclicBarrier start = new CyclicBarrier(CALLERS);
      Threads.each(
          CALLERS,
          number -> {
            Threads.meet(start);
            TriggerTrainingResponse answer = trigger(callers.get(number % callers.size()));
            ids.add(answer.getTrainingEvent().getId());
            created.addAndGet(answer.getCreated() ? 1 : 0);
          });
      wrong += ids.size() == 1 && created.get() == 1 ? 0 : 1;
      ids.forEach(id -> cancel(callers.getFirst(), id));
    }
    Report.say("  %d of %d rounds made another number than one", wrong, rounds);
    return wrong;
  }

  private static TriggerTrainingResponse trigger(Calls calls) {
    return answer(
        calls.call(
            TrainingServiceGrpc.getTriggerTrainingMethod(),
            TriggerTrainingRequest.newBuilder().setModelType("goal").build()));
  }

  private static void cancel(Calls calls, String id) {
    answer(
        calls.call(
            TrainingServiceGrpc.getCancelTrainingMethod(),
            CancelTrainingRequest.newBuilder().setTrainingEventId(id).build()));
  }

  private static <A> A answer(Calls.End<A> end) {
    A answer = end.answer();
    if (answer == null) {
      throw new IllegalStateException("a caller was told " + end);
    }
    return answer;
  }

  /** Workers that claim and are never heard of until others have taken over. */
  private static Deaths deaths(List<Calls> callers, int workers) {
    int replaced = 0;
    int refused = 0;
    long longest = 0;
    for (int i = 0; i < workers; i++) {
      String id = trigger(callers.getFirst()).getTrainingEvent().getId();
      ClaimTrainingResponse dead = claim(callers.getFirst(), "dead");
      long begun = System.nanoTime();
      ClaimTrainingResponse heir = claim(callers.getLast(), "heir");
      longest = Math.max(longest, (System.nanoTime() - begun) / 1_000_000);
      replaced += heir.getTrainingEvent().getId().equals(id) ? 1 : 0;
      refused += complete(callers.getFirst(), dead).equals("TRAINING_LEASE_LOST") ? 1 : 0;
      complete(callers.getLast(), heir);
      refused += complete(callers.getFirst(), dead).equals("TRAINING_LEASE_LOST") ? 1 : 0;
    }
    return new Deaths(workers, replaced, refused, longest);
  }

  private static ClaimTrainingResponse claim(Calls calls, String worker) {
    return answer(
        calls.call(
            TrainingServiceGrpc.getClaimTrainingMethod(),
            ClaimTrainingRequest.newBuilder()
                .addModelTypes("goal")
                .setWorker(worker)
                .setLeaseTime(Duration.newBuilder().setSeconds(LEASE_SECONDS))
                .setMaxWait(Duration.newBuilder().setSeconds(10))
                .build()));
  }

  /** The reason of a refusal; empty if it was done. */
  private static String complete(Calls calls, ClaimTrainingResponse claimed) {
    return calls
        .call(
            TrainingServiceGrpc.getCompleteTrainingMethod(),
            CompleteTrainingRequest.newBuilder()
                .setTrainingEventId(claimed.getTrainingEvent().getId())
                .setLeaseId(claimed.getLeaseId())
                .setModelPath("m")
                .build())
        .reason();
  }

  private static int wrongRoundsByHand(Victim victim, int rounds) throws Exception {
    victim.execute("CREATE TABLE public.trainings_by_hand (id uuid)");
    List<Connection> connections = new ArrayList<>();
    for (int i = 0; i < CALLERS; i++) {
      connections.add(victim.connect());
    }
    int wrong = 0;
    for (int round = 0; round < rounds; round++) {
      CyclicBarrier start = new CyclicBarrier(CALLERS);
      Threads.each(
          CALLERS,
          number -> {
            Threads.meet(start);
            makeByHand(connections.get(number));
          });
      wrong += victim.number("SELECT count(*) FROM public.trainings_by_hand") == 1 ? 0 : 1;
      victim.execute("TRUNCATE public.trainings_by_hand");
    }
    for (Connection connection : connections) {
      connection.close();
    }
    return wrong;
  }

  private static void makeByHand(Connection connection) {
    try (Statement statement = connection.createStatement()) {
      boolean there;
      try (var rows = statement.executeQuery("SELECT FROM public.trainings_by_hand")) {
        there = rows.next();
      }
      if (!there) {
        statement.execute(
            "INSERT INTO public.trainings_by_hand VALUES ('" + UUID.randomUUID() + "')");
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
