package io.rapport.monitoring.prediction;

import static io.rapport.monitoring.prediction.Predictions.corrected;
import static io.rapport.monitoring.prediction.Predictions.event;
import static io.rapport.monitoring.prediction.Predictions.label;
import static io.rapport.monitoring.prediction.Predictions.log;
import static io.rapport.monitoring.prediction.Predictions.prediction;
import static io.rapport.monitoring.prediction.Predictions.record;
import static io.rapport.monitoring.prediction.Predictions.value;
import static org.assertj.core.api.Assertions.assertThat;

import io.rapport.monitoring.v1.LoggedPrediction;
import io.rapport.monitoring.v1.OutcomeReport;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jooq.Record;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The sums behind the figures are exactly those that the log gives, however they came about. */
class FigureRecountTest {
  private static final int PREDICTIONS = 600;
  private static final int WRITERS = 8;

  @RegisterExtension static final Rapport rapport = new Rapport();

  /** Sums by name. */
  private static final class Sums extends HashMap<String, BigDecimal> {
    private static final long serialVersionUID = 1L;

    void add(String name, BigDecimal value) {
      merge(name, value, BigDecimal::add);
    }

    Map<String, BigDecimal> stripped() {
      Map<String, BigDecimal> stripped = new HashMap<>();
      forEach((name, value) -> {
        if (value.signum() != 0) {
          stripped.put(name, value.stripTrailingZeros());
        }
      });
      return stripped;
    }
  }

  private static LoggedPrediction random(Random random) {
    LoggedPrediction.Builder prediction =
        prediction()
            .setModelName("m" + random.nextInt(2))
            .setModelVersion("v" + random.nextInt(2))
            .setSegment(random.nextBoolean() ? "" : "s")
            .setPredictionValue(
                random.nextInt(3) == 0 ? random.nextGaussian() * 1e6 : random.nextDouble())
            .setPredictedAt(
                Given.time(
                    "2026-01-0%dT1%d:30:00Z".formatted(1 + random.nextInt(2), random.nextInt(3))));
    if (random.nextBoolean()) {
      prediction.setPredictedClass("c" + random.nextInt(3));
    }
    if (random.nextBoolean()) {
      prediction.setConfidenceScore(random.nextInt(11) / 10.0);
    }
    return prediction.build();
  }

  private static OutcomeReport randomOutcome(Random random, LoggedPrediction prediction) {
    return switch (random.nextInt(3)) {
      case 0 -> event(prediction, random.nextBoolean());
      case 1 -> label(prediction, "c" + random.nextInt(3));
      default -> value(prediction, prediction.getPredictionValue() + random.nextGaussian() / 3);
    };
  }

  @Test
  void areThoseOfTheLogThoughManyWriteAtTheSameTime() throws Exception {
    Random random = new Random(7);
    List<LoggedPrediction> predictions = new ArrayList<>();
    for (int i = 0; i < PREDICTIONS; i++) {
      predictions.add(random(random));
    }
    List<Future<?>> writes = new ArrayList<>();
    try (ExecutorService writers = Executors.newFixedThreadPool(WRITERS)) {
      for (int i = 0; i < WRITERS; i++) {
        long seed = i;
        writes.add(writers.submit(() -> write(new Random(seed), predictions)));
      }
    }
    for (Future<?> write : writes) {
      write.get();
    }

    Map<String, BigDecimal> kept = kept();

    assertThat(kept).isEqualTo(recounted());
    assertThat(count("SELECT count(*) FROM monitoring.prediction_log WHERE tenant_id = ?"))
        .isEqualTo(PREDICTIONS);
    assertThat(
            count(
                "SELECT count(*) FROM monitoring.prediction_log"
                    + " WHERE tenant_id = ? AND correction_reason IS NOT NULL"))
        .isGreaterThan(20);
    assertThat(kept.keySet().stream().filter(it -> it.endsWith("probabilities")))
        .hasSizeGreaterThan(20);
  }

  /** Logs all predictions, and outcomes before, after and again, in an order of its own. */
  private static void write(Random random, List<LoggedPrediction> predictions) {
    List<LoggedPrediction> mine = new ArrayList<>(predictions);
    Collections.shuffle(mine, random);
    for (int from = 0; from < mine.size(); from += 50) {
      List<LoggedPrediction> some = mine.subList(from, from + 50);
      record(rapport.channel(), reports(random, some));
      log(rapport.channel(), some);
      record(rapport.channel(), reports(random, some));
    }
  }

  private static OutcomeReport[] reports(Random random, List<LoggedPrediction> of) {
    return of.stream()
        .filter(it -> random.nextInt(3) > 0)
        .map(it -> {
          OutcomeReport report = randomOutcome(random, it);
          return random.nextBoolean() ? corrected(report, "better known") : report;
        })
        .toArray(OutcomeReport[]::new);
  }

