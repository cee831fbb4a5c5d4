package io.rapport.client;

import io.grpc.MethodDescriptor;
import io.rapport.monitoring.v1.LogResult;
import io.rapport.monitoring.v1.LoggedPrediction;
import io.rapport.monitoring.v1.PredictionLogServiceGrpc;
import io.rapport.monitoring.v1.StreamPredictionsRequest;
import io.rapport.monitoring.v1.StreamPredictionsResponse;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Predictions as a writer logs them. */
record PredictionIngestion(LogResultListener exceptions)
    implements Ingestion<LoggedPrediction, StreamPredictionsRequest, StreamPredictionsResponse> {

  @Override
  public MethodDescriptor<StreamPredictionsRequest, StreamPredictionsResponse> method() {
    return PredictionLogServiceGrpc.getStreamPredictionsMethod();
  }

  @Override
  public StreamPredictionsRequest request(Message<LoggedPrediction> message) {
    return StreamPredictionsRequest.newBuilder()
        .setSequence(message.sequence())
        .addAllPredictions(message.items())
        .build();
  }

  @Override
  public long sequence(StreamPredictionsResponse answer) {
    return answer.getSequence();
  }

  @Override
  public Tally tally(Message<LoggedPrediction> message, StreamPredictionsResponse answer) {
    Tally named = Tally.NONE;
    for (LogResult result : answer.getResultsList()) {
      named = named.plus(one(result.getResult()));
    }
    int silent = message.size() - answer.getResultsCount();
    if (silent < 0 || answer.getRecorded() != silent + named.recorded()) {
      throw Tally.broken(
          "%d results and %d recorded for a message of %d predictions"
              .formatted(answer.getResultsCount(), answer.getRecorded(), message.size()));
    }
    return named.plus(new Tally(silent, 0, 0, 0, 0));
  }

  private static Tally one(LogResult.Result result) {
    return switch (result) {
      case RECORDED -> new Tally(1, 0, 0, 0, 0);
      case DUPLICATE -> new Tally(0, 1, 0, 0, 0);
      case CONFLICT -> new Tally(0, 0, 1, 0, 0);
      case REFUSED -> new Tally(0, 0, 0, 1, 0);
      case RESULT_UNSPECIFIED, UNRECOGNIZED -> throw Tally.broken("a result that is not known");
    };
  }

  @Override
  public void tell(Message<LoggedPrediction> message, StreamPredictionsResponse answer) {
    List<LogResult> inOrder =
        answer.getResultsList().stream()
            .sorted(Comparator.comparingInt(LogResult::getIndex))
            .toList();
    for (LogResult result : inOrder) {
      exceptions.decided(message.first() + result.getIndex(), result);
    }
  }

  @Override
  public StreamPredictionsResponse refusal(
      Message<LoggedPrediction> message, com.google.rpc.@Nullable Status error) {
    LogResult.Builder result =
        LogResult.newBuilder()
            .setPredictionId(message.items().get(0).getId())
            .setResult(LogResult.Result.REFUSED);
    if (error != null) {
      result.setError(error);
    }
    return StreamPredictionsResponse.newBuilder().addResults(result).build();
  }
}
