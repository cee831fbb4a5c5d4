package io.rapport.monitoring.alert;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.rpc.Code;
import io.rapport.identity.v1.User;
import io.rapport.monitoring.v1.AcknowledgeAnomalyAlertRequest;
import io.rapport.monitoring.v1.AlertSilence;
import io.rapport.monitoring.v1.AlertSilenceKey;
import io.rapport.monitoring.v1.AlertSilenceServiceGrpc;
import io.rapport.monitoring.v1.AnomalyAlert;
import io.rapport.monitoring.v1.AnomalyAlert.Severity;
import io.rapport.monitoring.v1.AnomalyAlert.State;
import io.rapport.monitoring.v1.AnomalyAlertFilter;
import io.rapport.monitoring.v1.AnomalyAlertServiceGrpc;
import io.rapport.monitoring.v1.AnomalyAlertServiceGrpc.AnomalyAlertServiceBlockingStub;
import io.rapport.monitoring.v1.CreateAnomalyAlertRequest;
import io.rapport.monitoring.v1.DeleteAlertSilenceRequest;
import io.rapport.monitoring.v1.DetectionSettings;
import io.rapport.monitoring.v1.DetectionSettingsServiceGrpc;
import io.rapport.monitoring.v1.GetAlertSilenceRequest;
import io.rapport.monitoring.v1.GetAnomalyAlertRequest;
import io.rapport.monitoring.v1.ListAnomalyAlertsRequest;
import io.rapport.monitoring.v1.ListAnomalyAlertsResponse;
import io.rapport.monitoring.v1.ResolveAnomalyAlertRequest;
import io.rapport.monitoring.v1.UpsertAlertSilenceRequest;
import io.rapport.monitoring.v1.UpsertDetectionSettingsRequest;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The life of alerts. */
class AnomalyAlertTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private AnomalyAlertServiceBlockingStub alerts() {
    return AnomalyAlertServiceGrpc.newBlockingStub(rapport.channel());
  }

  private static AnomalyAlert.Builder alert(Severity severity) {
    return AnomalyAlert.newBuilder()
        .setModelName("risk")
        .setAlertType("drift")
        .setSeverity(severity);
  }

  private AnomalyAlert raise(AnomalyAlert.Builder alert) {
    return alerts()
        .createAnomalyAlert(CreateAnomalyAlertRequest.newBuilder().setAlert(alert).build());
  }

  private AnomalyAlert acknowledge(String id, String user) {
    return alerts()
        .acknowledgeAnomalyAlert(
            AcknowledgeAnomalyAlertRequest.newBuilder().setId(id).setUserId(user).build());
  }

  private AnomalyAlert resolve(String id) {
    return alerts()
        .resolveAnomalyAlert(
            ResolveAnomalyAlertRequest.newBuilder().setId(id).setResolution("retrained").build());
  }

  private AnomalyAlert get(String id) {
    return alerts().getAnomalyAlert(GetAnomalyAlertRequest.newBuilder().setId(id).build());
  }

  private List<AnomalyAlert> list(AnomalyAlertFilter.Builder filter) {
    return alerts()
        .listAnomalyAlerts(ListAnomalyAlertsRequest.newBuilder().setFilter(filter).build())
        .getAlertsList();
  }

  private void silence(String model, String fingerprint, String until) {
    var _ =
        AlertSilenceServiceGrpc.newBlockingStub(rapport.channel())
            .upsertAlertSilence(
                UpsertAlertSilenceRequest.newBuilder()
                    .setAlertSilence(
                        AlertSilence.newBuilder()
                            .setModelName(model)
                            .setFingerprint(fingerprint)
                            .setSilencedUntilAt(Given.time(until)))
                    .build());
  }

  private void unsilence(String model, String fingerprint) {
    var silences = AlertSilenceServiceGrpc.newBlockingStub(rapport.channel());
    AlertSilence silence =
        silences.getAlertSilence(
            GetAlertSilenceRequest.newBuilder()
                .setNaturalKey(
                    AlertSilenceKey.newBuilder().setModelName(model).setFingerprint(fingerprint))
                .build());
    var _ =
        silences.deleteAlertSilence(
            DeleteAlertSilenceRequest.newBuilder().setId(silence.getId()).build());
  }

  @Test
  void refusesASilenceThatIsOver() {
    Told told = Told.by(() -> silence("risk", "*", "2020-01-01T00:00:00Z"));

    assertThat(told.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(told.fields()).containsExactly("alert_silence.silenced_until_at");
  }

  /** What others ask: how many critical alerts there are of a model. */
  private int openCritical() {
    return new AlertStore().openCritical(rapport.sql(), rapport.tenant(), "risk");
  }

  @Test
  void countsWhatIsRaisedAgainUntilItIsResolved() {
    Struct data =
        Struct.newBuilder().putFields("n", Value.newBuilder().setNumberValue(1).build()).build();
    AnomalyAlert first = raise(alert(Severity.HIGH));

    AnomalyAlert again = raise(alert(Severity.LOW).setAlertData(data));
    AnomalyAlert resolved = resolve(first.getId());
    AnomalyAlert anew = raise(alert(Severity.LOW));

    assertThat(first.getState()).isEqualTo(State.OPEN);
    assertThat(first.getFingerprint()).isEqualTo("risk/drift");
    assertThat(again.getId()).isEqualTo(first.getId());
    assertThat(again.getOccurrences()).isEqualTo(2);
    assertThat(again.getSeverity()).isEqualTo(Severity.HIGH);
    assertThat(again.getAlertData()).isEqualTo(data);
    assertThat(again.getFirstSeenAt()).isEqualTo(first.getFirstSeenAt());
    assertThat(resolved.getState()).isEqualTo(State.RESOLVED);
    assertThat(resolved.getResolution()).isEqualTo("retrained");
    assertThat(anew.getId()).isNotEqualTo(first.getId());
    assertThat(anew.getOccurrences()).isOne();
  }

  @Test
  void isAnotherAlertIfItIsAnotherModels() {
    AnomalyAlert first = raise(alert(Severity.LOW).setModelName("other").setFingerprint("drift"));

    AnomalyAlert second = raise(alert(Severity.CRITICAL).setFingerprint("drift"));

    assertThat(second.getId()).isNotEqualTo(first.getId());
    assertThat(get(first.getId()).getOccurrences()).isOne();
    assertThat(openCritical()).isOne();
  }

  @Test
  void isOneAlertThoughManyRaiseItAtTheSameTime() {
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 20; i++) {
        var _ = callers.submit(() -> raise(alert(Severity.LOW)));
      }
    }

    assertThat(list(AnomalyAlertFilter.newBuilder()))
        .singleElement()
        .satisfies(it -> assertThat(it.getOccurrences()).isEqualTo(20));
  }

  @Test
  void keepsWhoAcknowledgedItAndOpensAgainIfItGetsWorse() {
    String user = rapport.client().users().create(User.getDefaultInstance()).getId();
    AnomalyAlert raised = raise(alert(Severity.MEDIUM));

    AnomalyAlert seen = acknowledge(raised.getId(), user);
    AnomalyAlert again = acknowledge(raised.getId(), "");
    AnomalyAlert same = raise(alert(Severity.MEDIUM));
    AnomalyAlert worse = raise(alert(Severity.CRITICAL));

    assertThat(seen.getState()).isEqualTo(State.ACKNOWLEDGED);
    assertThat(seen.getAcknowledged()).isTrue();
    assertThat(seen.getAcknowledgedBy()).isEqualTo(user);
    assertThat(seen.getAcknowledgedBySubject()).isEqualTo("test");
    assertThat(again).isEqualTo(seen);
    assertThat(same.getState()).isEqualTo(State.ACKNOWLEDGED);
    assertThat(worse.getState()).isEqualTo(State.OPEN);
    assertThat(worse.getAcknowledged()).isFalse();
    assertThat(openCritical()).isOne();
  }

  @Test
  void refusesWhatCannotBeAcknowledged() {
    AnomalyAlert raised = raise(alert(Severity.LOW));

    assertThat(Told.by(() -> acknowledge(raised.getId(), Given.id())).reason())
        .isEqualTo("USER_NOT_FOUND");
    resolve(raised.getId());
    Told told = Told.by(() -> acknowledge(raised.getId(), ""));
    assertThat(told.code()).isEqualTo(Code.FAILED_PRECONDITION);
    assertThat(told.reason()).isEqualTo("ALERT_RESOLVED");
    assertThat(Told.by(() -> acknowledge(Given.id(), "")).code()).isEqualTo(Code.NOT_FOUND);
    assertThat(Told.by(() -> raise(alert(Severity.SEVERITY_UNSPECIFIED))).fields())
        .containsExactly("alert.severity");
    assertThat(Told.by(() -> raise(alert(Severity.LOW).clearModelName())).fields())
        .containsExactly("alert.model_name");
  }

  @Test
  void isSilencedAsLongAsARuleSaysSo() {
    AnomalyAlert raised = raise(alert(Severity.CRITICAL));

    silence("risk", "other", "2099-01-01T00:00:00Z");
    assertThat(get(raised.getId()).getState()).isEqualTo(State.OPEN);
    assertThat(openCritical()).isOne();
    silence("*", "risk/drift", "2099-01-01T00:00:00Z");
    assertThat(get(raised.getId()).getState()).isEqualTo(State.SILENCED);
    assertThat(raise(alert(Severity.CRITICAL)).getOccurrences()).isEqualTo(2);
    assertThat(list(AnomalyAlertFilter.newBuilder().addStates(State.SILENCED))).hasSize(1);
    assertThat(list(AnomalyAlertFilter.newBuilder().addStates(State.OPEN))).isEmpty();
    assertThat(openCritical()).isZero();
    unsilence("*", "risk/drift");
    assertThat(get(raised.getId()).getState()).isEqualTo(State.OPEN);
    assertThat(openCritical()).isOne();
  }

  @Test
  void listsThoseThatPassPageByPage() {
    for (int i = 0; i < 5; i++) {
      raise(alert(Severity.LOW).setFingerprint("f" + i));
    }
    AnomalyAlert high = raise(alert(Severity.HIGH).setModelName("other"));
    acknowledge(high.getId(), "");

    List<String> seen = new ArrayList<>();
    String token = "";
    do {
      raise(alert(Severity.LOW).setFingerprint("f0")); // which moves it to no other page
      ListAnomalyAlertsResponse page =
          alerts()
              .listAnomalyAlerts(
                  ListAnomalyAlertsRequest.newBuilder().setPageSize(2).setPageToken(token).build());
      page.getAlertsList().forEach(it -> seen.add(it.getFingerprint()));
      token = page.getNextPageToken();
    } while (!token.isEmpty());

    assertThat(seen).containsExactly("other/drift", "f4", "f3", "f2", "f1", "f0");
    assertThat(list(AnomalyAlertFilter.newBuilder().setModelName("other"))).hasSize(1);
    assertThat(list(AnomalyAlertFilter.newBuilder().addSeverities(Severity.HIGH))).hasSize(1);
    assertThat(list(AnomalyAlertFilter.newBuilder().setAcknowledged(true))).hasSize(1);
    assertThat(list(AnomalyAlertFilter.newBuilder().setFingerprint("f3"))).hasSize(1);
  }

  @Test
  @Timeout(60)
  void isResolvedWhenItWasQuietForAsLongAsItsModelSays() {
    var _ =
        DetectionSettingsServiceGrpc.newBlockingStub(rapport.channel())
            .upsertDetectionSettings(
                UpsertDetectionSettingsRequest.newBuilder()
                    .setDetectionSettings(
                        DetectionSettings.newBuilder().setModelName("risk").setQuietSeconds(3600))
                    .build());
    AnomalyAlert quiet = raise(alert(Severity.LOW));
    AnomalyAlert loud = raise(alert(Severity.LOW).setModelName("other"));
    rapport
        .sql()
        .execute(
            "UPDATE monitoring.anomaly_alerts SET last_seen_at = now() - interval '2 hours'"
                + " WHERE tenant_id = ?",
            rapport.tenant());

    while (get(quiet.getId()).getState() != State.RESOLVED) {
      Thread.onSpinWait();
    }

    assertThat(get(quiet.getId()).getResolution()).isEqualTo("quiet");
    assertThat(get(loud.getId()).getState()).isEqualTo(State.OPEN);
  }
}
