package io.rapport.faults;

import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
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
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * P15b: of a model type one training waits or is done at a time, however many ask for it at once or
 * fill its dataset together; if its worker's process dies or halts, another gets it, and what the
 * first still sends is refused. Control: callers that look whether there is one, and make one if
 * there isn't.
 */
final class OneTraining implements Promise {
  private static final String ID = "P15b";
  private static final int CALLERS = 16;
  private static final long DEADLINE = 30_000;
  private static final int LEASE_SECONDS = 1;
  private static final int MOST_TRIES = 20;

  /** What came of workers that died or were halted for too long. */
  private record Deaths(int workers, int replaced, int lateRefused, long takeoverMillis) {}

  @Override
  public List<Verdict> test(Run run) throws Exception {
    try (Victim victim = Victim.serving();
        ServerProcess another = victim.another()) {
      List<ManagedChannel> channels =
          List.of(Victim.channel(victim.port()), Victim.channel(another.port()));
      UUID tenant = victim.newTenant();
      String token = victim.token(tenant);
      List<Calls> callers =
          channels.stream().map(channel -> new Calls(channel, token, DEADLINE)).toList();
      int rounds = run.pick(40, 200);
      int wrong = wrongRounds(callers, rounds);
      int thresholds = run.pick(40, 200);
      int wrongThresholds =
          new CrossedThresholds(victim, List.of(victim.port(), another.port())).wrong(thresholds);
      Deaths deaths = deaths(victim, tenant, callers.getLast(), run.pick(4, 20));
      int handRounds = run.pick(20, 100);
      int wrongByHand = wrongRoundsByHand(victim, handRounds);
      channels.forEach(ManagedChannel::shutdownNow);
      boolean replaced =
          deaths.replaced() == deaths.workers() && deaths.lateRefused() == deaths.workers() / 2;
      return List.of(
          Verdict.of(ID)
              .with("rounds", rounds)
              .with("callers", CALLERS)
              .with("rounds_without_just_one", wrong)
              .with("thresholds", thresholds)
              .with("thresholds_without_just_one", wrongThresholds)
              .with("lost_workers", deaths.workers())
              .with("replaced", deaths.replaced())
              .with("lease_ms", LEASE_SECONDS * 1000)
              .with("takeover_ms", deaths.takeoverMillis())
              .with("late_calls_refused", deaths.lateRefused())
              .met(wrong == 0 && wrongThresholds == 0 && replaced),
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
        calls,
        TrainingServiceGrpc.getTriggerTrainingMethod(),
        TriggerTrainingRequest.newBuilder().setModelType("goal").build());
  }

  private static void cancel(Calls calls, String id) {
    answer(
        calls,
        TrainingServiceGrpc.getCancelTrainingMethod(),
        CancelTrainingRequest.newBuilder().setTrainingEventId(id).build());
  }

  /** Repeats what a busy machine refuses. */
  private static <Q, A> A answer(Calls calls, MethodDescriptor<Q, A> method, Q request) {
    Calls.End<A> end = calls.call(method, request);
    for (int i = 1; i < MOST_TRIES && end.passing(); i++) {
      end = calls.call(method, request);
    }
    A answer = end.answer();
    if (answer == null) {
      throw new IllegalStateException("a caller was told " + end);
    }
    return answer;
  }

  /** Worker processes in turn killed and halted until another has taken over. */
  private static Deaths deaths(Victim victim, UUID tenant, Calls heir, int workers)
      throws Exception {
    int replaced = 0;
    int refused = 0;
    long longest = 0;
    for (int i = 0; i < workers; i++) {
      boolean killed = i % 2 == 0;
      String id = trigger(heir).getTrainingEvent().getId();
      try (TrainerProcess worker =
          TrainerProcess.start(
              victim.port(), victim.token(tenant), Duration.ofSeconds(LEASE_SECONDS))) {
        boolean own = worker.claimed().equals(id);
        long begun = System.nanoTime();
        if (killed) {
          worker.kill();
        } else {
          worker.freeze();
        }
        ClaimTrainingResponse claimed = claim(heir, "heir");
        longest = Math.max(longest, (System.nanoTime() - begun) / 1_000_000);
        replaced += own && claimed.getTrainingEvent().getId().equals(id) ? 1 : 0;
        if (!killed) {
          worker.thawAndFinish();
          refused += versions(victim, id) == 0 ? 1 : 0;
        }
        complete(heir, claimed);
        replaced -= versions(victim, id) == 1 ? 0 : 1;
      }
    }
    return new Deaths(workers, replaced, refused, longest);
  }

  private static long versions(Victim victim, String training) throws SQLException {
    return victim.number(
        "SELECT count(*) FROM versioning.model_versions WHERE training_event_id = '"
            + training
            + "'");
  }

  private static ClaimTrainingResponse claim(Calls calls, String worker) {
    return answer(
        calls,
        TrainingServiceGrpc.getClaimTrainingMethod(),
        ClaimTrainingRequest.newBuilder()
            .addModelTypes("goal")
            .setWorker(worker)
            .setLeaseTime(seconds(LEASE_SECONDS))
            .setMaxWait(seconds(10))
            .build());
  }

  private static com.google.protobuf.Duration seconds(long seconds) {
    return com.google.protobuf.Duration.newBuilder().setSeconds(seconds).build();
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
