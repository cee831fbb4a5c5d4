package io.rapport.monitoring.alert;

import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status.Code;
import io.rapport.identity.UserStore;
import io.rapport.monitoring.v1.AcknowledgeAnomalyAlertRequest;
import io.rapport.monitoring.v1.AnomalyAlert;
import io.rapport.monitoring.v1.AnomalyAlert.Cause;
import io.rapport.monitoring.v1.AnomalyAlert.State;
import io.rapport.monitoring.v1.AnomalyAlertServiceGrpc;
import io.rapport.monitoring.v1.CreateAnomalyAlertRequest;
import io.rapport.monitoring.v1.DetectAnomaliesRequest;
import io.rapport.monitoring.v1.DetectAnomaliesResponse;
import io.rapport.monitoring.v1.GetAnomalyAlertRequest;
import io.rapport.monitoring.v1.ListAnomalyAlertsRequest;
import io.rapport.monitoring.v1.ListAnomalyAlertsResponse;
import io.rapport.monitoring.v1.ResolveAnomalyAlertRequest;
import io.rapport.platform.Caller;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.PageTokens;
import io.rapport.platform.RowPage;
import io.rapport.platform.Rpcs;
import io.rapport.platform.Rules;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.TimePlace;
import io.rapport.platform.Times;
import io.rapport.platform.Transaction;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.Uuids;
import io.rapport.platform.json.ByteWriter;
import io.rapport.platform.json.Json;
import io.rapport.platform.json.JsonWriter;
import io.rapport.platform.v1.ErrorReason;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The RPCs of alerts. */
final class AlertService {
  private static final int MAX_DATA_BYTES = 65_536;
  private static final int TYPICAL_SIZE = 512;

  private final TenantDb db;
  private final UnitOfWork work;
  private final UserStore users;
  private final Detector detector;
  private final AlertStore alerts = new AlertStore();

  AlertService(TenantDb db, UnitOfWork work, UserStore users, Detector detector) {
    this.db = db;
    this.work = work;
    this.users = users;
    this.detector = detector;
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return rpcs.service(AnomalyAlertServiceGrpc.getServiceDescriptor())
        .unary(AnomalyAlertServiceGrpc.getGetAnomalyAlertMethod(), this::getAnomalyAlert)
        .unary(AnomalyAlertServiceGrpc.getListAnomalyAlertsMethod(), this::listAnomalyAlerts)
        .unary(AnomalyAlertServiceGrpc.getCreateAnomalyAlertMethod(), this::createAnomalyAlert)
        .unary(
            AnomalyAlertServiceGrpc.getAcknowledgeAnomalyAlertMethod(),
            this::acknowledgeAnomalyAlert)
        .unary(AnomalyAlertServiceGrpc.getResolveAnomalyAlertMethod(), this::resolveAnomalyAlert)
        .unary(AnomalyAlertServiceGrpc.getDetectAnomaliesMethod(), this::detectAnomalies)
        .build();
  }

  private AnomalyAlert getAnomalyAlert(GetAnomalyAlertRequest request) {
    UUID tenant = Caller.currentTenant().id();
    return db.read(tenant, dsl -> alerts.find(dsl, tenant, UUID.fromString(request.getId())))
        .orElseThrow(() -> notFound(request.getId()));
  }

  private static ServiceException notFound(String id) {
    return ServiceException.notFound("alert", id);
  }

  private ListAnomalyAlertsResponse listAnomalyAlerts(ListAnomalyAlertsRequest request) {
    Rules.requireTimes(request);
    Caller.Tenant tenant = Caller.currentTenant();
    ListAnomalyAlertsRequest arguments =
        request.toBuilder().clearPageSize().clearPageToken().build();
    int size = PageTokens.size(request.getPageSize());
    TimePlace after =
        PageTokens.decode(tenant, arguments, request.getPageToken())
            .map(TimePlace::ofCursor)
            .orElse(null);
    RowPage<AnomalyAlert> page =
        db.write(tenant.id(), tx -> alerts.list(tx, tenant.id(), request.getFilter(), after, size));
    ListAnomalyAlertsResponse.Builder response =
        ListAnomalyAlertsResponse.newBuilder().addAllAlerts(page.rows());
    if (page.more()) {
      AnomalyAlert last = page.rows().getLast();
      TimePlace place =
          new TimePlace(Times.instant(last.getCreatedAt()), UUID.fromString(last.getId()));
      response.setNextPageToken(PageTokens.encode(tenant, arguments, place.toCursor()));
    }
    return response.build();
  }

