package io.rapport.client;

import io.rapport.monitoring.v1.AcknowledgeAnomalyAlertRequest;
import io.rapport.monitoring.v1.AlertSilence;
import io.rapport.monitoring.v1.AlertSilenceServiceGrpc;
import io.rapport.monitoring.v1.AnomalyAlert;
import io.rapport.monitoring.v1.AnomalyAlertFilter;
import io.rapport.monitoring.v1.AnomalyAlertServiceGrpc;
import io.rapport.monitoring.v1.CreateAnomalyAlertRequest;
import io.rapport.monitoring.v1.DetectAnomaliesRequest;
import io.rapport.monitoring.v1.DetectAnomaliesResponse;
import io.rapport.monitoring.v1.DetectionSettings;
import io.rapport.monitoring.v1.DetectionSettingsServiceGrpc;
import io.rapport.monitoring.v1.GetAnomalyAlertRequest;
import io.rapport.monitoring.v1.GetDetectionSettingsRequest;
import io.rapport.monitoring.v1.ListAnomalyAlertsRequest;
import io.rapport.monitoring.v1.ListAnomalyAlertsResponse;
import io.rapport.monitoring.v1.ResolveAnomalyAlertRequest;
import io.rapport.monitoring.v1.UpsertAlertSilenceRequest;
import io.rapport.monitoring.v1.UpsertAlertSilenceResponse;
import io.rapport.monitoring.v1.UpsertDetectionSettingsRequest;
import io.rapport.monitoring.v1.UpsertDetectionSettingsResponse;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Alerts about models, and finding anomalies among their predictions. Every method may throw a
 * {@link RapportException}.
 */
public final class AlertsClient {
  private static final int PAGE = 500;

  private final Calls calls;
  private final Rpc<GetAnomalyAlertRequest, AnomalyAlert> get;
  private final Rpc<ListAnomalyAlertsRequest, ListAnomalyAlertsResponse> list;
  private final Rpc<CreateAnomalyAlertRequest, AnomalyAlert> raise;
  private final Rpc<AcknowledgeAnomalyAlertRequest, AnomalyAlert> acknowledge;
  private final Rpc<ResolveAnomalyAlertRequest, AnomalyAlert> resolve;
  private final Rpc<DetectAnomaliesRequest, DetectAnomaliesResponse> detect;
  private final Rpc<UpsertAlertSilenceRequest, UpsertAlertSilenceResponse> silence;
  private final Rpc<GetDetectionSettingsRequest, DetectionSettings> settings;
  private final Rpc<UpsertDetectionSettingsRequest, UpsertDetectionSettingsResponse> set;

  AlertsClient(Calls calls) {
    this.calls = calls;
    this.get = calls.rpc(AnomalyAlertServiceGrpc.getGetAnomalyAlertMethod());
    this.list = calls.rpc(AnomalyAlertServiceGrpc.getListAnomalyAlertsMethod());
    this.raise = calls.rpc(AnomalyAlertServiceGrpc.getCreateAnomalyAlertMethod());
    this.acknowledge = calls.rpc(AnomalyAlertServiceGrpc.getAcknowledgeAnomalyAlertMethod());
    this.resolve = calls.rpc(AnomalyAlertServiceGrpc.getResolveAnomalyAlertMethod());
    this.detect = calls.rpc(AnomalyAlertServiceGrpc.getDetectAnomaliesMethod());
    this.silence = calls.rpc(AlertSilenceServiceGrpc.getUpsertAlertSilenceMethod());
    this.settings = calls.rpc(DetectionSettingsServiceGrpc.getGetDetectionSettingsMethod());
    this.set = calls.rpc(DetectionSettingsServiceGrpc.getUpsertDetectionSettingsMethod());
  }

  /** The alert with this UUID; empty if there is none. */
  public Optional<AnomalyAlert> get(String id) {
    try {
      return Optional.of(calls.call(get, GetAnomalyAlertRequest.newBuilder().setId(id).build()));
    } catch (NotFoundException absent) {
      return Optional.empty();
    }
  }

  /** The alerts that match, those first that were raised last, fetched as the stream is read. */
  public Stream<AnomalyAlert> list(AnomalyAlertFilter filter) {
    return Pages.stream(
        "",
        token -> {
          ListAnomalyAlertsResponse page =
              calls.call(
                  list,
                  ListAnomalyAlertsRequest.newBuilder()
                      .setFilter(filter)
                      .setPageSize(PAGE)
                      .setPageToken(token)
                      .build());
          return new Pages.Page<>(page.getAlertsList(), page.getNextPageToken());
        });
  }

  /**
   * Raises an alert. If one with its fingerprint is not resolved, that one counts it.
   *
   * @return the alert, as it is now
   */
  public AnomalyAlert raise(AnomalyAlert alert) {
    return calls.call(raise, CreateAnomalyAlertRequest.newBuilder().setAlert(alert).build());
  }

  /**
   * Says that the caller has seen an alert.
   *
   * @throws FailedPreconditionException with reason ALERT_RESOLVED if it is resolved
   */
  public AnomalyAlert acknowledge(String id) {
    return acknowledge(id, "");
  }

  /** The same of a user, who must be there. */
  public AnomalyAlert acknowledge(String id, String userId) {
    return calls.call(
        acknowledge,
        AcknowledgeAnomalyAlertRequest.newBuilder().setId(id).setUserId(userId).build());
  }

  /**
   * Says that an alert is over.
   *
   * @param resolution why; at most 1,000 characters
   */
  public AnomalyAlert resolve(String id, String resolution) {
    return calls.call(
        resolve,
        ResolveAnomalyAlertRequest.newBuilder().setId(id).setResolution(resolution).build());
  }

  /** Looks for anomalies among predictions of a model that have not been looked at. */
  public DetectAnomaliesResponse detect(String modelName) {
    return calls.call(detect, DetectAnomaliesRequest.newBuilder().setModelName(modelName).build());
  }

  /** Says that alerts are not to be minded until a time; found by model and fingerprint. */
  public AlertSilence silence(AlertSilence rule) {
    return calls
        .call(silence, UpsertAlertSilenceRequest.newBuilder().setAlertSilence(rule).build())
        .getAlertSilence();
  }

  /** How anomalies of a model are looked for; empty if it has no settings of its own. */
  public Optional<DetectionSettings> settings(String modelName) {
    try {
      return Optional.of(
          calls.call(
              settings, GetDetectionSettingsRequest.newBuilder().setModelName(modelName).build()));
    } catch (NotFoundException absent) {
      return Optional.empty();
    }
  }

  /** Lets settings be as they are sent, found by their model. What isn't set stays as it is. */
  public DetectionSettings putSettings(DetectionSettings changed) {
    return calls
        .call(
            set, UpsertDetectionSettingsRequest.newBuilder().setDetectionSettings(changed).build())
        .getDetectionSettings();
  }
}
