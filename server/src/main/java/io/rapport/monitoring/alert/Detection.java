package io.rapport.monitoring.alert;

import io.rapport.monitoring.v1.AnomalyAlert.Severity;
import io.rapport.monitoring.v1.DetectionSettings.Method;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** Judges predictions by those around them. It knows no database. */
final class Detection {
  private static final Comparator<Observed> IN_TIME =
      Comparator.comparing(Observed::predictedAt).thenComparing(Observed::id);

  private final Settings settings;
  private final long seed;

  /**
   * @param seed of the forest: the same gives the same judgements
   */
  Detection(Settings settings, long seed) {
    this.settings = settings;
    this.seed = seed;
  }

  /**
   * Judges those that are not judged yet; none if there are too few to tell.
   *
   * @param predictions of one model
   * @param daily how many were made on each day
   */
  List<Judgement> judge(List<Observed> predictions, Map<LocalDate, Long> daily) {
    if (predictions.size() < settings.minPredictions()) {
      return List.of();
    }
    List<Observed> inTime = predictions.stream().sorted(IN_TIME).toList();
    double[] byScore = settings.usesScore() ? scores(inTime) : new double[inTime.size()];
    double[] byForest = settings.usesForest() ? forest(inTime, daily) : new double[inTime.size()];
    double scoreBound = settings.usesScore() ? bound(byScore) : 0;
    double forestBound = settings.usesForest() ? bound(byForest) : 0;
    List<Judgement> judgements = new ArrayList<>();
    for (int i = 0; i < inTime.size(); i++) {
      if (!inTime.get(i).judged()) {
        double z = byScore[i] < Severities.ANOMALY ? byScore[i] : within(byScore[i], scoreBound);
        double counted = together(z, within(byForest[i], forestBound));
        double told = together(byScore[i], byForest[i]);
        judgements.add(judgement(inTime.get(i), told, counted));
      }
    }
    return judgements;
  }

  /** A prediction that is no anomaly isn't told to have the score of one. */
  private static Judgement judgement(Observed prediction, double score, double counted) {
    boolean anomaly = counted < Severities.ANOMALY;
    return new Judgement(
        prediction,
        anomaly ? score : Math.max(score, Severities.ANOMALY),
        Severities.ofScore(counted));
  }

  /** What the two say together: where both must agree, one alone can't make an anomaly. */
  private double together(double z, double forest) {
    double worse = Math.min(z, forest);
    double better = Math.max(z, forest);
    return settings.method() == Method.BOTH && better >= Severities.ANOMALY ? better : worse;
  }

  /** A score counts if it is among the most anomalous share. */
  private static double within(double score, double bound) {
    return score < bound ? score : 0;
  }

  /** Below it lies the share of scores that may be anomalies. */
  private double bound(double[] scores) {
    double[] sorted = scores.clone();
    Arrays.sort(sorted);
    return sorted[(int) Math.min(sorted.length - 1.0, sorted.length * settings.contamination())];
  }

  private double[] scores(List<Observed> predictions) {
    RobustZScore z = new RobustZScore(predictions.stream().mapToDouble(Observed::value).toArray());
    return predictions.stream()
        .mapToDouble(it -> z.score(it.value(), settings.threshold()))
        .toArray();
  }

  private double[] forest(List<Observed> predictions, Map<LocalDate, Long> daily) {
    double[][] rows = new double[predictions.size()][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = features(predictions.get(i), predictions.get(Math.max(0, i - 1)), daily);
    }
    IsolationForest forest =
        new IsolationForest(
            rows, new IsolationForest.Shape(settings.trees(), settings.sampleSize(), seed));
    return forest.scores(rows);
  }

  /** Value, number of features, hour, weekday, difference to the one before, number on the day. */
  private static double[] features(
      Observed prediction, Observed before, Map<LocalDate, Long> daily) {
    OffsetDateTime at = prediction.predictedAt().atOffset(ZoneOffset.UTC);
    return new double[] {
      prediction.value(),
      prediction.featureCount(),
      at.getHour(),
      at.getDayOfWeek().getValue(),
      prediction.value() - before.value(),
      daily.getOrDefault(at.toLocalDate(), 0L)
    };
  }

  /** The greatest severity of anomalies. */
  static Severity worst(List<Judgement> anomalies) {
    return anomalies.stream()
        .map(Judgement::severity)
        .max(Comparator.naturalOrder())
        .orElse(Severity.SEVERITY_UNSPECIFIED);
  }
}
