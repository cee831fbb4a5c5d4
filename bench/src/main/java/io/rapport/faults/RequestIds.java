package io.rapport.faults;

import io.rapport.bench.Report;
import io.rapport.bench.ServerProcess;
import io.rapport.faults.NamedWrites.Told;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;

/**
 * P8: a request id stands for one effect and one answer, for callers at the same time, after a
 * crash at the worst moments and after a restart. Control: a service that remembers the id after
 * the work.
 */
final class RequestIds implements Promise {
  private static final String ID = "P8";
  private static final int DUPLICATES = 50;
  private static final List<String> POINTS =
      List.of("idem.afterReserve", "tx.beforeCommit", "tx.afterCommitBeforeReply");

  /** What each key was answered, and the request id that it went by. */
  private static final class Answers {
    private final Map<String, String> ids = new LinkedHashMap<>();
    private final Map<String, Set<String>> texts = new ConcurrentHashMap<>();
    private final Set<String> failed = ConcurrentHashMap.newKeySet();

    private Answers(int keys, String prefix) {
      for (int i = 0; i < keys; i++) {
        ids.put(i % 4 == 3 ? ServiceWrites.TENANT + " " + prefix + i : prefix + i, Make.id());
      }
    }

    private void add(String key, Told told) {
      texts.computeIfAbsent(key, it -> ConcurrentHashMap.newKeySet()).add(told.text());
      if (!told.ok()) {
        failed.add(key + ": " + told.text());
      }
    }

    private int most() {
      return texts.values().stream().mapToInt(Set::size).max().orElse(0);
    }
  }

  @Override
  public List<Verdict> test(Run run) throws Exception {
    int keys = run.pick(24, 10_000);
    try (Victim victim = Victim.serving();
        ServiceWrites writes = ServiceWrites.of(victim, victim.newTenant());
        StandIn late = new StandIn(victim, StandIn.Fault.REMEMBERS_AFTER_THE_WORK)) {
      Answers answers = new Answers(keys, "key ");
      callInParallel(writes, answers);
      int crashes = crash(victim, writes, answers, run.pick(1, 5));
      victim.server().kill();
      victim.start();
      for (Map.Entry<String, String> key : answers.ids.entrySet()) {
        answers.add(key.getKey(), writes.call(key.getValue(), key.getKey()));
      }
      return List.of(verdict(writes, answers, crashes), control(late, run));
    }
  }

  private static Verdict verdict(ServiceWrites writes, Answers answers, int crashes)
      throws Exception {
    Map<String, Integer> effects = writes.effects();
    long wrong =
        answers.ids.keySet().stream().filter(key -> effects.getOrDefault(key, 0) != 1).count();
    answers.failed.stream().limit(5).forEach(it -> Report.say("  no answer for %s", it));
    return Verdict.of(ID)
        .with("keys", answers.ids.size())
        .with("duplicates", DUPLICATES)
        .with("crashes", crashes)
        .with("effects_per_key", most(effects, answers))
        .with("keys_without_one_effect", wrong)
        .with("answers_distinct", answers.most())
        .with("unanswered", answers.failed.size())
        .met(wrong == 0 && answers.most() == 1 && answers.failed.isEmpty());
  }

  private static int most(Map<String, Integer> effects, Answers answers) {
    return answers.ids.keySet().stream()
        .mapToInt(key -> effects.getOrDefault(key, 0))
        .max()
        .orElse(0);
  }

  private static void callInParallel(NamedWrites writes, Answers answers) throws Exception {
    writes.prepare(answers.ids.keySet());
    for (Map.Entry<String, String> key : answers.ids.entrySet()) {
      CountDownLatch start = new CountDownLatch(1);
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < DUPLICATES; i++) {
        threads.add(
            Thread.startVirtualThread(() -> {
              try {
                start.await();
                answers.add(key.getKey(), writes.call(key.getValue(), key.getKey()));
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            }));
      }
      start.countDown();
      for (Thread thread : threads) {
        thread.join();
      }
    }
  }

  /** Lets servers die at each point, and asks again at another; returns how many died. */
  private static int crash(Victim victim, ServiceWrites writes, Answers answers, int rounds)
      throws Exception {
    int crashes = 0;
    for (int round = 0; round < rounds; round++) {
      for (String point : POINTS) {
        String key = "crash " + round + " " + point;
        answers.ids.put(key, Make.id());
        writes.prepare(List.of(key));
        crashes += crashAt(victim, writes, answers, point, key) ? 1 : 0;
      }
    }
    return crashes;
  }

  private static boolean crashAt(
      Victim victim, ServiceWrites writes, Answers answers, String point, String key)
      throws Exception {
    String id = String.valueOf(answers.ids.get(key));
    try (ServerProcess dying = victim.anotherWith(point + "=halt");
        ServiceWrites toIt = writes.at(dying.port())) {
      toIt.callOnce(id, key);
      answers.add(key, writes.call(id, key));
      answers.add(key, writes.call(id, key));
      boolean died = !dying.isAlive();
      if (!died) {
        answers.failed.add(key + ": the server didn't die");
      }
      return died;
    }
  }

  private static Verdict control(StandIn late, Run run) throws Exception {
    Answers answers = new Answers(run.pick(24, 200), "key ");
    callInParallel(late, answers);
    int most = most(late.effects(), answers);
    return Verdict.of(ID)
        .with("keys", answers.ids.size())
        .with("duplicates", DUPLICATES)
        .with("effects_per_key", most)
        .with("answers_distinct", answers.most())
        .failed(most > 1);
  }
}
