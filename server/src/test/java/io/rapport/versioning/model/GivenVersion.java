package io.rapport.versioning.model;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.rapport.server.Rapport;
import io.rapport.versioning.v1.ApproveDeploymentRequest;
import io.rapport.versioning.v1.ClaimTrainingRequest;
import io.rapport.versioning.v1.ClaimTrainingResponse;
import io.rapport.versioning.v1.CompleteTrainingRequest;
import io.rapport.versioning.v1.GateOverride;
import io.rapport.versioning.v1.ModelVersion;
import io.rapport.versioning.v1.PromotionGate.Gate;
import io.rapport.versioning.v1.RegisterModelVersionRequest;
import io.rapport.versioning.v1.TrainingServiceGrpc;
import java.util.Arrays;
import java.util.List;

/** Versions of the type `goal`. */
final class GivenVersion {
  static final String DIGEST = "fedcba9876543210".repeat(4);
  static final String OTHER_DIGEST = "0123456789abcdef".repeat(4);

  /** An override of each gate. */
  static final List<GateOverride> OVERRIDES =
      Arrays.stream(Gate.values())
          .filter(it -> it != Gate.GATE_UNSPECIFIED && it != Gate.UNRECOGNIZED)
          .map(it -> GateOverride.newBuilder().setGate(it).setReason("of " + it).build())
          .toList();

  private GivenVersion() {}

  static RegisterModelVersionRequest.Builder registering(String version) {
    return RegisterModelVersionRequest.newBuilder()
        .setModelType("goal")
        .setVersion(version)
        .setModelPath("models/" + version);
  }

  /** A training that a worker has. */
  static ClaimTrainingResponse claimed(Rapport rapport) {
    rapport.client().learning().trigger("goal", "");
    return TrainingServiceGrpc.newBlockingStub(rapport.channel())
        .claimTraining(ClaimTrainingRequest.newBuilder().setWorker("w").build());
  }

  static CompleteTrainingRequest.Builder completing(ClaimTrainingResponse claimed) {
    return CompleteTrainingRequest.newBuilder()
        .setTrainingEventId(claimed.getTrainingEvent().getId())
        .setLeaseId(claimed.getLeaseId())
        .setModelPath("m")
        .setArtefactDigest(DIGEST)
        .setValidationScore(0.8)
        .setTrainingDataSize(100);
  }

  /** A version that a training made, and that nobody has approved. */
  static ModelVersion trained(Rapport rapport) {
    ModelVersion version =
        TrainingServiceGrpc.newBlockingStub(rapport.channel())
            .completeTraining(completing(claimed(rapport)).build())
            .getModelVersion();
    rapport
        .sql()
        .execute(
            "UPDATE versioning.model_versions SET data_quality_score = 0.9 WHERE id = ?::uuid",
            version.getId());
    return version;
  }

  static void approve(Rapport rapport, ModelVersion version) {
    var _ =
        TrainingServiceGrpc.newBlockingStub(rapport.channel())
            .approveDeployment(
                ApproveDeploymentRequest.newBuilder()
                    .setTrainingEventId(version.getTrainingEventId())
                    .build());
  }

  /** A version that passes every gate. */
  static ModelVersion approved(Rapport rapport) {
    ModelVersion version = trained(rapport);
    approve(rapport, version);
    return version;
  }

  /** Texts under so many names. */
  static Struct texts(int count, int length) {
    Struct.Builder struct = Struct.newBuilder();
    for (int i = 0; i < count; i++) {
      struct.putFields("k" + i, Value.newBuilder().setStringValue("x".repeat(length)).build());
    }
    return struct.build();
  }

  /** Numbers under so many names that begin alike. */
  static Struct numbers(String name, int count) {
    Struct.Builder struct = Struct.newBuilder();
    for (int i = 0; i < count; i++) {
      struct.putFields(name + i, Value.newBuilder().setNumberValue(i + 0.5).build());
    }
    return struct.build();
  }
}