  private AnomalyAlert createAnomalyAlert(CreateAnomalyAlertRequest request) {
    AnomalyAlert sent = request.getAlert();
    String fingerprint =
        sent.getFingerprint().isEmpty()
            ? sent.getModelName() + "/" + sent.getAlertType()
            : sent.getFingerprint();
    AlertStore.Raised raised =
        new AlertStore.Raised(
            sent.getModelName(),
            fingerprint,
            sent.getAlertType(),
            sent.getSeverity(),
            json(sent.getAlertData()),
            Cause.RAISED,
            1);
    return work.write(
        request,
        AnomalyAlert.parser(),
        tx -> changed(tx, alerts.raise(tx.dsl(), tx.tenant(), raised)));
  }

  private static ByteString json(Struct data) {
    ByteWriter out = new ByteWriter(TYPICAL_SIZE);
    JsonWriter.write(Json.parse(data, "alert.alert_data"), out);
    if (out.size() > MAX_DATA_BYTES) {
      throw ServiceException.invalid(
          "alert.alert_data", ErrorReason.INVALID_FIELD, "must have at most 65536 bytes as JSON");
    }
    return ByteString.copyFrom(out.copy());
  }

  private static AnomalyAlert changed(Transaction tx, AlertStore.Kept kept) {
    tx.changed(change(kept));
    return kept.alert();
  }

  static Change change(AlertStore.Kept kept) {
    return new Change(
        AlertStore.KIND,
        kept.revision() == 1 ? Op.CREATED : Op.UPDATED,
        UUID.fromString(kept.alert().getId()),
        null,
        kept.revision());
  }

  private AnomalyAlert acknowledgeAnomalyAlert(AcknowledgeAnomalyAlertRequest request) {
    String subject = Caller.current().subject();
    UUID user = Uuids.parse(request.getUserId());
    return work.write(
        request,
        AnomalyAlert.parser(),
        tx -> {
          UUID id = UUID.fromString(request.getId());
          AnomalyAlert alert = locked(tx, id);
          if (alert.hasResolvedAt()) {
            throw ServiceException.failedPrecondition(
                    ErrorReason.ALERT_RESOLVED, "the alert is resolved")
                .with("id", request.getId());
          }
          if (alert.getAcknowledged()) {
            return alert;
          }
          requireUser(tx, user);
          return changed(tx, alerts.acknowledge(tx.dsl(), tx.tenant(), id, user, subject));
        });
  }

  private AnomalyAlert locked(Transaction tx, UUID id) {
    return alerts.lock(tx.dsl(), tx.tenant(), id).orElseThrow(() -> notFound(id.toString()));
  }

  private void requireUser(Transaction tx, @Nullable UUID user) {
    if (user != null && users.existing(tx.dsl(), tx.tenant(), Set.of(user)).isEmpty()) {
      throw ServiceException.of(
              Code.NOT_FOUND, ErrorReason.USER_NOT_FOUND, "there is no user with this user_id")
          .with("user_id", user.toString());
    }
  }

  private AnomalyAlert resolveAnomalyAlert(ResolveAnomalyAlertRequest request) {
    return work.write(
        request,
        AnomalyAlert.parser(),
        tx -> {
          UUID id = UUID.fromString(request.getId());
          AnomalyAlert alert = locked(tx, id);
          return alert.getState() == State.RESOLVED
              ? alert
              : changed(tx, alerts.resolve(tx.dsl(), tx.tenant(), id, request.getResolution()));
        });
  }

  private DetectAnomaliesResponse detectAnomalies(DetectAnomaliesRequest request) {
    return work.write(
        request,
        DetectAnomaliesResponse.parser(),
        tx -> {
          Detector.Found found =
              detector.detect(tx.dsl(), tx.tenant(), request.getModelName(), true);
          found.changes().forEach(tx::changed);
          return found.answer();
        });
  }
}
