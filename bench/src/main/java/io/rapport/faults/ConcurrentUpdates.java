package io.rapport.faults;

import io.rapport.bench.Report;
import io.rapport.bench.ServerProcess;
import io.rapport.client.AbortedException;
import io.rapport.client.RapportClient;
import io.rapport.client.UsersClient;
import io.rapport.identity.v1.User;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.LongAdder;

/**
 * P14: an update by what was read never undoes another one. Clients of two servers add one, again
 * and again, to a number that a user has. Control: the same without an etag.
 */
final class ConcurrentUpdates implements Promise {
  private static final String ID = "P14";
  private static final int CLIENTS = 6;

  /** Writes a user as it shall be; throws ABORTED if another one was first. */
  private interface Writing {
    User write(UsersClient users, User changed);
  }

  /** A user with a number, and what those who added to it were told. */
  private static final class Counter {
    private final String email;
    private final Queue<Long> told = new ConcurrentLinkedQueue<>();
    private final LongAdder conflicts = new LongAdder();

    private Counter(String email) {
      this.email = email;
    }

    private User read(UsersClient users) {
      return users.byEmail(email).orElseThrow();
    }

    private void add(UsersClient users, Writing writing) {
      while (true) {
        User read = read(users);
        String next = String.valueOf(number(read) + 1);
        try {
          told.add(number(writing.write(users, read.toBuilder().setFirstName(next).build())));
          return;
        } catch (AbortedException conflict) {
          conflicts.increment();
        }
      }
    }

    private static long number(User user) {
      return Long.parseLong(user.getFirstName());
    }

    private Verdict.Figures figures(long counted) {
      return Verdict.of(ID)
          .with("clients", CLIENTS)
          .with("acked", told.size())
          .with("final", counted)
          .with("lost", lost())
          .with("conflicts", conflicts.sum());
    }

    /** Two that were told the same number: one of them undid the other. */
    private int lost() {
      return told.size() - new HashSet<>(told).size();
    }
  }

  @Override
  public List<Verdict> test(Run run) throws Exception {
    int each = run.pick(60, 600);
    try (Victim victim = Victim.serving();
        ServerProcess another = victim.another()) {
      UUID tenant = victim.newTenant();
      List<RapportClient> clients =
          List.of(victim.client(tenant), victim.client(another.port(), tenant).build());
      Counter guarded = new Counter("guarded@example.org");
      long counted = count(clients, guarded, each, ConcurrentUpdates::update);
      Counter careless = new Counter("careless@example.org");
      long miscounted = count(clients, careless, each, ConcurrentUpdates::upsert);
      clients.forEach(RapportClient::close);
      boolean all = guarded.told.size() == CLIENTS * each && counted == guarded.told.size();
      return List.of(
          guarded.figures(counted).met(all && guarded.lost() == 0 && guarded.conflicts.sum() > 0),
          careless
              .figures(miscounted)
              .failed(careless.lost() > 0 && miscounted < careless.told.size()));
    }
  }

  /** Lets all of them add; returns the number that is there in the end. */
  private static long count(
      List<RapportClient> clients, Counter counter, int each, Writing writing) {
    UsersClient first = clients.getFirst().users();
    var _ = first.create(User.newBuilder().setEmail(counter.email).setFirstName("0").build());
    Threads.each(
        CLIENTS,
        number -> {
          UsersClient users = clients.get(number % clients.size()).users();
          for (int i = 0; i < each; i++) {
            counter.add(users, writing);
          }
        });
    long counted = Counter.number(counter.read(first));
    Report.say("  %s: %d", counter.email, counted);
    return counted;
  }

  private static User update(UsersClient users, User changed) {
    return users.update(changed, "first_name");
  }

  /** Looks at no etag. */
  private static User upsert(UsersClient users, User changed) {
    return users.upsert(
        User.newBuilder()
            .setEmail(changed.getEmail())
            .setFirstName(changed.getFirstName())
            .build());
  }
}
