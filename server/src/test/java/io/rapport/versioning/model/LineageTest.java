package io.rapport.versioning.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.rpc.Code;
import io.rapport.client.ModelsClient;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import io.rapport.versioning.v1.ClaimTrainingResponse;
import io.rapport.versioning.v1.ModelVersion;
import io.rapport.versioning.v1.ModelVersionServiceGrpc;
import io.rapport.versioning.v1.ModelVersionServiceGrpc.ModelVersionServiceBlockingStub;
import io.rapport.versioning.v1.PromotionGate;
import io.rapport.versioning.v1.PromotionGate.Gate;
import io.rapport.versioning.v1.RegisterModelVersionRequest;
import io.rapport.versioning.v1.TrainingServiceGrpc;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a training stands for: the model that it was completed with, and no other. */
@Timeout(60)
class LineageTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private ModelVersionServiceBlockingStub stub;
  private ModelsClient models;

  @BeforeEach
  void connect() {
    stub = ModelVersionServiceGrpc.newBlockingStub(rapport.channel());
    models = rapport.client().learning().models();
  }

  private static RegisterModelVersionRequest.Builder registering(String training, String digest) {
    return GivenVersion.registering("")
        .setTrainingEventId(training)
        .setArtefactDigest(digest)
        .setValidationScore(0.9)
        .setDataQualityScore(0.9)
        .setTrainingDataSize(100);
  }

  @Test
  void refusesAnotherModelOfAnApprovedTraining() {
    ModelVersion version = GivenVersion.approved(rapport);
    String training = version.getTrainingEventId();
    models.promote(version.getId());

    Told other =
        Told.by(() ->
            stub.registerModelVersion(registering(training, GivenVersion.OTHER_DIGEST).build()));
    Told none = Told.by(() -> stub.registerModelVersion(registering(training, "").build()));

    assertThat(other.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(other.fields()).containsExactly("artefact_digest");
    assertThat(none.fields()).containsExactly("artefact_digest");
  }

  @Test
  void takesTheModelOfATrainingAsAnotherVersion() {
    ModelVersion version = GivenVersion.approved(rapport);

    ModelVersion same =
        stub.registerModelVersion(
            registering(version.getTrainingEventId(), GivenVersion.DIGEST).build());

    assertThat(same.getVersion()).isEqualTo("1.0.1");
    assertThat(models.promote(same.getId()).getGatesList()).allMatch(PromotionGate::getPassed);
  }

  @Test
  void refusesModelsOfTrainingsThatHaveNone() {
    ClaimTrainingResponse claimed = GivenVersion.claimed(rapport);
    String training = claimed.getTrainingEvent().getId();

    Told early =
        Told.by(
            () -> stub.registerModelVersion(registering(training, GivenVersion.DIGEST).build()));
    var _ =
        TrainingServiceGrpc.newBlockingStub(rapport.channel())
            .completeTraining(GivenVersion.completing(claimed).clearArtefactDigest().build());
    Told unknown =
        Told.by(
            () -> stub.registerModelVersion(registering(training, GivenVersion.DIGEST).build()));

    assertThat(early.code()).isEqualTo(Code.FAILED_PRECONDITION);
    assertThat(early.reason()).isEqualTo(ErrorReason.TRAINING_STATE.name());
    assertThat(early.metadata()).containsEntry("from", "IN_PROGRESS");
    assertThat(unknown.fields()).containsExactly("artefact_digest");
  }

  @Test
  void approvesNothingElseThanWhatWasTrained() {
    ModelVersion version = GivenVersion.approved(rapport);
    rapport
        .sql()
        .execute(
            "UPDATE versioning.model_versions SET artefact_digest = ? WHERE id = ?::uuid",
            GivenVersion.OTHER_DIGEST,
            version.getId());

    assertThat(models.gates(version.getId()))
        .filteredOn(it -> !it.getPassed())
        .extracting(PromotionGate::getGate)
        .containsExactly(Gate.DEPLOYMENT_APPROVED);
  }
}
