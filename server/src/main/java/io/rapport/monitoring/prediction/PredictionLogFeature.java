package io.rapport.monitoring.prediction;

import io.grpc.ServerServiceDefinition;
import io.rapport.identity.UserStore;
import io.rapport.monitoring.v1.LoggedPrediction;
import io.rapport.platform.Change;
import io.rapport.platform.ChangeLog;
import io.rapport.platform.Rpcs;
import io.rapport.platform.TenantDb;
import io.rapport.platform.UnitOfWork;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;

/** Builds what belongs to the prediction log. */
public final class PredictionLogFeature implements AutoCloseable {
  private final PredictionRecorder recorder;
  private final PredictionLogService service;
  private final PendingSweeper sweeper;
  private final LivePerformanceStore live = new LivePerformanceStore();

  /**
   * @param system the database as the system role sees it
   */
  public PredictionLogFeature(
      TenantDb db,
      TenantDb system,
      UnitOfWork work,
      ChangeLog changes,
      UserStore users,
      SentAnomalies anomalies) {
    PredictionLog log = new PredictionLog(db, changes, users, anomalies);
    this.recorder = new PredictionRecorder(log);
    this.service = new PredictionLogService(db, work, users, log, recorder);
    this.sweeper = new PendingSweeper(system);
  }

  /** Is told of predictions that their senders found to be anomalies, as they are logged. */
  @FunctionalInterface
  public interface SentAnomalies {
    /**
     * Acts on them, in the transaction that logs them.
     *
     * @param anomalies of one model, the most anomalous first
     * @return what that changed
     */
    Change logged(DSLContext tx, UUID tenant, String model, List<SentAnomaly> anomalies);
  }

  /**
   * A prediction that its sender found to be an anomaly.
   *
   * @param score -1 to 0, the less the more anomalous; 0 if its sender said none
   */
  public record SentAnomaly(
      UUID prediction,
      double value,
      double score,
      LoggedPrediction.Severity severity,
      Instant predictedAt) {}

  /**
   * How well a version of a model does, by what came true: a figure of which more is better.
   *
   * @param sampleCount how many outcomes it is from
   */
  public record LivePerformance(double value, long sampleCount) {}

  /**
   * What is asked of a version of a model.
   *
   * @param metric {@code accuracy}, the share of classes and events that were right, or {@code
   *     r_squared} of numbers; nothing is known of others
   * @param since only of predictions made in this hour or later
   */
  public record LiveQuestion(String model, String version, String metric, Instant since) {}

  /**
   * The live performance of a version of a model.
   *
   * @return empty if too little came true since to tell
   */
  public Optional<LivePerformance> livePerformance(
      DSLContext dsl, UUID tenant, LiveQuestion question) {
    return live.find(dsl, tenant, question);
  }

  /** Begins what is done in the background. */
  public void start() {
    sweeper.start();
  }

  public ServerServiceDefinition service(Rpcs rpcs) {
    return service.bind(rpcs);
  }

  @Override
  public void close() {
    sweeper.close();
    recorder.close();
  }
}
