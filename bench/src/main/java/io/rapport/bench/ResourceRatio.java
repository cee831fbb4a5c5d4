package io.rapport.bench;

import io.rapport.identity.v1.BatchUpsertUsersRequest;
import io.rapport.identity.v1.GetUserRequest;
import io.rapport.identity.v1.User;
import io.rapport.identity.v1.UserServiceGrpc.UserServiceBlockingStub;
import io.rapport.platform.v1.UpsertOutcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;

/** Users through the resource engine, against the same written by hand for users alone. */
final class ResourceRatio implements Ratio {
  private static final double TARGET = 0.9;
  private static final int THREADS = 4;
  private static final int BATCH = 100;
  private static final int BATCHES = 20;

  private final AtomicLong turn = new AtomicLong();

  @Override
  public List<Result> measure(Site site, Samples samples, Settings settings) throws Exception {
    try (UserServers servers = new UserServers(site.database())) {
      List<String> ids = new ArrayList<>();
      for (int i = 0; i < BATCHES; i++) {
        ids.addAll(upsert(servers.engine(), i, 0));
      }
      Load get = new Load(site, settings, "resource_get");
      Load upsert = new Load(site, settings, "resource_upsert_100");
      return List.of(
          get.compare(() -> get(servers.engine(), ids), () -> get(servers.byHand(), ids)),
          upsert.compare(() -> change(servers.engine()), () -> change(servers.byHand())));
    }
  }

  private void get(UserServiceBlockingStub users, List<String> ids) {
    String id = ids.get((int) (turn.getAndIncrement() % ids.size()));
    require(users.getUser(GetUserRequest.newBuilder().setId(id).build()).getId().equals(id));
  }

  /** Changes 100 users. */
  private void change(UserServiceBlockingStub users) {
    long now = turn.getAndIncrement();
    require(upsert(users, (int) (now % BATCHES), now).size() == BATCH);
  }

  private static List<String> upsert(UserServiceBlockingStub users, int batch, long version) {
    BatchUpsertUsersRequest.Builder request = BatchUpsertUsersRequest.newBuilder();
    for (int i = 0; i < BATCH; i++) {
      request.addUsers(
          User.newBuilder()
              .setEmail("user-" + batch + "-" + i + "@example.org")
              .setFirstName("First " + version)
              .setLastName("Last " + i)
              .setPhoneNumber("+44 20 7946 " + i)
              .setRole(User.Role.VIEW));
    }
    return users.batchUpsertUsers(request.build()).getOutcomesList().stream()
        .map(UpsertOutcome::getId)
        .toList();
  }

  private static void require(boolean holds) {
    if (!holds) {
      throw new IllegalStateException("a call was not answered as it must be");
    }
  }

  private record Load(Site site, Settings settings, String name) {
    Result compare(Runnable engine, Runnable byHand) throws Exception {
      Report.say(" %s", name);
      run(engine, settings.warmUp());
      run(byHand, settings.warmUp());
      Pairs.Runs runs =
          new Pairs(site, settings, name).run(() -> measured(engine), () -> measured(byHand));
      return Result.ratio(name, runs.ratios(), TARGET, runs.steal());
    }

    private Run measured(Runnable call) throws Exception {
      return Run.of(site, () -> run(call, settings.span()));
    }

    private static long run(Runnable call, Duration span) throws Exception {
      long end = System.nanoTime() + span.toNanos();
      List<Future<Long>> counts = new ArrayList<>();
      try (ExecutorService workers = Executors.newFixedThreadPool(THREADS)) {
        for (int i = 0; i < THREADS; i++) {
          counts.add(workers.submit(() -> repeat(call, end)));
        }
        long calls = 0;
        for (Future<Long> count : counts) {
          calls += count.get();
        }
        return calls;
      }
    }

    private static long repeat(Runnable call, long end) {
      long calls = 0;
      while (System.nanoTime() < end) {
        call.run();
        calls++;
      }
      return calls;
    }
  }
}
