package io.rapport.monitoring.alert;

import io.rapport.monitoring.v1.AnomalyAlert.Cause;
import io.rapport.monitoring.v1.AnomalyAlert.Severity;
import io.rapport.monitoring.v1.DetectAnomaliesResponse;
import io.rapport.monitoring.v1.DetectedAnomaly;
import io.rapport.platform.Change;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import org.jooq.DSLContext;

/** Finds anomalies among a model's predictions, and raises alerts, in one transaction. */
final class Detector {
  private static final int TOLD = 100;

  private final DetectionStore store = new DetectionStore();
  private final AnomalyAlerts alerts = new AnomalyAlerts();

  /** What was found, and what it changed. */
  record Found(DetectAnomaliesResponse answer, List<Change> changes) {}

  /**
   * Looks at predictions that nobody has looked at.
   *
   * @param asked whether somebody asked for it: then also where it is switched off
   */
  Found detect(DSLContext tx, UUID tenant, String model, boolean asked) {
    DetectionStore.Run run = store.begin(tx, tenant, model);
    Settings settings = store.settings(tx, tenant, model);
    boolean skipped = run.all().isEmpty() || (settings.isOff() && !asked);
    List<Judgement> judgements =
        skipped
            ? List.of()
            : new Detection(settings.switchedOn(), model.hashCode())
                .judge(run.all(), store.daily(tx, tenant, model));
    List<Judgement> anomalies =
        judgements.stream()
            .filter(Judgement::isAnomaly)
            .sorted(Comparator.comparingDouble(Judgement::score))
            .toList();
    if (!judgements.isEmpty()) {
      store.write(tx, tenant, judgements);
    }
    store.end(tx, tenant, model, run, !skipped && judgements.isEmpty());
    DetectAnomaliesResponse.Builder answer =
        DetectAnomaliesResponse.newBuilder()
            .setJudged(judgements.size())
            .setAnomalyCount(anomalies.size())
            .setMore(run.more());
    anomalies.stream().limit(TOLD).forEach(it -> answer.addAnomalies(proto(it)));
    if (anomalies.isEmpty()) {
      return new Found(answer.build(), List.of());
    }
    Severity severity = worst(tx, tenant, model, anomalies);
    AlertStore.Kept alert = alerts.raise(tx, tenant, model, anomalies, severity, Cause.DETECTION);
    return new Found(answer.setAlert(alert.alert()).build(), List.of(AlertService.change(alert)));
  }

  private static DetectedAnomaly proto(Judgement anomaly) {
    return DetectedAnomaly.newBuilder()
        .setPredictionId(anomaly.prediction().id().toString())
        .setAnomalyScore(anomaly.score())
        .setSeverity(anomaly.severity())
        .setLogSeverity(Severities.ofLog(anomaly.severity()))
        .setPredictionValue(anomaly.prediction().value())
        .build();
  }

  private Severity worst(DSLContext tx, UUID tenant, String model, List<Judgement> anomalies) {
    Severity worst = Detection.worst(anomalies);
    return worst == Severity.HIGH && areMany(tx, tenant, model, anomalies)
        ? Severity.CRITICAL
        : worst;
  }

  private boolean areMany(DSLContext tx, UUID tenant, String model, List<Judgement> anomalies) {
    List<Instant> times =
        anomalies.stream()
            .filter(it -> it.severity().getNumber() >= Severity.HIGH_VALUE)
            .map(it -> it.prediction().predictedAt())
            .sorted()
            .toList();
    return store.areMany(tx, tenant, model, times.getFirst(), times.getLast());
  }
}
