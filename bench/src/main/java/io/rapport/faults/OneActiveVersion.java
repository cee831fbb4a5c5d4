package io.rapport.faults;

import io.grpc.ManagedChannel;
import io.rapport.bench.Report;
import io.rapport.bench.ServerProcess;
import io.rapport.faults.ActiveVersions.Kind;
import io.rapport.platform.v1.TextFilter;
import io.rapport.versioning.v1.GateOverride;
import io.rapport.versioning.v1.GetActiveModelVersionRequest;
import io.rapport.versioning.v1.GetActiveModelVersionResponse;
import io.rapport.versioning.v1.ListModelVersionsRequest;
import io.rapport.versioning.v1.ListModelVersionsResponse;
import io.rapport.versioning.v1.ModelVersion;
import io.rapport.versioning.v1.ModelVersionFilter;
import io.rapport.versioning.v1.ModelVersionServiceGrpc;
import io.rapport.versioning.v1.PromoteModelVersionRequest;
import io.rapport.versioning.v1.PromoteModelVersionResponse;
import io.rapport.versioning.v1.PromotionGate.Gate;
import io.rapport.versioning.v1.RegisterModelVersionRequest;
import io.rapport.versioning.v1.RollbackModelVersionRequest;
import io.rapport.versioning.v1.RollbackModelVersionResponse;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * P15: of each model type exactly one version is active at every instant, and promotions, rollbacks
 * and reads are as if they came one after the other. Control: a swap by two statements.
 */
final class OneActiveVersion implements Promise {
  private static final String ID = "P15";
  private static final int WRITERS = 8;
  private static final int READERS = 2;
  private static final int VERSIONS = 8;
  private static final int WRITES = 6;
  private static final int READS = 40;
  private static final long DEADLINE = 20_000;
  private static final double FEW = 0.05;
  private static final String DEADLOCK = "40P01";
  private static final Set<String> TURNED_AWAY =
      Set.of("LOCK_TIMEOUT", "OVERLOADED", "DB_SATURATED");

  /** What came of all rounds. */
  private static final class Tally {
    private int rounds;
    private int calls;
    private int notLinearizable;
    private final AtomicInteger wrongRounds = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private final AtomicInteger turnedAway = new AtomicInteger();
    private final AtomicInteger failed = new AtomicInteger();

    private void end(ActiveVersions history, AtomicInteger wrongReads) {
      rounds++;
      calls += history.size();
      notLinearizable += history.isLinearizable(0) ? 0 : 1;
      wrongRounds.addAndGet(wrongReads.get() > 0 ? 1 : 0);
    }

    private Verdict.Figures figures() {
      return Verdict.of(ID)
          .with("rounds", rounds)
          .with("calls", calls)
          .with("expectations_refused", refused.get())
          .with("turned_away", turnedAway.get())
          .with("other_endings", failed.get())
          .with("rounds_with_0_or_2", wrongRounds.get())
          .with("linearizable", notLinearizable == 0 ? "yes" : "no");
    }

    private boolean isRight() {
      return wrongRounds.get() == 0 && notLinearizable == 0;
    }
  }

  /** What changes and tells what is active. */
  private interface Register {
    void write(Random random);

    void read(boolean all);
  }

  @Override
  public List<Verdict> test(Run run) throws Exception {
    try (Victim victim = Victim.serving();
        ServerProcess another = victim.another()) {
      List<ManagedChannel> channels =
          List.of(Victim.channel(victim.port()), Victim.channel(another.port()));
      Tally served = new Tally();
      for (int i = 0; i < run.pick(10, 100); i++) {
        served(run, victim, channels, "model " + i, served);
      }
      Report.say("  served: %s", served.figures().met(true).text());
      Tally byHand = new Tally();
      for (int i = 0; i < run.pick(3, 20); i++) {
        byHand(run, victim, i, byHand);
      }
      channels.forEach(ManagedChannel::shutdownNow);
      boolean tested =
          served.failed.get() == 0
              && served.refused.get() > 0
              && served.turnedAway.get() <= FEW * served.calls;
      return List.of(
          served.figures().met(tested && served.isRight()),
          byHand.figures().failed(!byHand.isRight()));
    }
  }

