package io.rapport.faults;

import io.grpc.ManagedChannel;
import io.rapport.bench.Report;
import io.rapport.bench.ServerProcess;
import io.rapport.caching.v1.AnalysisKey;
import io.rapport.caching.v1.CacheKey;
import io.rapport.caching.v1.CacheServiceGrpc;
import io.rapport.caching.v1.Dependency;
import io.rapport.caching.v1.InvalidateEntriesRequest;
import io.rapport.caching.v1.PredictionKey;
import io.rapport.caching.v1.ReadOptions;
import io.rapport.caching.v1.ReadOptions.Consistency;
import io.rapport.identity.v1.CreateUserRequest;
import io.rapport.identity.v1.User;
import io.rapport.identity.v1.UserServiceGrpc;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * P19: a value is found under its own key alone. Two tenants have the same users, and many keys
 * that look alike; each puts values under every other of them and reads all. Then another version
 * of the model is deployed. Control: callers that join the parts of their keys to one name.
 */
final class CacheKeys implements Promise {
  private static final String ID = "P19";
  private static final long DEADLINE = 20_000;
  private static final long BOUND_MILLIS = 100;
  private static final List<PredictionKey.Type> TYPES =
      List.of(
          PredictionKey.Type.SPENDING, PredictionKey.Type.GOAL, PredictionKey.Type.RECOMMENDATION);

  /** Of few pieces, so that the same text comes about in other fields too. */
  private static final List<String> PIECES =
      List.of(":", "a", "b", "ab", "1", "12", "|", "/", " ", "\u0001", "\u001f", "\\", "é", "v1");

  /** What reads gave. */
  private static final class Tally {
    private int reads;
    private int own;
    private int collisions;
    private int missing;

    private void count(List<Long> expected, List<Long> given) {
      for (int i = 0; i < expected.size(); i++) {
        count(expected.get(i), given.get(i));
      }
    }

    private void count(Long expected, Long given) {
      reads++;
      if (given.equals(expected)) {
        own += given.equals(CacheShelf.MISS) ? 0 : 1;
      } else if (given.equals(CacheShelf.MISS)) {
        missing++;
      } else {
        collisions++;
      }
    }

    private Verdict.Figures figures(int keys) {
      return Verdict.of(ID)
          .with("keys", keys)
          .with("reads", reads)
          .with("own_values", own)
          .with("missing", missing)
          .with("collisions", collisions);
    }
  }

  @Override
  public List<Verdict> test(Run run) throws Exception {
    int count = run.pick(2_000, 20_000);
    try (Victim victim = Victim.serving();
        ServerProcess another = victim.another()) {
      List<ManagedChannel> channels =
          List.of(Victim.channel(victim.port()), Victim.channel(another.port()));
      List<String> users = List.of(Make.id(), Make.id());
      Random random = run.random(ID);
      List<CacheKey> predictions = keys(count, () -> prediction(random, users));
      List<Calls> first = tenant(victim, channels, users);
      List<Calls> second = tenant(victim, channels, users);
      Tally tally = new Tally();
      readOwn(tally, CacheShelf.PREDICTIONS, predictions, first, second);
      readOwn(
          tally, CacheShelf.ANALYSES, keys(count, () -> analysis(random, users)), first, second);
      int stale = hitsAfterDeployment(first, predictions);
      Tally joined = joined(tenant(victim, channels, users), predictions);
      channels.forEach(ManagedChannel::shutdownNow);
      return List.of(
          tally
              .figures(2 * count)
              .with("stale_version_hits", stale)
              .met(tally.collisions == 0 && tally.missing == 0 && tally.own > count && stale == 0),
          joined.figures(count).failed(joined.collisions > 0));
    }
  }

  /** A tenant that has these users, and callers of it at each server. */
  private static List<Calls> tenant(
      Victim victim, List<ManagedChannel> channels, List<String> users) throws Exception {
    String token = victim.token(victim.newTenant());
    List<Calls> calls =
        channels.stream().map(channel -> new Calls(channel, token, DEADLINE)).toList();
    for (String user : users) {
      User made = User.newBuilder().setId(user).setEmail(user + "@example.org").build();
      Calls.End<User> end =
          calls
              .getFirst()
              .call(
                  UserServiceGrpc.getCreateUserMethod(),
                  CreateUserRequest.newBuilder().setUser(made).build());
      if (!end.ok()) {
        throw new IllegalStateException("a user wasn't made: " + end);
      }
    }
    return calls;
  }

  private static List<CacheKey> keys(int count, Supplier<CacheKey> next) {
    return Stream.generate(next).distinct().limit(count).toList();
  }

  private static CacheKey prediction(Random random, List<String> users) {
    return CacheKey.newBuilder()
        .setPrediction(
            PredictionKey.newBuilder()
                .setUserId(pick(random, users))
                .setType(pick(random, TYPES))
                .setName(text(random))
                .setModelVersion(text(random)))
        .build();
  }

