package io.rapport.caching;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.StatusRuntimeException;
import io.rapport.caching.v1.GetPredictionRequest;
import io.rapport.caching.v1.OpaqueValue;
import io.rapport.caching.v1.Prediction;
import io.rapport.caching.v1.PredictionCacheServiceGrpc;
import io.rapport.caching.v1.PredictionCacheServiceGrpc.PredictionCacheServiceBlockingStub;
import io.rapport.caching.v1.PredictionKey;
import io.rapport.caching.v1.PredictionValue;
import io.rapport.caching.v1.PutCondition;
import io.rapport.caching.v1.PutPredictionRequest;
import io.rapport.caching.v1.ReadOptions;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Values that are put at the same time share commits, and nothing else. */
class SharedPutsTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final int PUTS = 200;
  private static final int CALLERS = 24;

  private PredictionCacheServiceBlockingStub predictions;
  private String user;

  @BeforeEach
  void makeUser() {
    rapport.client().events().track(Given.eventOf("ada").build());
    user =
        rapport
            .sql()
            .fetchSingle("SELECT id FROM identity.users WHERE tenant_id = ?", rapport.tenant())
            .get(0, String.class);
    predictions = PredictionCacheServiceGrpc.newBlockingStub(rapport.channel());
  }

  private PredictionKey key(int number) {
    return PredictionKey.newBuilder()
        .setUserId(user)
        .setType(PredictionKey.Type.SPENDING)
        .setName("number " + number)
        .build();
  }

  private PutPredictionRequest.Builder put(int number, String text) {
    OpaqueValue value =
        OpaqueValue.newBuilder()
            .setData(ByteString.copyFromUtf8(text))
            .setMediaType("text/plain")
            .build();
    return PutPredictionRequest.newBuilder()
        .setPrediction(
            Prediction.newBuilder()
                .setKey(key(number))
                .setValue(PredictionValue.newBuilder().setOpaque(value)))
        .setRequestId(Given.id());
  }

  private String text(int number) {
    return predictions
        .getPrediction(
            GetPredictionRequest.newBuilder()
                .setKey(key(number))
                .setOptions(ReadOptions.newBuilder().setConsistency(ReadOptions.Consistency.STRONG))
                .build())
        .getPrediction()
        .getValue()
        .getOpaque()
        .getData()
        .toStringUtf8();
  }

  private long commits() {
    return rapport
        .sql()
        .fetchSingle(
            "SELECT position FROM platform.tenant_heads WHERE tenant_id = ?", rapport.tenant())
        .get(0, Long.class);
  }

  private static <T> List<T> atOnce(List<Callable<T>> calls) throws Exception {
    List<Future<T>> answers;
    try (ExecutorService callers = Executors.newFixedThreadPool(CALLERS)) {
      answers = callers.invokeAll(calls);
    }
    List<T> all = new ArrayList<>();
    for (Future<T> answer : answers) {
      all.add(answer.get());
    }
    return all;
  }

  @Test
  void takeFewerCommitsThanThereAreAndKeepEachValue() throws Exception {
    long before = commits();

    List<Prediction> kept =
        atOnce(
            IntStream.range(0, PUTS)
                .<Callable<Prediction>>mapToObj(
                    i -> () -> predictions.putPrediction(put(i, "value " + i).build()))
                .toList());

    assertThat(commits() - before).isLessThan(PUTS / 2);
    for (int i = 0; i < PUTS; i++) {
      assertThat(kept.get(i).getKey()).isEqualTo(key(i));
      assertThat(text(i)).isEqualTo("value " + i);
    }
  }

  @Test
  void areRefusedEachForItsOwnReason() throws Exception {
    predictions.putPrediction(put(PUTS, "there").setRequestId(Given.id()).build());
    String used = Given.id();
    predictions.putPrediction(put(PUTS + 1, "first").setRequestId(used).build());

    List<String> told =
        atOnce(
            IntStream.range(0, PUTS)
                .<Callable<String>>mapToObj(i -> () -> outcome(mixed(i, used)))
                .toList());

    for (int i = 0; i < PUTS; i++) {
      String expected =
          switch (i % 4) {
            case 0 -> "ETAG_MISMATCH";
            case 1 -> "REQUEST_ID_REUSED";
            default -> "";
          };
      assertThat(told.get(i)).isEqualTo(expected);
      assertThat(text(i)).isEqualTo(expected.isEmpty() ? "value " + i : "");
    }
  }

  private PutPredictionRequest mixed(int i, String used) {
    PutPredictionRequest.Builder put = put(i, "value " + i);
    if (i % 4 == 0) {
      put.setCondition(PutCondition.newBuilder().setIfEtag("none"));
    }
    return (i % 4 == 1 ? put.setRequestId(used) : put).build();
  }

  private String outcome(PutPredictionRequest request) {
    try {
      predictions.putPrediction(request);
      return "";
    } catch (StatusRuntimeException e) {
      return Told.of(e).reason();
    }
  }

  @Test
  void areDoneOnceThoughTheyAreAskedForManyTimes() throws Exception {
    List<PutPredictionRequest> requests =
        IntStream.range(0, 10).mapToObj(i -> put(i, "value " + i).build()).toList();

    List<Prediction> kept =
        atOnce(
            IntStream.range(0, PUTS)
                .<Callable<Prediction>>mapToObj(
                    i -> () -> predictions.putPrediction(requests.get(i % 10)))
                .toList());

    assertThat(kept.stream().distinct()).hasSize(10);
  }

  @Test
  void keepTheLastOfAKey() throws Exception {
    List<Prediction> kept =
        atOnce(
            IntStream.range(0, PUTS)
                .<Callable<Prediction>>mapToObj(
                    i -> () -> predictions.putPrediction(put(0, "value " + i).build()))
                .toList());

    assertThat(kept.stream().map(it -> it.getInfo().getEtag()).distinct()).hasSize(PUTS);
    assertThat(text(0)).isIn(kept.stream().map(SharedPutsTest::text).toList());
  }

  private static String text(Prediction prediction) {
    return prediction.getValue().getOpaque().getData().toStringUtf8();
  }
}
