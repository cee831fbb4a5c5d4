package io.rapport.monitoring.alert;

import com.google.protobuf.ByteString;
import io.grpc.ServerServiceDefinition;
import io.rapport.identity.UserStore;
import io.rapport.monitoring.prediction.PredictionLogFeature.SentAnomaly;
import io.rapport.monitoring.v1.AlertSilence;
import io.rapport.monitoring.v1.AlertSilenceServiceGrpc;
import io.rapport.monitoring.v1.AnomalyAlert.Cause;
import io.rapport.monitoring.v1.AnomalyAlert.Severity;
import io.rapport.monitoring.v1.DetectionSettings;
import io.rapport.monitoring.v1.DetectionSettingsServiceGrpc;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.ChangeLog;
import io.rapport.platform.Rpcs;
import io.rapport.platform.TenantDb;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.resource.Resources;
import io.rapport.platform.watch.InitialState;
import java.time.Clock;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.jooq.DSLContext;

/** Builds what belongs to alerts and the detection of anomalies. */
public final class AlertFeature implements AutoCloseable {
  private final TenantDb db;
  private final UnitOfWork work;
  private final Clock clock;
  private final AlertService service;
  private final DetectionWorker worker;
  private final AlertStore alerts = new AlertStore();
  private final AnomalyAlerts anomalyAlerts = new AnomalyAlerts();

  /**
   * @param system the database as the system role sees it
   */
  public AlertFeature(
      TenantDb db,
      TenantDb system,
      UnitOfWork work,
      ChangeLog changes,
      UserStore users,
      Clock clock) {
    this.db = db;
    this.work = work;
    this.clock = clock;
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
   * Raises an alert of the service's own watch over itself, in a transaction of the caller's.
   *
   * @param fingerprint what names it as long as it is not resolved; told again, it is counted
   * @param severe whether what depends on it should not be trusted
   * @param data what is known of it, a JSON object
   */
  public record Notice(
      String model, String fingerprint, String type, boolean severe, ByteString data) {}

  /** Raises an alert, or counts the one that is there. */
  public Change raise(DSLContext tx, UUID tenant, Notice notice) {
    AlertStore.Kept kept =
        alerts.raise(
            tx,
            tenant,
            new AlertStore.Raised(
                notice.model(),
                notice.fingerprint(),
                notice.type(),
                notice.severe() ? Severity.CRITICAL : Severity.HIGH,
                notice.data(),
                Cause.AUDIT,
                1));
    return change(kept.revision() == 1 ? Op.CREATED : Op.UPDATED, kept);
  }

  /** Resolves the alert with a fingerprint, if there is one; what changed. */
  public List<Change> resolve(DSLContext tx, UUID tenant, String fingerprint, String resolution) {
    return alerts.lockOpen(tx, tenant, fingerprint).stream()
        .map(alert -> UUID.fromString(alert.getId()))
        .map(id -> change(Op.UPDATED, alerts.resolve(tx, tenant, id, resolution)))
        .toList();
  }

  private static Change change(Op op, AlertStore.Kept kept) {
    return new Change(
        AlertStore.KIND, op, UUID.fromString(kept.alert().getId()), null, kept.revision());
  }

  /**
   * Raises an alert about how a model does. Its row is locked until the transaction ends: the
   * tenant's head must not be locked yet.
   *
   * @param changes takes what is changed
   */
  public void raise(DSLContext tx, UUID tenant, PoorPerformance poor, Consumer<Change> changes) {
    changes.accept(AlertService.change(alerts.raise(tx, tenant, poor.raised())));
  }

  /**
   * Raises alerts about predictions that came as anomalies, and says what that changed.
   *
   * @param anomalies of one model, the most anomalous first
   */
  public Change raise(DSLContext tx, UUID tenant, String model, List<SentAnomaly> anomalies) {
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
        resources
            .of(AlertSilence.getDefaultInstance())
            .checkedBy(new SilenceRule(clock))
            .serve(rpcs.service(AlertSilenceServiceGrpc.getServiceDescriptor())),
        resources.serve(rpcs, DetectionSettingsServiceGrpc.getServiceDescriptor()));
  }

  @Override
  public void close() {
    worker.close();
  }
}
