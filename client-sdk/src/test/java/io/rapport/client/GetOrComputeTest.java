package io.rapport.client;

import static io.rapport.client.InProcess.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.rapport.caching.v1.Dependency;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.GetPredictionResponse;
import io.rapport.caching.v1.OpaqueValue;
import io.rapport.caching.v1.Prediction;
import io.rapport.caching.v1.PredictionKey;
import io.rapport.caching.v1.PredictionValue;
import io.rapport.caching.v1.PutPredictionRequest;
import io.rapport.caching.v1.ReadOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class GetOrComputeTest {
  private static final PredictionKey KEY = key("a goal");
  private static final ComputeOptions OPTIONS = ComputeOptions.defaults();

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final AtomicInteger loads = new AtomicInteger();
  private InProcess it;
  private PredictionCacheClient predictions;

  @BeforeEach
  void begin() throws IOException {
    it = new InProcess();
    predictions = it.client.caches().predictions();
  }

  @AfterEach
  void end() {
    threads.shutdownNow();
    it.client.close();
    it.close();
  }

  @Test
  void givesWhatIsThere() {
    it.cache.asking = (call, request) -> FakeCache.hit(prediction("kept"));

    assertThat(text(get())).isEqualTo("kept");
    assertThat(loads).hasValue(0);
  }

  @Test
  void keepsWhatTheLoaderSays() {
    Dependency goal = Dependency.newBuilder().setGoalId("g").build();
    Dependency tag = Dependency.newBuilder().setTag("t").build();
    ComputeOptions options =
        OPTIONS
            .withContentHash("digest")
            .withDependencies(goal)
            .withLifetime(Duration.ofHours(2))
            .withRefreshAfter(Duration.ofHours(1))
            .withHolder("worker 7");

    predictions.getOrCompute(
        KEY,
        options,
        context -> {
          context.dependsOn(tag).dependsOn(goal).info().setAiModel("m").setConfidence(0.5);
          return value(context.key().getName());
        });

    assertThat(it.cache.asked)
        .singleElement()
        .satisfies(request -> {
          assertThat(request.getOptions().getContentHash()).isEqualTo("digest");
          assertThat(request.getDependenciesList()).containsExactly(goal);
          assertThat(request.getHolder()).isEqualTo("worker 7");
          assertThat(request.getLeaseTime().getSeconds()).isEqualTo(30);
          assertThat(request.getMaxWait().getSeconds()).isBetween(28L, 30L);
        });
    Prediction put = it.cache.puts.get(0).getPrediction();
    assertThat(text(put)).isEqualTo("a goal");
    assertThat(put.getInfo().getDependenciesList()).containsExactlyInAnyOrder(goal, tag);
    assertThat(put.getInfo().getContentHash()).isEqualTo("digest");
    assertThat(put.getInfo().getAiModel()).isEqualTo("m");
    assertThat(put.getInfo().getConfidence()).isEqualTo(0.5);
    assertThat(put.getInfo().getGenerationTime()).isNotEqualTo(Times.duration(Duration.ZERO));
    long refreshAfter = put.getInfo().getRefreshAfter().getSeconds();
    assertThat(put.getInfo().getExpiresAt().getSeconds() - refreshAfter).isEqualTo(3600);
    assertThat(it.cache.released).isEmpty();
  }

  @Test
  void readsAgainForACallerWhoHasWrittenSince() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    it.cache.asking =
        (call, request) -> {
          if (call == 1) {
            asked.countDown();
            answer.await();
          }
          return FakeCache.hit(prediction("read " + call));
        };
    Future<Prediction> before = threads.submit(() -> get());
    asked.await();
    it.client.atLeast("1");
    Waiting after = new Waiting(this::get);
    answer.countDown();

    assertThat(text(before.get())).isEqualTo("read 1");
    assertThat(text(after.result.get())).isEqualTo("read 2");
  }

  @Test
  void givesOneAnswerToAllWhoAskedBefore() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    it.cache.asking =
        (call, request) -> {
          asked.countDown();
          answer.await();
          return FakeCache.hit(prediction("read " + call));
        };
    Future<Prediction> first = threads.submit(() -> get());
    asked.await();
    List<Waiting> others = IntStream.range(0, 5).mapToObj(i -> new Waiting(this::get)).toList();
    answer.countDown();

    first.get();
    for (Waiting other : others) {
      other.result.get();
    }
    assertThat(it.cache.asked).hasSizeLessThanOrEqualTo(2);
  }

  @Test
  void asksAnewForAStrongRead() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    it.cache.asking =
        (call, request) -> {
          asked.countDown();
          answer.await();
          return FakeCache.hit(prediction("read " + call));
        };
    ComputeOptions strong = OPTIONS.withConsistency(ReadOptions.Consistency.STRONG);
    Future<Prediction> first = threads.submit(() -> get(strong));
    asked.await();
    Waiting later = new Waiting(() -> get(strong));
    answer.countDown();

    assertThat(text(first.get())).isEqualTo("read 1");
    assertThat(text(later.result.get())).isEqualTo("read 2");
  }

  @Test
  void tellsAllWhoWaitHowTheLoaderFailed() throws Exception {
    CountDownLatch loading = new CountDownLatch(1);
    CountDownLatch fail = new CountDownLatch(1);
    IllegalStateException failure = new IllegalStateException("no data");
    CacheLoader<PredictionKey, PredictionValue> failing =
        context -> {
          loads.incrementAndGet();
          loading.countDown();
          fail.await();
          throw failure;
        };
    Future<Prediction> first = threads.submit(() -> predictions.getOrCompute(KEY, failing));
    loading.await();
    Waiting other = new Waiting(() -> predictions.getOrCompute(KEY, failing));
    fail.countDown();

    assertThatThrownBy(first::get).cause().isSameAs(failure);
    assertThatThrownBy(other.result::get).cause().isSameAs(failure);
    assertThat(loads).hasValue(1);
    until(() -> it.cache.released.size() == 1);
  }

  @Test
  void wrapsCheckedExceptions() {
    IOException failure = new IOException("no data");

    assertThatThrownBy(() ->
            predictions.getOrCompute(
                KEY,
                context -> {
                  throw failure;
                }))
        .isInstanceOf(LoadFailedException.class)
        .cause()
        .isSameAs(failure);
  }

  @Test
  void goesOnForOthersWhenTheComputingThreadIsInterrupted() throws Exception {
    CountDownLatch loading = new CountDownLatch(1);
    CountDownLatch never = new CountDownLatch(1);
    AtomicReference<Thread> computing = new AtomicReference<>();
    Future<Prediction> first =
        threads.submit(() ->
            predictions.getOrCompute(
                KEY,
                context -> {
                  computing.set(Thread.currentThread());
                  loading.countDown();
                  never.await();
                  return value("never");
                }));
    loading.await();
    Waiting other = new Waiting(this::get);
    computing.get().interrupt();

    assertThatThrownBy(first::get).hasRootCauseInstanceOf(InterruptedException.class);
    assertThat(text(other.result.get())).isEqualTo("computed");
  }

  @Test
  void refusesALoaderThatAsksForItsOwnKey() {
    assertThatThrownBy(() -> predictions.getOrCompute(KEY, context -> get().getValue()))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void givesUpAloneWhenItsOwnTimeIsOver() throws Exception {
    CountDownLatch loading = new CountDownLatch(1);
    CountDownLatch done = new CountDownLatch(1);
    Future<Prediction> first =
        threads.submit(() ->
            predictions.getOrCompute(
                KEY,
                context -> {
                  loading.countDown();
                  done.await();
                  return value("slow");
                }));
    loading.await();

    assertThatThrownBy(() -> get(OPTIONS.withMaxWait(Duration.ofMillis(20))))
        .isInstanceOf(BusyException.class);
    done.countDown();
    assertThat(text(first.get())).isEqualTo("slow");
  }

  @Test
  void doesNotTakeAnotherThreadsReadForAComputation() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    it.cache.asking =
        (call, request) -> {
          asked.countDown();
          answer.await();
          return FakeCache.hit(prediction("kept"));
        };
    Future<Prediction> first = threads.submit(() -> get());
    asked.await();
    Waiting impatient = new Waiting(() -> get(OPTIONS.withMaxWait(Duration.ZERO)));
    answer.countDown();

    assertThat(text(first.get())).isEqualTo("kept");
    assertThat(text(impatient.result.get())).isEqualTo("kept");
  }

  @Test
  void asksAgainWhileAnotherClientComputes() {
    it.cache.asking =
        (call, request) -> call < 4 ? FakeCache.busy() : FakeCache.hit(prediction("theirs"));

    assertThat(text(get())).isEqualTo("theirs");
    assertThat(loads).hasValue(0);
  }

  @Test
  void givesUpWhenAnotherClientComputesForTooLong() {
    it.cache.asking = (call, request) -> FakeCache.busy();

    assertThatThrownBy(() -> get(OPTIONS.withMaxWait(Duration.ofMillis(200))))
        .isInstanceOf(BusyException.class);
    assertThat(loads).hasValue(0);
    assertThat(it.cache.asked.size()).isBetween(2, 200);
  }

  @Test
  void renewsTheLeaseWhileItComputes() {
    predictions.getOrCompute(
        KEY,
        OPTIONS.withLeaseTime(Duration.ofMillis(100)),
        context -> {
          until(() -> it.cache.renewed.size() >= 3);
          return value("slow");
        });

    assertThat(Set.copyOf(it.cache.renewed))
        .containsExactly(it.cache.puts.get(0).getCondition().getLeaseId());
  }

  @Test
  void computesAgainWhenTheLeaseIsLost() {
    it.cache.putting =
        (call, request) -> {
          if (call < 3) {
            throw Faults.of(Status.Code.ABORTED, "LEASE_LOST");
          }
          return request.getPrediction();
        };

    assertThat(text(get())).isEqualTo("computed");
    assertThat(loads).hasValue(3);
  }

  @Test
  void givesUpWhenTheLeaseIsLostTimeAndAgain() {
    it.cache.putting =
        (call, request) -> {
          throw Faults.of(Status.Code.ABORTED, "LEASE_LOST");
        };

    assertThatThrownBy(this::get)
        .isInstanceOf(AbortedException.class)
        .hasMessageContaining("lost 4 times");
    assertThat(loads).hasValue(4);
  }

  @Test
  void putsAgainUnderTheSameIdWhenTheAnswerIsLost() {
    it.cache.putting =
        (call, request) -> {
          if (call == 1) {
            throw Status.UNAVAILABLE.asRuntimeException();
          }
          return request.getPrediction();
        };

    assertThat(text(get())).isEqualTo("computed");
    assertThat(loads).hasValue(1);
    assertThat(it.cache.puts)
        .hasSize(2)
        .extracting(PutPredictionRequest::getRequestId)
        .doesNotContain("");
    assertThat(Set.copyOf(it.cache.puts)).hasSize(1);
  }

  @Test
  void computesAgainWhenTheLeaseIsLostAfterAnAnswerWas() {
    it.cache.putting =
        (call, request) ->
            switch (call) {
              case 1 -> throw Status.UNAVAILABLE.asRuntimeException();
              case 2 -> throw Faults.of(Status.Code.ABORTED, "LEASE_LOST");
              default -> request.getPrediction();
            };

    assertThat(text(get())).isEqualTo("computed");
    assertThat(loads).hasValue(2);
  }

  @Test
  void keepsTheLeaseWhenItDoesNotKnowWhetherThePutWasDone() throws Exception {
    it.cache.putting =
        (call, request) -> {
          throw Status.UNAVAILABLE.asRuntimeException();
        };

    assertThatThrownBy(this::get).isInstanceOf(UnknownOutcomeException.class);
    assertThat(loads).hasValue(1);
    it.channel().shutdown().awaitTermination(10, TimeUnit.SECONDS);
    assertThat(it.cache.released).isEmpty();
  }

  @Test
  void releasesTheLeaseWhenThePutIsRefused() {
    it.cache.putting =
        (call, request) -> {
          throw Faults.of(Status.Code.INVALID_ARGUMENT, "INVALID_FIELD");
        };

    assertThatThrownBy(this::get).isInstanceOf(InvalidArgumentException.class);
    until(() -> it.cache.released.size() == 1);
  }

  @Test
  void failsWithoutTheService() {
    it.cache.asking =
        (call, request) -> {
          throw Faults.of(Status.Code.UNAVAILABLE, "OVERLOADED");
        };

    assertThatThrownBy(this::get).isInstanceOf(UnavailableException.class);
    assertThat(loads).hasValue(0);
    assertThat(it.cache.asked).hasSize(3);
  }

  @Test
  void asksForTheSameLeaseAgainAndGivesItUpWhenNoAnswerComes() {
    it.cache.asking =
        (call, request) -> {
          throw Status.UNAVAILABLE.asRuntimeException();
        };

    assertThatThrownBy(this::get).isInstanceOf(UnknownOutcomeException.class);

    assertThat(it.cache.asked).hasSize(3);
    String leaseId = it.cache.asked.get(0).getLeaseId();
    assertThat(leaseId).isNotEmpty();
    assertThat(it.cache.asked).allMatch(request -> request.getLeaseId().equals(leaseId));
    until(() -> it.cache.released.size() == 1);
    assertThat(it.cache.released).containsExactly(leaseId);
  }

  @Test
  void computesWithoutTheServiceIfAskedTo() {
    it.cache.asking =
        (call, request) -> {
          throw Faults.of(Status.Code.UNAVAILABLE, "OVERLOADED");
        };

    assertThat(text(get(OPTIONS.withComputeWhenUnavailable()))).isEqualTo("computed");
    assertThat(loads).hasValue(1);
    assertThat(it.cache.puts).isEmpty();
  }

  @Test
  void givesAComputedValueThatTheServiceCouldNotKeepIfAskedTo() {
    it.cache.putting =
        (call, request) -> {
          throw Faults.of(Status.Code.UNAVAILABLE, "OVERLOADED");
        };

    assertThat(text(get(OPTIONS.withComputeWhenUnavailable()))).isEqualTo("computed");
    assertThat(loads).hasValue(1);
  }

  @Test
  void asksAgainForWhatALargeAnswerLeftOut() {
    ByteString large = ByteString.copyFrom(new byte[512 * 1024]);
    it.cache.reading = (call, request) -> answered(request.getKeysList(), large);
    List<PredictionKey> keys =
        IntStream.range(0, 510).mapToObj(i -> key(i < 30 ? "large " + i : "absent " + i)).toList();

    List<GetPredictionResponse> results = predictions.getAll(keys);

    assertThat(results).hasSize(510);
    for (int i = 0; i < results.size(); i++) {
      assertThat(results.get(i).getHit()).isEqualTo(i < 30);
      assertThat(results.get(i).getPrediction().getKey().getName())
          .isEqualTo(i < 30 ? "large " + i : "");
    }
    assertThat(it.cache.read).extracting(List::size).containsExactly(500, 23, 16, 9, 2, 10);
  }

  /** As the service does it: after 4 MiB there are only states. */
  private static List<GetPredictionResponse> answered(List<PredictionKey> keys, ByteString data) {
    List<GetPredictionResponse> results = new ArrayList<>();
    long bytes = 0;
    for (PredictionKey key : keys) {
      GetPredictionResponse.Builder result = GetPredictionResponse.newBuilder();
      if (key.getName().startsWith("absent")) {
        result.setState(EntryInfo.State.ABSENT);
      } else {
        bytes += data.size();
        result.setState(EntryInfo.State.FRESH);
        if (bytes <= 7L * data.size()) {
          OpaqueValue value = OpaqueValue.newBuilder().setData(data).build();
          result.setHit(true).getPredictionBuilder().setKey(key).getValueBuilder().setOpaque(value);
        }
      }
      results.add(result.build());
    }
    return results;
  }

  private Prediction get() {
    return get(OPTIONS);
  }

  private Prediction get(ComputeOptions options) {
    return predictions.getOrCompute(
        KEY,
        options,
        context -> {
          loads.incrementAndGet();
          return value("computed");
        });
  }

  private static PredictionKey key(String name) {
    return PredictionKey.newBuilder().setType(PredictionKey.Type.GOAL).setName(name).build();
  }

  private static PredictionValue value(String text) {
    OpaqueValue opaque = OpaqueValue.newBuilder().setData(ByteString.copyFromUtf8(text)).build();
    return PredictionValue.newBuilder().setOpaque(opaque).build();
  }

  private static Prediction prediction(String text) {
    return Prediction.newBuilder().setKey(KEY).setValue(value(text)).build();
  }

  private static String text(Prediction prediction) {
    return prediction.getValue().getOpaque().getData().toStringUtf8();
  }

  /** A call in a thread of its own, that waits for somebody when this returns. */
  private static final class Waiting {
    final FutureTask<Prediction> result;

    Waiting(Callable<Prediction> call) {
      result = new FutureTask<>(call);
      Thread thread = new Thread(result);
      thread.setDaemon(true);
      thread.start();
      until(() -> thread.getState() == Thread.State.TIMED_WAITING || result.isDone());
    }
  }
}
