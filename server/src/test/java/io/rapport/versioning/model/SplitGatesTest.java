package io.rapport.versioning.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.rpc.Code;
import io.rapport.client.ModelsClient;
import io.rapport.monitoring.v1.AnomalyAlert;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import io.rapport.versioning.v1.ApproveDeploymentRequest;
import io.rapport.versioning.v1.GateOverride;
import io.rapport.versioning.v1.ModelVersion;
import io.rapport.versioning.v1.ModelVersionServiceGrpc;
import io.rapport.versioning.v1.ModelVersionServiceGrpc.ModelVersionServiceBlockingStub;
import io.rapport.versioning.v1.PromoteModelVersionRequest;
import io.rapport.versioning.v1.PromotionGate;
import io.rapport.versioning.v1.PromotionGate.Gate;
import io.rapport.versioning.v1.SetTrafficSplitRequest;
import io.rapport.versioning.v1.TrafficSplit;
import io.rapport.versioning.v1.TrainingServiceGrpc;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a candidate must pass before users get it. */
@Timeout(60)
class SplitGatesTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private ModelVersionServiceBlockingStub stub;
  private ModelsClient models;

  @BeforeEach
  void activate() {
    stub = ModelVersionServiceGrpc.newBlockingStub(rapport.channel());
    models = rapport.client().learning().models();
    ModelVersion first = models.register(GivenVersion.registering("0.1.0").build());
    models.promote(
        PromoteModelVersionRequest.newBuilder()
            .setModelVersionId(first.getId())
            .addAllOverrides(GivenVersion.OVERRIDES)
            .build());
  }

  private static SetTrafficSplitRequest.Builder giving(ModelVersion candidate, double percent) {
    return SetTrafficSplitRequest.newBuilder()
        .setModelType("goal")
        .setCandidateVersionId(candidate.getId())
        .setPercent(percent);
  }

  private static AnomalyAlert raised() {
    return rapport
        .client()
        .alerts()
        .raise(
            AnomalyAlert.newBuilder()
                .setModelName("goal")
                .setAlertType("drift")
                .setSeverity(AnomalyAlert.Severity.CRITICAL)
                .build());
  }

  @Test
  void givesUsersWhatPassesAllGates() {
    TrafficSplit split = models.split(giving(GivenVersion.approved(rapport), 20).build());

    assertThat(split.getPercent()).isEqualTo(20);
    assertThat(split.getGatesList()).hasSize(7).allMatch(PromotionGate::getPassed);
    assertThat(split.getSetBy()).isNotEmpty();
    assertThat(split.hasOverrides()).isFalse();
    assertThat(models.split("goal")).isEqualTo(split.toBuilder().clearGates().build());
  }

  @Test
  void keepsUsersFromWhatFailsAGate() {
    ModelVersion candidate = GivenVersion.trained(rapport);

    Told told = Told.by(() -> stub.setTrafficSplit(giving(candidate, 0.01).build()));

    assertThat(told.code()).isEqualTo(Code.FAILED_PRECONDITION);
    assertThat(told.reason()).isEqualTo(ErrorReason.PROMOTION_GATES_FAILED.name());
    assertThat(told.metadata()).containsEntry("gates", "DEPLOYMENT_APPROVED");
    assertThat(told.fields()).containsExactly("gates.DEPLOYMENT_APPROVED");
    assertThat(models.split("goal").getCandidateVersionId()).isEmpty();
    GivenVersion.approve(rapport, candidate);
    assertThat(models.split(giving(candidate, 0.01).build()).getPercent()).isEqualTo(0.01);
  }

  @Test
  void isStoppedByACriticalAlert() {
    ModelVersion candidate = GivenVersion.approved(rapport);
    models.split(giving(candidate, 10).build());
    AnomalyAlert alert = raised();

    Told more = Told.by(() -> stub.setTrafficSplit(giving(candidate, 20).build()));
    assertThat(more.metadata()).containsEntry("gates", "NO_CRITICAL_ALERT");
    assertThat(models.split("goal").getPercent()).isEqualTo(10);
    TrafficSplit fewer = models.split(giving(candidate, 5).build());
    assertThat(fewer.getPercent()).isEqualTo(5);
    assertThat(fewer.getGatesList()).isEmpty();
    assertThat(models.split("goal", "", 0).getCandidateVersionId()).isEmpty();

    rapport.client().alerts().resolve(alert.getId(), "looked into");
    assertThat(models.split(giving(candidate, 20).build()).getPercent()).isEqualTo(20);
  }

  @Test
  void asksAgainWhenTheCandidateIsAnother() {
    models.split(giving(GivenVersion.approved(rapport), 50).build());
    ModelVersion other = GivenVersion.trained(rapport);

    Told told = Told.by(() -> stub.setTrafficSplit(giving(other, 1).build()));

    assertThat(told.metadata()).containsEntry("gates", "DEPLOYMENT_APPROVED");
  }

  @Test
  void keepsTheReasonsOfOverrides() {
    ModelVersion candidate = GivenVersion.trained(rapport);
    SetTrafficSplitRequest request =
        giving(candidate, 5)
            .addAllOverrides(GivenVersion.OVERRIDES)
            .setReason("to see how it does")
            .build();

    TrafficSplit split = models.split(request);

    assertThat(split.getReason()).isEqualTo("to see how it does");
    assertThat(split.getOverrides().getFieldsMap()).containsOnlyKeys("DEPLOYMENT_APPROVED");
    assertThat(split.getOverrides().getFieldsOrThrow("DEPLOYMENT_APPROVED").getStringValue())
        .isEqualTo("of DEPLOYMENT_APPROVED");
    TrafficSplit fewer = models.split(giving(candidate, 2).setReason("enough").build());
    assertThat(fewer.getOverrides()).isEqualTo(split.getOverrides());
    assertThat(fewer.getReason()).isEqualTo("enough");
    assertThat(models.split("goal", "", 0).hasOverrides()).isFalse();
    Told noReason =
        Told.by(() ->
            stub.setTrafficSplit(
                giving(candidate, 5)
                    .addOverrides(GateOverride.newBuilder().setGate(Gate.SAMPLE_COUNT))
                    .build()));
    assertThat(noReason.fields()).containsExactly("overrides[0].reason");
  }

  @Test
  void endsWhenTheApprovalIsTakenBack() {
    ModelVersion candidate = GivenVersion.approved(rapport);
    models.split(giving(candidate, 20).build());

    var _ =
        TrainingServiceGrpc.newBlockingStub(rapport.channel())
            .approveDeployment(
                ApproveDeploymentRequest.newBuilder()
                    .setTrainingEventId(candidate.getTrainingEventId())
                    .setRevoke(true)
                    .build());

    assertThat(models.split("goal").getCandidateVersionId()).isEmpty();
    assertThat(models.split("goal").getPercent()).isZero();
  }

  @Test
  void tellsInATrialHowTheCandidateWouldDo() {
    ModelVersion candidate = GivenVersion.trained(rapport);
    TrafficSplit before = models.split("goal");

    TrafficSplit trial = models.split(giving(candidate, 30).setValidateOnly(true).build());

    assertThat(trial.getGatesList())
        .hasSize(7)
        .filteredOn(it -> !it.getPassed())
        .extracting(PromotionGate::getGate)
        .containsExactly(Gate.DEPLOYMENT_APPROVED);
    assertThat(trial.toBuilder().clearGates().build()).isEqualTo(before);
    assertThat(models.split("goal")).isEqualTo(before);
  }
}
