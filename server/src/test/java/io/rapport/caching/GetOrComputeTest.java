package io.rapport.caching;

import static io.rapport.server.Given.identity;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Timestamps;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.rapport.caching.v1.Analysis;
import io.rapport.caching.v1.AnalysisKey;
import io.rapport.caching.v1.AnalysisValue;
import io.rapport.caching.v1.CacheKey;
import io.rapport.caching.v1.Dependency;
import io.rapport.caching.v1.EntryExplanation;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.GetPredictionResponse;
import io.rapport.caching.v1.ListPredictionsRequest;
import io.rapport.caching.v1.OpaqueValue;
import io.rapport.caching.v1.Prediction;
import io.rapport.caching.v1.PredictionCacheServiceGrpc;
import io.rapport.caching.v1.PredictionKey;
import io.rapport.caching.v1.PredictionValue;
import io.rapport.caching.v1.PutCondition;
import io.rapport.caching.v1.ReadOptions;
import io.rapport.caching.v1.UserEvents;
import io.rapport.client.AbortedException;
import io.rapport.client.AlreadyExistsException;
import io.rapport.client.BusyException;
import io.rapport.client.CacheLoader;
import io.rapport.client.CachesClient;
import io.rapport.client.ComputeOptions;
import io.rapport.client.PredictionCacheClient;
import io.rapport.client.RapportClient;
import io.rapport.server.Rapport;
import io.rapport.server.RapportServer;
import io.rapport.server.Tokens;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The SDK has a value computed once, whoever asks, and gives none that is out of date. */
@Timeout(30)
class GetOrComputeTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  /** Long before a lease is over. */
  private static final int AT_ONCE_SECONDS = 8;

  private static final ComputeOptions OPTIONS = ComputeOptions.defaults();

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final AtomicInteger loads = new AtomicInteger();
  private final ManagedChannel channel =
      NettyChannelBuilder.forAddress("127.0.0.1", rapport.port()).usePlaintext().build();
  private String user = "";
  private PredictionKey key = PredictionKey.getDefaultInstance();

  @BeforeEach
  void user() {
    rapport.client().events().track("page_view", identity("ada"));
    user = rapport.client().users().get(identity("ada")).orElseThrow().getId();
    key = key("a goal");
  }

  @AfterEach
  void end() {
    threads.shutdownNow();
    channel.shutdownNow();
  }

  @Test
  void computesOnceFor200ThreadsOfAClient() throws Exception {
    LossyChannel counting =
        new LossyChannel(channel, PredictionCacheServiceGrpc.getGetOrLeasePredictionMethod(), 0);
    PredictionCacheClient predictions = predictions(client(counting));
    CountDownLatch all = new CountDownLatch(200);
    List<Future<Prediction>> results = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      results.add(
          threads.submit(() -> {
            all.countDown();
            return predictions.getOrCompute(key, after(all));
          }));
    }

    for (Future<Prediction> result : results) {
      assertThat(text(result.get())).isEqualTo("computed 1");
    }
    assertThat(loads).hasValue(1);
    assertThat(counting.calls.get()).isBetween(1, 20);
  }

  @Test
  void computesOnceForManyClientsAtTwoServers() throws Exception {
    try (RapportServer other = rapport.serve(Map.of());
        RapportClient there = rapport.clientOf(other);
        RapportClient alsoThere = rapport.clientOf(other)) {
      List<RapportClient> clients = List.of(rapport.client(), there, alsoThere);
      CountDownLatch all = new CountDownLatch(60);
      List<Future<Prediction>> results = new ArrayList<>();
      for (int i = 0; i < 60; i++) {
        PredictionCacheClient predictions = predictions(clients.get(i % 3));
        results.add(
            threads.submit(() -> {
              all.countDown();
              return predictions.getOrCompute(key, after(all));
            }));
      }

      for (Future<Prediction> result : results) {
        assertThat(text(result.get())).isEqualTo("computed 1");
      }
      assertThat(loads).hasValue(1);
    }
  }

  @Test
  void givesTheStaleValueAndComputesInTheBackground() throws Exception {
    PredictionCacheClient predictions = predictions(rapport.client());
    keepStale("old");
    CountDownLatch go = new CountDownLatch(1);
    CountDownLatch loading = new CountDownLatch(1);
    CacheLoader<PredictionKey, PredictionValue> loader =
        context -> {
          loads.incrementAndGet();
          loading.countDown();
          go.await(AT_ONCE_SECONDS, TimeUnit.SECONDS);
          return value("new");
        };

    assertThat(text(predictions.getOrCompute(key, loader))).isEqualTo("old");
    loading.await();
    for (int i = 0; i < 20; i++) {
      assertThat(text(predictions.getOrCompute(key, loader))).isEqualTo("old");
    }
    go.countDown();

    until(() -> text(predictions.get(key, strong()).getPrediction()).equals("new"));
    assertThat(loads).hasValue(1);
  }

  @Test
  void tellsOfARefreshThatFailsAndLetsAnotherClientTry() throws Exception {
    keepStale("old");
    BlockingQueue<Throwable> told = new LinkedBlockingQueue<>();
    IllegalStateException failure = new IllegalStateException("no data");
    ComputeOptions options = OPTIONS.withRefreshFailures((failed, why) -> told.add(why));
    CacheLoader<PredictionKey, PredictionValue> failing =
        context -> {
          throw failure;
        };

    assertThat(text(predictions(rapport.client()).getOrCompute(key, options, failing)))
        .isEqualTo("old");

    assertThat(told.poll(AT_ONCE_SECONDS, TimeUnit.SECONDS)).isSameAs(failure);
    try (RapportClient other = rapport.clientOf(rapport.tenant())) {
      until(
          () -> text(predictions(other).getOrCompute(key, context -> value("new"))).equals("new"));
    }
  }

  @Test
  void letsAnotherClientComputeAtOnceWhenTheLoaderFails() throws Exception {
    CountDownLatch fail = new CountDownLatch(1);
    CountDownLatch loading = new CountDownLatch(1);
    Future<Prediction> failing =
        threads.submit(() ->
            predictions(rapport.client())
                .getOrCompute(
                    key,
                    context -> {
                      loading.countDown();
                      fail.await();
                      throw new IllegalStateException("no data");
                    }));
    loading.await();
    try (RapportClient other = rapport.clientOf(rapport.tenant())) {
      Future<Prediction> waiting =
          threads.submit(() -> predictions(other).getOrCompute(key, context -> value("theirs")));
      fail.countDown();

      assertThatThrownBy(failing::get).hasRootCauseInstanceOf(IllegalStateException.class);
      assertThat(text(waiting.get(AT_ONCE_SECONDS, TimeUnit.SECONDS))).isEqualTo("theirs");
    }
  }

  @Test
  void computesAgainWhatWasInvalidatedMeanwhile() {
    CachesClient caches = rapport.client().caches();
    Prediction computed =
        caches
            .predictions()
            .getOrCompute(
                key,
                context -> {
                  if (loads.incrementAndGet() == 1) {
                    caches.invalidate(List.of(CachesClient.keyOf(key)), "corrected");
                  }
                  return value("computed " + loads);
                });

    assertThat(text(computed)).isEqualTo("computed 2");
    assertThat(text(caches.predictions().get(key, strong()).getPrediction()))
        .isEqualTo("computed 2");
  }

  @Test
  void givesUpWhatIsInvalidatedEachTime() {
    CachesClient caches = rapport.client().caches();

    assertThatThrownBy(() ->
            caches
                .predictions()
                .getOrCompute(
                    key,
                    context -> {
                      loads.incrementAndGet();
                      caches.invalidateUser(user, "corrected");
                      return value("never");
                    }))
        .isInstanceOf(AbortedException.class)
        .hasMessageContaining("lost 4 times");
    assertThat(loads).hasValue(4);
  }

  @Test
  void givesNobodyWhatWasComputedBeforeTheirOwnWrite() throws Exception {
    Dependency events =
        Dependency.newBuilder()
            .setUserEvents(UserEvents.newBuilder().setUserId(user).setEventType("goal_set"))
            .build();
    ComputeOptions options = OPTIONS.withDependencies(events);
    CountDownLatch loading = new CountDownLatch(1);
    CountDownLatch done = new CountDownLatch(1);
    PredictionCacheClient predictions = predictions(rapport.client());
    Future<Prediction> before =
        threads.submit(() ->
            predictions.getOrCompute(
                key,
                options,
                context -> {
                  loading.countDown();
                  done.await();
                  return value("before");
                }));
    loading.await();
    rapport.client().events().track("goal_set", identity("ada"));
    Thread[] asking = new Thread[1];
    Future<Prediction> after =
        threads.submit(() -> {
          asking[0] = Thread.currentThread();
          return predictions.getOrCompute(key, options, context -> value("after"));
        });
    until(() -> asking[0] != null && asking[0].getState() == Thread.State.TIMED_WAITING);
    done.countDown();

    assertThat(text(before.get())).isEqualTo("before");
    assertThat(text(after.get())).isEqualTo("after");
  }

  @Test
  void givesUpWaitingWithoutComputing() throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    CountDownLatch loading = new CountDownLatch(1);
    Future<Prediction> first =
        threads.submit(() ->
            predictions(rapport.client())
                .getOrCompute(
                    key,
                    context -> {
                      loading.countDown();
                      done.await();
                      return value("slow");
                    }));
    loading.await();
    try (RapportClient other = rapport.clientOf(rapport.tenant())) {
      assertThatThrownBy(() ->
              predictions(other)
                  .getOrCompute(key, OPTIONS.withMaxWait(Duration.ofMillis(300)), this::counted))
          .isInstanceOf(BusyException.class);
    }
    done.countDown();

    assertThat(text(first.get())).isEqualTo("slow");
    assertThat(loads).hasValue(0);
  }

  @Test
  void keepsItsLeaseForAsLongAsItComputes() throws Exception {
    CachesClient caches = rapport.client().caches();
    ComputeOptions options = OPTIONS.withLeaseTime(Duration.ofMillis(500)).withHolder("worker 7");
    CountDownLatch loading = new CountDownLatch(1);
    Future<Prediction> first =
        threads.submit(() ->
            caches
                .predictions()
                .getOrCompute(
                    key,
                    options,
                    context -> {
                      Timestamp leased = explained(caches).getLease().getExpiresAt();
                      Timestamp later = Timestamps.add(leased, seconds(1));
                      loading.countDown();
                      until(() ->
                          Timestamps.compare(explained(caches).getLease().getExpiresAt(), later)
                              > 0);
                      assertThat(explained(caches).getLeaseHolder()).isEqualTo("worker 7");
                      return value("slow");
                    }));
    loading.await();
    try (RapportClient other = rapport.clientOf(rapport.tenant())) {
      assertThat(text(predictions(other).getOrCompute(key, this::counted))).isEqualTo("slow");
    }
    assertThat(text(first.get())).isEqualTo("slow");
    assertThat(loads).hasValue(0);
  }

  @Test
  void keepsOnceWhatItPutsAgainAfterALostAnswer() {
    LossyChannel lossy =
        new LossyChannel(channel, PredictionCacheServiceGrpc.getPutPredictionMethod(), 1);

    Prediction kept = predictions(client(lossy)).getOrCompute(key, this::counted);

    assertThat(text(kept)).isEqualTo("computed 1");
    assertThat(kept.getInfo().getEtag()).isNotEmpty();
    assertThat(predictions(rapport.client()).get(key, strong()).getPrediction()).isEqualTo(kept);
    assertThat(lossy.calls).hasValue(2);
    assertThat(loads).hasValue(1);
  }

  @Test
  void getsTheSameLeaseAgainAfterALostAnswer() throws Exception {
    LossyChannel lossy =
        new LossyChannel(channel, PredictionCacheServiceGrpc.getGetOrLeasePredictionMethod(), 1);
    PredictionCacheClient predictions = predictions(client(lossy));

    Future<Prediction> computed =
        threads.submit(() -> predictions.getOrCompute(key, this::counted));

    assertThat(text(computed.get(AT_ONCE_SECONDS, TimeUnit.SECONDS))).isEqualTo("computed 1");
    assertThat(lossy.calls).hasValue(2);
  }

  @Test
  void readsAndKeepsManyPredictions() {
    CachesClient caches = rapport.client().caches();
    List<Prediction> many =
        IntStream.range(0, 120).mapToObj(i -> prediction(key("goal " + i), "value " + i)).toList();

    List<Prediction> kept = caches.predictions().putAll(many);

    assertThat(kept).extracting(Prediction::getValue).isEqualTo(values(many));
    List<PredictionKey> keys = IntStream.range(0, 600).mapToObj(i -> key("goal " + i)).toList();
    List<GetPredictionResponse> read = caches.predictions().getAll(keys);
    assertThat(read).hasSize(600);
    assertThat(read.subList(0, 120))
        .extracting(GetPredictionResponse::getPrediction)
        .isEqualTo(kept);
    assertThat(read.subList(120, 600))
        .extracting(GetPredictionResponse::getState)
        .containsOnly(EntryInfo.State.ABSENT);
    ListPredictionsRequest ofUser =
        ListPredictionsRequest.newBuilder().setUserId(user).setPageSize(50).build();
    assertThat(caches.predictions().list(ofUser)).hasSize(120);
    List<CacheKey> all = keys.stream().map(CachesClient::keyOf).toList();
    assertThat(caches.invalidate(all, "a test")).isEqualTo(120);
    assertThat(caches.predictions().getAll(keys)).noneMatch(GetPredictionResponse::getHit);
  }

  @Test
  void readsLargeValuesInSeveralCalls() {
    String large = "x".repeat(500 * 1024);
    List<PredictionKey> keys = IntStream.range(0, 12).mapToObj(i -> key("goal " + i)).toList();
    PredictionCacheClient predictions = predictions(rapport.client());
    predictions.putAll(keys.stream().map(it -> prediction(it, large)).toList());

    List<GetPredictionResponse> read = predictions.getAll(keys, strong());

    assertThat(read).allMatch(GetPredictionResponse::getHit);
    assertThat(read).extracting(it -> it.getPrediction().getKey()).isEqualTo(keys);
  }

  @Test
  void putsOnConditionAndTouches() {
    CachesClient caches = rapport.client().caches();
    PutCondition absent = PutCondition.newBuilder().setIfAbsent(true).build();
    caches.predictions().put(prediction(key, "a value"), absent);
    Instant tomorrow = Instant.now().plus(Duration.ofDays(1));

    assertThatThrownBy(() -> caches.predictions().put(prediction(key, "another"), absent))
        .isInstanceOf(AlreadyExistsException.class);
    assertThat(caches.touch(CachesClient.keyOf(key), tomorrow).getExpiresAt().getSeconds())
        .isEqualTo(tomorrow.getEpochSecond());
    assertThat(explained(caches).getState()).isEqualTo(EntryInfo.State.FRESH);
  }

  @Test
  void hasAnAnalysisComputedOnceUntilItsContentChanges() {
    CachesClient caches = rapport.client().caches();
    AnalysisKey analysis =
        AnalysisKey.newBuilder().setType("summary").setUserId(user).setProjectId("p").build();

    for (String digest : List.of("a", "a", "b", "b")) {
      Analysis found =
          caches
              .analyses()
              .getOrCompute(
                  analysis,
                  OPTIONS.withContentHash(digest),
                  context ->
                      AnalysisValue.newBuilder()
                          .setOpaque(opaque("of " + digest + " " + loads.incrementAndGet()))
                          .build());
      assertThat(found.getInfo().getContentHash()).isEqualTo(digest);
    }

    assertThat(loads).hasValue(2);
    assertThat(caches.invalidateContent("b", "withdrawn")).isEqualTo(1);
    assertThat(caches.analyses().get(analysis, strong()).getState())
        .isEqualTo(EntryInfo.State.INVALID);
    Dependency tag = Dependency.newBuilder().setTag("t").build();
    caches
        .analyses()
        .getOrCompute(
            analysis,
            context -> {
              context.dependsOn(tag);
              return AnalysisValue.newBuilder().setOpaque(opaque("tagged")).build();
            });
    assertThat(caches.analyses().get(analysis, strong()).getHit()).isTrue();
    caches.invalidateDependents(tag, "withdrawn");
    assertThat(caches.analyses().get(analysis).getHit()).isFalse();
  }

  private RapportClient client(ManagedChannel channel) {
    return RapportClient.builder("given")
        .channel(channel)
        .token(rapport.tokens().of(rapport.tenant(), Tokens.ALL_RIGHTS))
        .build();
  }

  private void keepStale(String text) {
    PredictionCacheClient predictions = predictions(rapport.client());
    predictions.getOrCompute(
        key, OPTIONS.withRefreshAfter(Duration.ofMillis(1)), context -> value(text));
    until(() -> predictions.get(key, strong()).getState() == EntryInfo.State.STALE);
  }

  /** Computes when all have asked. */
  private CacheLoader<PredictionKey, PredictionValue> after(CountDownLatch all) {
    return context -> {
      all.await();
      return value("computed " + loads.incrementAndGet());
    };
  }

  private PredictionValue counted(Object context) {
    return value("computed " + loads.incrementAndGet());
  }

  private EntryExplanation explained(CachesClient caches) {
    return caches.explain(CachesClient.keyOf(key));
  }

  private PredictionKey key(String name) {
    return PredictionKey.newBuilder()
        .setUserId(user)
        .setType(PredictionKey.Type.GOAL)
        .setName(name)
        .build();
  }

  private static PredictionCacheClient predictions(RapportClient client) {
    return client.caches().predictions();
  }

  private static ReadOptions strong() {
    return ReadOptions.newBuilder().setConsistency(ReadOptions.Consistency.STRONG).build();
  }

  private static com.google.protobuf.Duration seconds(int seconds) {
    return com.google.protobuf.Duration.newBuilder().setSeconds(seconds).build();
  }

  private static Prediction prediction(PredictionKey key, String text) {
    return Prediction.newBuilder().setKey(key).setValue(value(text)).build();
  }

  private static List<PredictionValue> values(List<Prediction> all) {
    return all.stream().map(Prediction::getValue).toList();
  }

  private static PredictionValue value(String text) {
    return PredictionValue.newBuilder().setOpaque(opaque(text)).build();
  }

  private static OpaqueValue opaque(String text) {
    return OpaqueValue.newBuilder()
        .setData(ByteString.copyFromUtf8(text))
        .setMediaType("text/plain")
        .build();
  }

  private static String text(Prediction prediction) {
    return prediction.getValue().getOpaque().getData().toStringUtf8();
  }

  /** Asks again until it is so; the test's time limit ends it. */
  private static void until(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      Thread.onSpinWait();
    }
  }
}