  private static void served(
      Run run, Victim victim, List<ManagedChannel> channels, String type, Tally tally)
      throws Exception {
    String token = victim.token(victim.newTenant());
    List<Calls> callers =
        channels.stream().map(channel -> new Calls(channel, token, DEADLINE)).toList();
    ActiveVersions history = new ActiveVersions(System::nanoTime);
    AtomicInteger wrong = new AtomicInteger();
    List<String> ids = versions(callers.getFirst(), type);
    List<Register> registers = new ArrayList<>();
    callers.forEach(it -> registers.add(new Served(it, type, ids, history, tally, wrong)));
    play(run, type, registers);
    tally.end(history, wrong);
  }

  /** Versions of which the first is active. */
  private static List<String> versions(Calls calls, String type) {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < VERSIONS; i++) {
      RegisterModelVersionRequest request =
          RegisterModelVersionRequest.newBuilder().setModelType(type).setModelPath("m").build();
      Calls.End<ModelVersion> made =
          calls.call(ModelVersionServiceGrpc.getRegisterModelVersionMethod(), request);
      ids.add(answer(made).getId());
    }
    answer(
        calls.call(
            ModelVersionServiceGrpc.getPromoteModelVersionMethod(), promoting(ids.getFirst())));
    return ids;
  }

  private static <A> A answer(Calls.End<A> end) {
    A answer = end.answer();
    if (answer == null) {
      throw new IllegalStateException("a round can't begin: " + end);
    }
    return answer;
  }

  private static PromoteModelVersionRequest promoting(String id) {
    PromoteModelVersionRequest.Builder request =
        PromoteModelVersionRequest.newBuilder().setModelVersionId(id);
    Arrays.stream(Gate.values())
        .filter(gate -> gate != Gate.GATE_UNSPECIFIED && gate != Gate.UNRECOGNIZED)
        .forEach(gate ->
            request.addOverrides(GateOverride.newBuilder().setGate(gate).setReason("a test")));
    return request.build();
  }

  private static void play(Run run, String name, List<? extends Register> registers) {
    Threads.each(
        WRITERS + READERS,
        number -> {
          Random random = run.random(ID + name + number);
          Register register = registers.get(number % registers.size());
          for (int i = 0; i < (number < WRITERS ? WRITES : READS); i++) {
            if (number < WRITERS) {
              register.write(random);
            } else {
              register.read(i % 2 == 0);
            }
          }
        });
  }

  /** The service's own. */
  private record Served(
      Calls calls,
      String type,
      List<String> ids,
      ActiveVersions history,
      Tally tally,
      AtomicInteger wrong)
      implements Register {
    @Override
    public void write(Random random) {
      if (random.nextInt(3) == 0) {
        rollBack();
      } else {
        promote(random.nextInt(VERSIONS), random.nextBoolean() ? random.nextInt(VERSIONS) : -1);
      }
    }

    private void promote(int version, int expected) {
      PromoteModelVersionRequest.Builder request = promoting(ids.get(version)).toBuilder();
      if (expected >= 0) {
        request.setExpectedActiveVersionId(ids.get(expected));
      }
      long start = System.nanoTime();
      Calls.End<PromoteModelVersionResponse> end =
          calls.call(ModelVersionServiceGrpc.getPromoteModelVersionMethod(), request.build());
      Kind kind = expected < 0 ? Kind.PROMOTE : Kind.PROMOTE_IF;
      PromoteModelVersionResponse answer = end.answer();
      if (answer != null) {
        int before =
            answer.getGatesCount() == 0
                ? -1
                : ids.indexOf(answer.getActivation().getReplacedVersionId());
        int after = ids.indexOf(answer.getActivation().getModelVersionId());
        history.add(kind, version, expected, before, after, start);
      } else if (end.reason().equals("ACTIVE_VERSION_CHANGED")) {
        tally.refused.incrementAndGet();
        history.add(kind, version, expected, -1, -1, start);
      } else {
        strange(end);
      }
    }

    private void rollBack() {
      RollbackModelVersionRequest request =
          RollbackModelVersionRequest.newBuilder().setModelType(type).setReason("a test").build();
      long start = System.nanoTime();
      Calls.End<RollbackModelVersionResponse> end =
          calls.call(ModelVersionServiceGrpc.getRollbackModelVersionMethod(), request);
      RollbackModelVersionResponse answer = end.answer();
      if (answer != null) {
        int before = ids.indexOf(answer.getRolledBack().getId());
        int after = ids.indexOf(answer.getModelVersion().getId());
        history.add(Kind.ROLL_BACK, -1, -1, before, after, start);
      } else if (end.reason().equals("NO_PREVIOUS_VERSION")) {
        history.add(Kind.ROLL_BACK, -1, -1, -1, -1, start);
      } else {
        strange(end);
      }
    }

    private void strange(Calls.End<?> end) {
      if (TURNED_AWAY.contains(end.reason())) {
        tally.turnedAway.incrementAndGet(); // nothing was done
      } else if (tally.failed.getAndIncrement() == 0) {
        Report.say("  a caller was told: %s", end);
      }
    }

    @Override
    public void read(boolean all) {
      long start = System.nanoTime();
      List<String> active = all ? listed() : got();
      if (active.size() == 1) {
        history.add(Kind.READ, -1, -1, -1, ids.indexOf(active.getFirst()), start);
      } else {
        wrong.incrementAndGet();
      }
    }

    private List<String> got() {
      GetActiveModelVersionResponse answer =
          calls
              .call(
                  ModelVersionServiceGrpc.getGetActiveModelVersionMethod(),
                  GetActiveModelVersionRequest.newBuilder().setModelType(type).build())
              .answer();
      return answer == null ? List.of() : List.of(answer.getModelVersion().getId());
    }

    private List<String> listed() {
      ModelVersionFilter filter =
          ModelVersionFilter.newBuilder()
              .setModelType(TextFilter.newBuilder().addValues(type))
              .setIsActive(true)
              .build();
      ListModelVersionsResponse answer =
          calls
              .call(
                  ModelVersionServiceGrpc.getListModelVersionsMethod(),
                  ListModelVersionsRequest.newBuilder().setFilter(filter).build())
              .answer();
      return answer == null
          ? List.of()
          : answer.getModelVersionsList().stream().map(ModelVersion::getId).toList();
    }
  }

  private static void byHand(Run run, Victim victim, int round, Tally tally) throws Exception {
    victim.execute("DROP TABLE IF EXISTS public.models_by_hand");
    victim.execute(
        "CREATE TABLE public.models_by_hand AS"
            + " SELECT n AS version, n = 0 AS is_active FROM generate_series(0, %d) n"
                .formatted(VERSIONS - 1));
    ActiveVersions history = new ActiveVersions(System::nanoTime);
    AtomicInteger wrong = new AtomicInteger();
    List<ByHand> registers = new ArrayList<>();
    for (int i = 0; i < WRITERS + READERS; i++) {
      registers.add(new ByHand(victim.connect(), history, tally, wrong));
    }
    play(run, "by hand " + round, registers);
    for (ByHand register : registers) {
      register.connection().close();
    }
    tally.end(history, wrong);
  }

  /** As it is done without a service: deactivate, then activate. */
  private record ByHand(
      Connection connection, ActiveVersions history, Tally tally, AtomicInteger wrong)
      implements Register {
    @Override
    public void write(Random random) {
      int version = random.nextInt(VERSIONS);
      long start = System.nanoTime();
      List<Integer> before = active();
      if (!run("UPDATE public.models_by_hand SET is_active = false WHERE is_active", -1)
          || !run("UPDATE public.models_by_hand SET is_active = true WHERE version = ?", version)) {
        return;
      }
      int replaced = before.size() != 1 || before.getFirst() == version ? -1 : before.getFirst();
      history.add(Kind.PROMOTE, version, -1, replaced, version, start);
    }

    @Override
    public void read(boolean all) {
      long start = System.nanoTime();
      List<Integer> active = active();
      if (active.size() == 1) {
        history.add(Kind.READ, -1, -1, -1, active.getFirst(), start);
      } else {
        wrong.incrementAndGet();
      }
    }

    private List<Integer> active() {
      List<Integer> active = new ArrayList<>();
      try (PreparedStatement query =
              connection.prepareStatement(
                  "SELECT version FROM public.models_by_hand WHERE is_active");
          ResultSet rows = query.executeQuery()) {
        while (rows.next()) {
          active.add(rows.getInt(1));
        }
        return active;
      } catch (SQLException e) {
        throw new IllegalStateException(e);
      }
    }

    /** False if the database has chosen this one to end a deadlock. */
    private boolean run(String sql, int version) {
      try (PreparedStatement update = connection.prepareStatement(sql)) {
        if (version >= 0) {
          update.setInt(1, version);
        }
        update.executeUpdate();
        return true;
      } catch (SQLException e) {
        if (DEADLOCK.equals(e.getSQLState())) {
          return false;
        }
        throw new IllegalStateException(e);
      }
    }
  }
}
