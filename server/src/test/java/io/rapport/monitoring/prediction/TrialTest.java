package io.rapport.monitoring.prediction;

import static io.rapport.monitoring.prediction.Predictions.label;
import static io.rapport.monitoring.prediction.Predictions.prediction;
import static io.rapport.monitoring.prediction.Predictions.record;
import static io.rapport.monitoring.prediction.Predictions.stub;
import static org.assertj.core.api.Assertions.assertThat;

import io.rapport.monitoring.v1.BatchLogPredictionsRequest;
import io.rapport.monitoring.v1.ListLoggedPredictionsRequest;
import io.rapport.monitoring.v1.LogPredictionRequest;
import io.rapport.monitoring.v1.LogResult;
import io.rapport.monitoring.v1.LoggedPrediction;
import io.rapport.monitoring.v1.LoggedPredictionFilter;
import io.rapport.monitoring.v1.Outcome;
import io.rapport.server.Rapport;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** That a trial answers what the call does. */
class TrialTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static List<LogResult> batch(List<LoggedPrediction> predictions, boolean trial) {
    return stub(rapport.channel())
        .batchLogPredictions(
            BatchLogPredictionsRequest.newBuilder()
                .addAllPredictions(predictions)
                .setValidateOnly(trial)
                .build())
        .getResultsList();
  }

  private static LogResult.Builder timeless(LogResult result) {
    return result.toBuilder().clearRecordedAt();
  }

  @Test
  void tellsOfOutcomesThatDontFit() {
    LoggedPrediction fits = prediction().setOutcome(Outcome.newBuilder().setOccurred(true)).build();
    LoggedPrediction misfit =
        prediction().setOutcome(Outcome.newBuilder().setActualClass("low")).build();
    LoggedPrediction waitedFor = prediction().build();
    LoggedPrediction contradicted =
        prediction()
            .setPredictedClass("high")
            .setOutcome(Outcome.newBuilder().setActualClass("low"))
            .build();
    record(rapport.channel(), label(waitedFor, "low"), label(contradicted, "high"));
    List<LoggedPrediction> all = List.of(fits, misfit, waitedFor, contradicted, misfit);

    List<LogResult> trial = batch(all, true);
    LogResult single =
        stub(rapport.channel())
            .logPrediction(
                LogPredictionRequest.newBuilder()
                    .setPrediction(misfit)
                    .setValidateOnly(true)
                    .build())
            .getResult();
    assertThat(
            stub(rapport.channel())
                .listLoggedPredictions(
                    ListLoggedPredictionsRequest.newBuilder()
                        .setFilter(LoggedPredictionFilter.getDefaultInstance())
                        .build())
                .getPredictionsList())
        .isEmpty();
    List<LogResult> real = batch(all, false);

    assertThat(real.get(1).getError().getMessage()).isNotEmpty();
    assertThat(real.get(2).getError().getMessage()).isNotEmpty();
    assertThat(real.get(3).getError().getMessage()).isNotEmpty();
    assertThat(trial.stream().map(it -> timeless(it).build()))
        .containsExactlyElementsOf(real.stream().map(it -> timeless(it).build()).toList());
    assertThat(single.getError()).isEqualTo(real.get(1).getError());
  }
}