  private static int count(String query) {
    return rapport.sql().fetchSingle(query, rapport.tenant()).get(0, Integer.class);
  }

  private static Map<String, BigDecimal> kept() {
    Sums sums = new Sums();
    for (Record row :
        rapport
            .sql()
            .fetch(
                "SELECT model_name || '/' || model_version || '/' || segment || '/'"
                    + " || (hour AT TIME ZONE 'UTC') AS key, *"
                    + " FROM monitoring.prediction_figures WHERE tenant_id = ?",
                rapport.tenant())) {
      for (String column :
          List.of(
              "predictions",
              "outcomes",
              "numbers",
              "sum_error",
              "sum_absolute_error",
              "sum_squared_error",
              "sum_actual",
              "sum_squared_actual",
              "judgements",
              "right_judgements",
              "sum_brier")) {
        sums.add(row.get("key") + " " + column, row.get(column, BigDecimal.class));
      }
    }
    for (Record row :
        rapport
            .sql()
            .fetch(
                "SELECT model_name || '/' || model_version || '/' || segment || '/'"
                    + " || (hour AT TIME ZONE 'UTC') || ' ' || bin AS key, *"
                    + " FROM monitoring.calibration_bins WHERE tenant_id = ?",
                rapport.tenant())) {
      for (String column : List.of("probabilities", "sum_probability", "came_true")) {
        sums.add(row.get("key") + " " + column, row.get(column, BigDecimal.class));
      }
    }
    return sums.stripped();
  }

  private static Map<String, BigDecimal> recounted() {
    Sums sums = new Sums();
    for (Record row :
        rapport
            .sql()
            .fetch(
                "SELECT model_name || '/' || model_version || '/' || segment || '/'"
                    + " || date_trunc('hour', predicted_at AT TIME ZONE 'UTC') AS key, *"
                    + " FROM monitoring.prediction_log WHERE tenant_id = ?",
                rapport.tenant())) {
      recount(row, row.get("key", String.class), sums);
    }
    return sums.stripped();
  }

  private static void recount(Record row, String key, Sums sums) {
    sums.add(key + " predictions", BigDecimal.ONE);
    String kind = row.get("outcome_kind", String.class);
    if (kind == null) {
      return;
    }
    sums.add(key + " outcomes", BigDecimal.ONE);
    BigDecimal value = exact(row.get("prediction_value", Double.class));
    if (kind.equals("VALUE")) {
      BigDecimal actual = exact(row.get("actual_value", Double.class));
      BigDecimal error = value.subtract(actual);
      sums.add(key + " numbers", BigDecimal.ONE);
      sums.add(key + " sum_error", error);
      sums.add(key + " sum_absolute_error", error.abs());
      sums.add(key + " sum_squared_error", error.multiply(error));
      sums.add(key + " sum_actual", actual);
      sums.add(key + " sum_squared_actual", actual.multiply(actual));
      return;
    }
    boolean event = kind.equals("EVENT");
    boolean cameTrue =
        event
            ? row.get("occurred", Boolean.class)
            : Objects.equals(row.get("predicted_class"), row.get("actual_class"));
    boolean right = event ? (value.doubleValue() >= 0.5) == cameTrue : cameTrue;
    sums.add(key + " judgements", BigDecimal.ONE);
    sums.add(key + " right_judgements", right ? BigDecimal.ONE : BigDecimal.ZERO);
    Double confidence = row.get("confidence_score", Double.class);
    if (!event && confidence == null) {
      return;
    }
    BigDecimal probability = event ? value : exact(confidence);
    BigDecimal truth = cameTrue ? BigDecimal.ONE : BigDecimal.ZERO;
    BigDecimal off = probability.subtract(truth);
    sums.add(key + " sum_brier", off.multiply(off));
    String bin = key + " " + Math.min(9, probability.movePointRight(1).intValue());
    sums.add(bin + " probabilities", BigDecimal.ONE);
    sums.add(bin + " sum_probability", probability);
    sums.add(bin + " came_true", truth);
  }

  private static BigDecimal exact(double value) {
    return new BigDecimal(Double.toString(value));
  }

  @Test
  void giveBackWhatACorrectionTakesAway() {
    LoggedPrediction one = prediction().setPredictionValue(0.1).build();
    LoggedPrediction two = prediction().setPredictionValue(1e100).build();
    log(rapport.channel(), Arrays.asList(one, two));

    record(rapport.channel(), value(two, -1e100), value(one, 0.3));
    record(rapport.channel(), corrected(value(two, 1e100), "misread"));

    BigDecimal error =
        rapport
            .sql()
            .fetchSingle(
                "SELECT sum_error FROM monitoring.prediction_figures WHERE tenant_id = ?",
                rapport.tenant())
            .get(0, BigDecimal.class);
    assertThat(error).isEqualByComparingTo("-0.2");
  }
}
