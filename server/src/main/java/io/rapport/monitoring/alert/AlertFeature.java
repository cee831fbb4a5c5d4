package io.rapport.monitoring.alert;

import io.grpc.ServerServiceDefinition;
import io.rapport.identity.UserStore;
import io.rapport.monitoring.prediction.PredictionLogFeature.SentAnomaly;
import io.rapport.monitoring.v1.AlertSilence;
import io.rapport.monitoring.v1.AlertSilenceServiceGrpc;
import io.rapport.monitoring.v1.AnomalyAlert.Cause;
import io.rapport.monitoring.v1.DetectionSettings;
import io.rapport.monitoring.v1.DetectionSettingsServiceGrpc;
import io.rapport.platform.Change;
import io.rapport.platform.ChangeLog;
import io.rapport.platform.Rpcs;
import io.rapport.platform.TenantDb;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.resource.Resources;
import io.rapport.platform.watch.InitialState;
import java.util.List;
import java.util.UUID;
import org.jooq.DSLContext;

/** Builds what belongs to alerts and the detection of anomalies. */
public final class AlertFeature implements AutoCloseable {
  private final TenantDb db;
  private final UnitOfWork work;
  private final AlertService service;
  private final DetectionWorker worker;
  private final AlertStore alerts = new AlertStore();
  private final AnomalyAlerts anomalyAlerts = new AnomalyAlerts();

  /**
   * @param system the database as the system role sees it
   */
  public AlertFeature(
      TenantDb db, TenantDb system, UnitOfWork work, ChangeLog changes, UserStore users) {
    this.db = db;
    this.work = work;
    Detector detector = new Detector();
    this.service = new AlertService(db, work, users, detector);
    this.worker = new DetectionWorker(db, system, changes, detector);
  }

  /** The alerts, silences and settings that are there. */
  public static List<InitialState> initialStates() {
    return List.of(
        AlertStore.initialState(),
        Resources.initialState(AlertSilence.getDefaultInstance()),
        Resources.initialState(DetectionSettings.getDefaultInstance()));
  }

  /**
   * How many critical alerts of a model are neither resolved nor silenced: one is enough to doubt
   * it. Those that were acknowledged count, because somebody has only seen them.
   */
  public int openCriticalAlerts(DSLContext dsl, UUID tenant, String model) {
    return alerts.openCritical(dsl, tenant, model);
  }

  /**
   * Raises alerts about predictions that came as anomalies, and says what that changed.
   *
   * @param anomalies of one model, the most anomalous first
   */
  public Change raise(
      DSLContext tx, UUID tenant, String model, List<SentAnomaly> anomalies) {
    List<Judgement> judgements =
        anomalies.stream()
            .map(it ->
                new Judgement(
                    new Observed(it.prediction(), it.value(), 0, it.predictedAt(), true),
                    it.score(),
                    Severities.ofReport(it.severity(), true)))
            .toList();
    return AlertService.change(
        anomalyAlerts.raise(
            tx, tenant, model, judgements, Detection.worst(judgements), Cause.RAISED));
  }

  /** Begins what is done in the background. */
  public void start() {
    worker.start();
  }

  public List<ServerServiceDefinition> services(Rpcs rpcs) {
    Resources resources = new Resources(db, work);
    return List.of(
        service.bind(rpcs),
        resources.serve(rpcs, AlertSilenceServiceGrpc.getServiceDescriptor()),
        resources.serve(rpcs, DetectionSettingsServiceGrpc.getServiceDescriptor()));
  }

  @Override
  public void close() {
    worker.close();
  }
}