  private static CacheKey analysis(Random random, List<String> users) {
    return CacheKey.newBuilder()
        .setAnalysis(
            AnalysisKey.newBuilder()
                .setUserId(pick(random, users))
                .setType(text(random) + "a")
                .setProjectId(text(random) + "a")
                .setConversationId(text(random))
                .setName(text(random))
                .setDataVersion(text(random) + "v")
                .setModelVersion(text(random)))
        .build();
  }

  private static <T> T pick(Random random, List<T> of) {
    return of.get(random.nextInt(of.size()));
  }

  private static String text(Random random) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(4); i > 0; i--) {
      text.append(pick(random, PIECES));
    }
    return text.toString();
  }

  /** One tenant has the first of each two keys, the other the second; both ask for all. */
  private static void readOwn(
      Tally tally, CacheShelf shelf, List<CacheKey> keys, List<Calls> first, List<Calls> second) {
    List<Long> even = everyOther(keys, 0);
    List<Long> odd = everyOther(keys, 1);
    put(shelf, first, keys, even);
    put(shelf, second, keys, odd);
    read(tally, shelf, first, keys, even);
    read(tally, shelf, second, keys, odd);
  }

  private static List<Long> everyOther(List<CacheKey> keys, int from) {
    return IntStream.range(0, keys.size())
        .mapToObj(i -> i % 2 == from ? Long.valueOf(i) : CacheShelf.MISS)
        .toList();
  }

  private static void put(
      CacheShelf shelf, List<Calls> callers, List<CacheKey> keys, List<Long> numbers) {
    List<CacheShelf.Numbered> values = new ArrayList<>();
    for (int i = 0; i < keys.size(); i++) {
      if (!numbers.get(i).equals(CacheShelf.MISS)) {
        values.add(new CacheShelf.Numbered(keys.get(i), numbers.get(i)));
      }
    }
    shelf.put(callers.getFirst(), values);
  }

  /** From the database and from each server's memory. */
  private static void read(
      Tally tally,
      CacheShelf shelf,
      List<Calls> callers,
      List<CacheKey> keys,
      List<Long> expected) {
    for (Calls calls : callers) {
      for (Consistency consistency :
          List.of(Consistency.STRONG, Consistency.BOUNDED, Consistency.BOUNDED)) {
        tally.count(expected, shelf.get(calls, keys, options(consistency)));
      }
    }
  }

  private static ReadOptions options(Consistency consistency) {
    return ReadOptions.newBuilder().setConsistency(consistency).build();
  }

  /** How many values are given still when each type has been told of another model. */
  private static int hitsAfterDeployment(List<Calls> callers, List<CacheKey> keys) {
    for (PredictionKey.Type type : TYPES) {
      String model = type.name().toLowerCase(Locale.ROOT);
      InvalidateEntriesRequest request =
          InvalidateEntriesRequest.newBuilder()
              .setDependency(Dependency.newBuilder().setModelType(model))
              .build();
      var end = callers.getFirst().call(CacheServiceGrpc.getInvalidateEntriesMethod(), request);
      if (!end.ok()) {
        throw new IllegalStateException("a deployment wasn't told: " + end);
      }
    }
    int hits = hits(callers, keys, Consistency.STRONG);
    Threads.sleep(BOUND_MILLIS);
    return hits + hits(callers, keys, Consistency.BOUNDED);
  }

  private static int hits(List<Calls> callers, List<CacheKey> keys, Consistency consistency) {
    int hits = 0;
    for (Calls calls : callers) {
      List<Long> given = CacheShelf.PREDICTIONS.get(calls, keys, options(consistency));
      hits += (int) given.stream().filter(it -> !it.equals(CacheShelf.MISS)).count();
    }
    return hits;
  }

  private static Tally joined(List<Calls> callers, List<CacheKey> keys) {
    List<CacheKey> names = keys.stream().map(CacheKeys::joined).toList();
    List<Long> numbers = everyOther(keys, 0);
    Map<CacheKey, CacheShelf.Numbered> values = new LinkedHashMap<>();
    for (int i = 0; i < names.size(); i += 2) {
      values.putIfAbsent(names.get(i), new CacheShelf.Numbered(names.get(i), numbers.get(i)));
    }
    CacheShelf.PREDICTIONS.put(callers.getFirst(), List.copyOf(values.values()));
    Report.say("  %d keys are %d when joined", keys.size(), Set.copyOf(names).size());
    Tally tally = new Tally();
    read(tally, CacheShelf.PREDICTIONS, callers, names, numbers);
    return tally;
  }

  /** A key whose name has all the parts of another. */
  private static CacheKey joined(CacheKey key) {
    PredictionKey of = key.getPrediction();
    String name = String.join(":", of.getType().name(), of.getName(), of.getModelVersion());
    return CacheKey.newBuilder()
        .setPrediction(Predictions.keyOf(of.getUserId()).toBuilder().setName(name))
        .build();
  }
}
