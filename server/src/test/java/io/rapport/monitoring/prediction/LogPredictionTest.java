package io.rapport.monitoring.prediction;

import static io.rapport.monitoring.prediction.Predictions.log;
import static io.rapport.monitoring.prediction.Predictions.prediction;
import static io.rapport.monitoring.prediction.Predictions.predictionAt;
import static io.rapport.monitoring.prediction.Predictions.stub;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.rpc.Code;
import io.grpc.stub.StreamObserver;
import io.rapport.identity.v1.User;
import io.rapport.monitoring.v1.BatchLogPredictionsRequest;
import io.rapport.monitoring.v1.GetLoggedPredictionRequest;
import io.rapport.monitoring.v1.ListLoggedPredictionsRequest;
import io.rapport.monitoring.v1.ListLoggedPredictionsRequest.Order;
import io.rapport.monitoring.v1.ListLoggedPredictionsResponse;
import io.rapport.monitoring.v1.LogPredictionRequest;
import io.rapport.monitoring.v1.LogResult;
import io.rapport.monitoring.v1.LogResult.Result;
import io.rapport.monitoring.v1.LoggedPrediction;
import io.rapport.monitoring.v1.LoggedPrediction.Severity;
import io.rapport.monitoring.v1.LoggedPredictionFilter;
import io.rapport.monitoring.v1.LoggedPredictionFilter.OutcomeState;
import io.rapport.monitoring.v1.Outcome;
import io.rapport.monitoring.v1.PredictionLogServiceGrpc;
import io.rapport.monitoring.v1.StreamPredictionsRequest;
import io.rapport.monitoring.v1.StreamPredictionsResponse;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Logging predictions, and reading the log. */
class LogPredictionTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private LogResult logOne(LoggedPrediction prediction) {
    return stub(rapport.channel())
        .logPrediction(LogPredictionRequest.newBuilder().setPrediction(prediction).build())
        .getResult();
  }

  private LoggedPrediction get(String id) {
    return stub(rapport.channel())
        .getLoggedPrediction(GetLoggedPredictionRequest.newBuilder().setId(id).build());
  }

  private List<LoggedPrediction> list(LoggedPredictionFilter.Builder filter) {
    return stub(rapport.channel())
        .listLoggedPredictions(
            ListLoggedPredictionsRequest.newBuilder()
                .setFilter(filter)
                .setOrder(Order.OLDEST_FIRST)
                .build())
        .getPredictionsList();
  }

  @Test
  void keepsEveryField() {
    String user = rapport.client().users().create(User.getDefaultInstance()).getId();
    Struct json =
        Struct.newBuilder()
            .putFields("points", Value.newBuilder().setNumberValue(8.5).build())
            .build();
    LoggedPrediction sent =
        prediction()
            .setPredictionType("risk")
            .setPredictedClass("high")
            .setPredictionResultStruct(json)
            .setInputFeaturesStruct(json)
            .setConfidenceScore(0.9)
            .setAnomalyScore(-0.7)
            .setIsAnomaly(true)
            .setSeverity(Severity.CRITICAL)
            .setResponseTimeMs(12)
            .setUserId(user)
            .setSegment("new_users")
            .setSourceRequestId("request 7")
            .setCacheEntryId(Given.id())
            .setPredictedAt(Given.time("2026-01-31T12:00:00Z"))
            .setOutcome(Outcome.newBuilder().setActualClass("low").setDetailsStruct(json))
            .build();

    assertThat(logOne(sent).getResult()).isEqualTo(Result.RECORDED);

    LoggedPrediction kept = get(sent.getId());
    assertThat(kept.getOutcome().getAccuracyScore()).isZero();
    assertThat(kept.getOutcome().hasValidatedAt()).isTrue();
    assertThat(kept.hasRecordedAt()).isTrue();
    LoggedPrediction.Builder asSent = kept.toBuilder().clearRecordedAt().clearActive();
    asSent.getOutcomeBuilder().clearValidatedAt().clearAccuracyScore();
    assertThat(asSent.build()).isEqualTo(sent);
  }

  @Test
  void recordsAnIdOnceAndRefusesAnotherContent() {
    LoggedPrediction prediction = prediction().build();
    LogResult first = logOne(prediction);

    LogResult again = logOne(prediction);
    Told other = Told.by(() -> logOne(prediction.toBuilder().setPredictionValue(0.6).build()));

    assertThat(first.getResult()).isEqualTo(Result.RECORDED);
    assertThat(again.getResult()).isEqualTo(Result.DUPLICATE);
    assertThat(again.getRecordedAt()).isEqualTo(first.getRecordedAt());
    assertThat(other.code()).isEqualTo(Code.ALREADY_EXISTS);
    assertThat(other.reason()).isEqualTo("PREDICTION_CONFLICT");
    assertThat(get(prediction.getId()).getPredictionValue()).isEqualTo(0.5);
  }

  @Test
  void takesTheSameJsonInAnotherFormForTheSamePrediction() {
    LoggedPrediction bytes =
        prediction().setInputFeaturesJson(ByteString.copyFromUtf8("{\"b\": 1.0, \"a\":2}")).build();
    LoggedPrediction other =
        bytes.toBuilder()
            .setInputFeaturesStruct(
                Struct.newBuilder()
                    .putFields("a", Value.newBuilder().setNumberValue(2).build())
                    .putFields("b", Value.newBuilder().setNumberValue(1).build()))
            .build();
    logOne(bytes);

    assertThat(logOne(other).getResult()).isEqualTo(Result.DUPLICATE);
  }

  @Test
  void judgesEachPredictionOfABatchByItself() {
    LoggedPrediction good = prediction().build();
    LoggedPrediction twice = prediction().build();

    List<LogResult> results =
        log(
            rapport.channel(),
            List.of(
                good,
                prediction().setPredictionValue(Double.NaN).build(),
                prediction().setPredictionValue(Double.POSITIVE_INFINITY).build(),
                prediction().setConfidenceScore(1.1).build(),
                prediction().setId("7").build(),
                prediction().setUserId(Given.id()).build(),
                twice,
                twice,
                twice.toBuilder().setSegment("other").build(),
                prediction()
                    .setInputFeaturesJson(ByteString.copyFromUtf8("{\"a\":1,\"a\":2}"))
                    .build(),
                prediction()
                    .setInputFeaturesJson(
                        ByteString.copyFromUtf8("{\"a\":\"" + "x".repeat(70_000) + "\"}"))
                    .build(),
                prediction().setModelName("x".repeat(101)).build(),
                prediction().setSegment("a\0b").build()));

    assertThat(results)
        .extracting(LogResult::getResult)
        .containsExactly(
            Result.RECORDED,
            Result.REFUSED,
            Result.REFUSED,
            Result.REFUSED,
            Result.REFUSED,
            Result.REFUSED,
            Result.RECORDED,
            Result.DUPLICATE,
            Result.CONFLICT,
            Result.REFUSED,
            Result.REFUSED,
            Result.REFUSED,
            Result.REFUSED);
    assertThat(new Told(results.get(1).getError()).fields()).containsExactly("prediction_value");
    assertThat(new Told(results.get(5).getError()).reason()).isEqualTo("USER_NOT_FOUND");
    assertThat(new Told(results.get(9).getError()).reason()).isEqualTo("JSON_DUPLICATE_KEY");
    assertThat(new Told(results.get(12).getError()).reason()).isEqualTo("TEXT_NUL");
    assertThat(list(LoggedPredictionFilter.newBuilder())).hasSize(2);
  }

  @Test
  void refusesABadPredictionWithThePathOfItsField() {
    Told told = Told.by(() -> logOne(prediction().setResponseTimeMs(-1).build()));

    assertThat(told.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(told.fields()).containsExactly("prediction.response_time_ms");
  }

  @Test
  void recordsNothingThatIsOnlyTriedOut() {
    LoggedPrediction prediction = prediction().build();

    LogResult told =
        stub(rapport.channel())
            .logPrediction(
                LogPredictionRequest.newBuilder()
                    .setPrediction(prediction)
                    .setValidateOnly(true)
                    .build())
            .getResult();
    List<LogResult> batch =
        stub(rapport.channel())
            .batchLogPredictions(
                BatchLogPredictionsRequest.newBuilder()
                    .addPredictions(prediction)
                    .addPredictions(prediction)
                    .setValidateOnly(true)
                    .build())
            .getResultsList();

    assertThat(told.getResult()).isEqualTo(Result.RECORDED);
    assertThat(batch)
        .extracting(LogResult::getResult)
        .containsExactly(Result.RECORDED, Result.DUPLICATE);
    assertThat(Told.by(() -> get(prediction.getId())).code()).isEqualTo(Code.NOT_FOUND);
  }

  @Test
  void answersEachMessageOfAStreamInOrderAfterItsCommit() throws Exception {
    List<StreamPredictionsResponse> answers = new ArrayList<>();
    CountDownLatch ended = new CountDownLatch(1);
    StreamObserver<StreamPredictionsRequest> stream =
        PredictionLogServiceGrpc.newStub(rapport.channel())
            .streamPredictions(observer(answers::add, ended::countDown));
    LoggedPrediction known = prediction().build();
    for (int i = 1; i <= 20; i++) {
      StreamPredictionsRequest.Builder message =
          StreamPredictionsRequest.newBuilder().setSequence(i).addPredictions(known);
      for (int k = 0; k < 100; k++) {
        message.addPredictions(prediction());
      }
      stream.onNext(message.build());
    }
    stream.onCompleted();

    assertThat(ended.await(30, TimeUnit.SECONDS)).isTrue();
    assertThat(answers).extracting(StreamPredictionsResponse::getSequence).hasSize(20).isSorted();
    assertThat(answers.stream().mapToInt(StreamPredictionsResponse::getRecorded).sum())
        .isEqualTo(2001);
    assertThat(answers.stream().mapToInt(StreamPredictionsResponse::getResultsCount).sum())
        .isEqualTo(19);
  }

  private static <T> StreamObserver<T> observer(Consumer<T> next, Runnable end) {
    return new StreamObserver<>() {
      @Override
      public void onNext(T answer) {
        next.accept(answer);
      }

      @Override
      public void onError(Throwable failure) {
        end.run();
      }

      @Override
      public void onCompleted() {
        end.run();
      }
    };
  }

  @Test
  void recordsAnIdOnceThoughManyLogItAtTheSameTime() throws Exception {
    LoggedPrediction prediction = prediction().build();
    List<Future<LogResult>> results = new ArrayList<>();
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 50; i++) {
        results.add(callers.submit(() -> logOne(prediction)));
      }
    }
    int recorded = 0;
    for (Future<LogResult> result : results) {
      recorded += result.get().getResult() == Result.RECORDED ? 1 : 0;
      assertThat(result.get().getResult()).isIn(Result.RECORDED, Result.DUPLICATE);
    }

    assertThat(recorded).isOne();
  }

  @Test
  void listsByModelVersionTimeUserSegmentAnomalyAndOutcome() {
    String user = rapport.client().users().create(User.getDefaultInstance()).getId();
    LoggedPrediction plain = predictionAt("2026-01-01T10:00:00Z", 1).build();
    LoggedPrediction version =
        predictionAt("2026-01-01T11:00:00Z", 2).setModelVersion("2.0.0").build();
    LoggedPrediction model = predictionAt("2026-01-01T12:00:00Z", 3).setModelName("x").build();
    LoggedPrediction users = predictionAt("2026-01-01T13:00:00Z", 4).setUserId(user).build();
    LoggedPrediction segment = predictionAt("2026-01-01T14:00:00Z", 5).setSegment("s").build();
    LoggedPrediction anomaly = predictionAt("2026-01-01T15:00:00Z", 6).setIsAnomaly(true).build();
    LoggedPrediction known =
        predictionAt("2026-01-01T16:00:00Z", 7)
            .setOutcome(Outcome.newBuilder().setActualValue(8))
            .build();
    log(rapport.channel(), List.of(known, anomaly, segment, users, model, version, plain));

    assertThat(ids(filter())).hasSize(7).startsWith(plain.getId()).endsWith(known.getId());
    assertThat(ids(filter().setModelName("x"))).containsExactly(model.getId());
    assertThat(ids(filter().setModelName("lead_time").setModelVersion("2.0.0")))
        .containsExactly(version.getId());
    assertThat(ids(filter().setUserId(user))).containsExactly(users.getId());
    assertThat(ids(filter().setSegment("s"))).containsExactly(segment.getId());
    assertThat(ids(filter().setAnomaliesOnly(true))).containsExactly(anomaly.getId());
    assertThat(ids(filter().setOutcomeState(OutcomeState.WITH_OUTCOME)))
        .containsExactly(known.getId());
    assertThat(ids(filter().setOutcomeState(OutcomeState.WITHOUT_OUTCOME))).hasSize(6);
    assertThat(
            ids(
                filter()
                    .setFrom(Given.time("2026-01-01T11:00:00Z"))
                    .setTo(Given.time("2026-01-01T13:00:00Z"))))
        .containsExactly(version.getId(), model.getId());
    assertThat(list(filter().setAnomaliesOnly(true)).getFirst().getSeverity())
        .isEqualTo(Severity.WARNING);
  }

  private static LoggedPredictionFilter.Builder filter() {
    return LoggedPredictionFilter.newBuilder();
  }

  private List<String> ids(LoggedPredictionFilter.Builder filter) {
    return list(filter).stream().map(LoggedPrediction::getId).toList();
  }

  @Test
  void givesEveryPredictionOnceOverAllPages() {
    List<LoggedPrediction> sent = new ArrayList<>();
    for (int i = 0; i < 25; i++) {
      sent.add(predictionAt("2026-01-01T10:00:0" + i % 3 + "Z", i).build());
    }
    log(rapport.channel(), sent);

    List<String> listed = new ArrayList<>();
    String token = "";
    do {
      ListLoggedPredictionsResponse page =
          stub(rapport.channel())
              .listLoggedPredictions(
                  ListLoggedPredictionsRequest.newBuilder()
                      .setPageSize(4)
                      .setPageToken(token)
                      .build());
      page.getPredictionsList().forEach(it -> listed.add(it.getId()));
      token = page.getNextPageToken();
    } while (!token.isEmpty());

    assertThat(listed)
        .hasSize(25)
        .containsExactlyInAnyOrderElementsOf(sent.stream().map(LoggedPrediction::getId).toList());
  }
}
