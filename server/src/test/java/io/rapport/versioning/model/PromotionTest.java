package io.rapport.versioning.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.rpc.Code;
import io.rapport.client.ModelsClient;
import io.rapport.monitoring.v1.AnomalyAlert;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import io.rapport.versioning.v1.ApproveDeploymentRequest;
import io.rapport.versioning.v1.ClaimTrainingRequest;
import io.rapport.versioning.v1.ClaimTrainingResponse;
import io.rapport.versioning.v1.CompleteTrainingRequest;
import io.rapport.versioning.v1.GateOverride;
import io.rapport.versioning.v1.GetActiveModelVersionResponse;
import io.rapport.versioning.v1.ListModelActivationsRequest;
import io.rapport.versioning.v1.ListModelVersionsRequest;
import io.rapport.versioning.v1.ModelActivation;
import io.rapport.versioning.v1.ModelVersion;
import io.rapport.versioning.v1.ModelVersionFilter;
import io.rapport.versioning.v1.ModelVersionServiceGrpc;
import io.rapport.versioning.v1.ModelVersionServiceGrpc.ModelVersionServiceBlockingStub;
import io.rapport.versioning.v1.PromoteModelVersionRequest;
import io.rapport.versioning.v1.PromoteModelVersionResponse;
import io.rapport.versioning.v1.PromotionGate;
import io.rapport.versioning.v1.PromotionGate.Gate;
import io.rapport.versioning.v1.PromotionPolicy;
import io.rapport.versioning.v1.RegisterModelVersionRequest;
import io.rapport.versioning.v1.RollbackModelVersionRequest;
import io.rapport.versioning.v1.RollbackModelVersionResponse;
import io.rapport.versioning.v1.TrainingEvent;
import io.rapport.versioning.v1.TrainingServiceGrpc;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Which version is active. */
class PromotionTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final String DIGEST = "fedcba9876543210".repeat(4);
  private static final List<GateOverride> ALL =
      Arrays.stream(Gate.values())
          .filter(it -> it != Gate.GATE_UNSPECIFIED && it != Gate.UNRECOGNIZED)
          .map(it -> GateOverride.newBuilder().setGate(it).setReason("of " + it).build())
          .toList();

  private ModelVersionServiceBlockingStub stub;
  private ModelsClient models;

  @BeforeEach
  void connect() {
    stub = ModelVersionServiceGrpc.newBlockingStub(rapport.channel());
    models = rapport.client().learning().models();
  }

  private ModelVersion registered(String version) {
    return models.register(registering(version).build());
  }

  private static RegisterModelVersionRequest.Builder registering(String version) {
    return RegisterModelVersionRequest.newBuilder()
        .setModelType("goal")
        .setVersion(version)
        .setModelPath("models/" + version)
        .setArtefactDigest(DIGEST)
        .setValidationScore(0.8)
        .setDataQualityScore(0.9)
        .setTrainingDataSize(100);
  }

  private static PromoteModelVersionRequest.Builder promoting(ModelVersion version) {
    return PromoteModelVersionRequest.newBuilder()
        .setModelVersionId(version.getId())
        .addAllOverrides(ALL);
  }

  private PromoteModelVersionResponse promoted(ModelVersion version) {
    return stub.promoteModelVersion(promoting(version).build());
  }

  /** A version that passes every gate. */
  private ModelVersion trained(double score) {
    var trainings = TrainingServiceGrpc.newBlockingStub(rapport.channel());
    rapport.client().learning().trigger("goal", "");
    ClaimTrainingResponse claimed =
        trainings.claimTraining(ClaimTrainingRequest.newBuilder().setWorker("w").build());
    ModelVersion version =
        trainings
            .completeTraining(
                CompleteTrainingRequest.newBuilder()
                    .setTrainingEventId(claimed.getTrainingEvent().getId())
                    .setLeaseId(claimed.getLeaseId())
                    .setModelPath("m")
                    .setArtefactDigest(DIGEST)
                    .setValidationScore(score)
                    .setTrainingDataSize(100)
                    .build())
            .getModelVersion();
    trainings.approveDeployment(
        ApproveDeploymentRequest.newBuilder()
            .setTrainingEventId(version.getTrainingEventId())
            .build());
    rapport
        .sql()
        .execute(
            "UPDATE versioning.model_versions SET data_quality_score = 0.9 WHERE id = ?::uuid",
            version.getId());
    return version;
  }

  @Test
  void promotesWhatPassesAllGates() {
    ModelVersion version = trained(0.8);

    PromoteModelVersionResponse answer = models.promote(version.getId());

    assertThat(answer.getGatesList()).hasSize(7).allMatch(PromotionGate::getPassed);
    assertThat(answer.getModelVersion().getIsActive()).isTrue();
    assertThat(answer.getModelVersion().getDeployedAt())
        .isEqualTo(answer.getActivation().getActivatedAt());
    assertThat(answer.getActivation().getCause()).isEqualTo(ModelActivation.Cause.PROMOTION);
    assertThat(answer.getActivation().hasOverrides()).isFalse();
    assertThat(
            rapport
                .client()
                .learning()
                .training(version.getTrainingEventId())
                .orElseThrow()
                .getStatus())
        .isEqualTo(TrainingEvent.Status.DEPLOYED);
  }

  @Test
  void namesEachGateThatFails() {
    models.promote(trained(0.9).getId());
    ModelVersion poor =
        models.register(
            RegisterModelVersionRequest.newBuilder()
                .setModelType("goal")
                .setModelPath("m")
                .setValidationScore(0.5)
                .build());

    Told told = Told.by(() -> stub.promoteModelVersion(promoting(poor).clearOverrides().build()));

    assertThat(told.code()).isEqualTo(Code.FAILED_PRECONDITION);
    assertThat(told.reason()).isEqualTo(ErrorReason.PROMOTION_GATES_FAILED.name());
    assertThat(told.metadata().getOrDefault("gates", "").split(","))
        .containsExactlyInAnyOrder(
            "VALIDATION_SCORE",
            "DATA_QUALITY",
            "SAMPLE_COUNT",
            "DEPLOYMENT_APPROVED",
            "ARTEFACT_DIGEST",
            "TRAINING_COMPLETED");
    assertThat(told.fields()).contains("gates.VALIDATION_SCORE").hasSize(6);
    assertThat(models.active("goal").orElseThrow().getVersion()).isEqualTo("1.0.0");
    assertThat(models.gates(poor.getId()))
        .hasSize(7)
        .filteredOn(PromotionGate::getPassed)
        .extracting(PromotionGate::getGate)
        .containsExactly(Gate.NO_CRITICAL_ALERT);
  }

  @Test
  void keepsAVersionWaitingWhileACriticalAlertIsOpen() {
    ModelVersion version = trained(0.8);
    AnomalyAlert alert = raised("goal");
    raised("spending");

    Told told =
        Told.by(() -> stub.promoteModelVersion(promoting(version).clearOverrides().build()));
    assertThat(told.metadata()).containsEntry("gates", "NO_CRITICAL_ALERT");
    rapport.client().alerts().resolve(alert.getId(), "looked into");

    assertThat(models.promote(version.getId()).getModelVersion().getIsActive()).isTrue();
  }

  private static AnomalyAlert raised(String model) {
    return rapport
        .client()
        .alerts()
        .raise(
            AnomalyAlert.newBuilder()
                .setModelName(model)
                .setAlertType("drift")
                .setSeverity(AnomalyAlert.Severity.CRITICAL)
                .build());
  }

  @Test
  void asksForWhatThePolicySays() {
    models.policy(
        PromotionPolicy.newBuilder()
            .setModelType("goal")
            .setValidationFactor(0.5)
            .setRequireApproval(false)
            .setRequireDigest(false)
            .setMinimumTrainingSamples(5)
            .setMinimumDataQuality(0.2)
            .build());
    models.promote(trained(0.9).getId());
    ModelVersion other =
        models.register(
            registering("2.0.0")
                .clearArtefactDigest()
                .setValidationScore(0.5)
                .setTrainingDataSize(5)
                .setDataQualityScore(0.3)
                .build());

    assertThat(models.gates(other.getId()))
        .filteredOn(it -> !it.getPassed())
        .extracting(PromotionGate::getGate)
        .containsExactly(Gate.TRAINING_COMPLETED);
  }

  @Test
  void keepsTheReasonsOfOverrides() {
    ModelVersion version = models.register(registering("1.0.0").clearArtefactDigest().build());

    PromoteModelVersionResponse answer =
        stub.promoteModelVersion(promoting(version).setReason("an emergency").build());

    assertThat(answer.getActivation().getReason()).isEqualTo("an emergency");
    assertThat(answer.getActivation().getActivatedBy()).isNotEmpty();
    assertThat(answer.getActivation().getOverrides().getFieldsMap().keySet())
        .containsExactlyInAnyOrder("ARTEFACT_DIGEST", "DEPLOYMENT_APPROVED", "TRAINING_COMPLETED");
    assertThat(
            answer
                .getActivation()
                .getOverrides()
                .getFieldsOrThrow("ARTEFACT_DIGEST")
                .getStringValue())
        .isEqualTo("of ARTEFACT_DIGEST");
    Told noReason =
        Told.by(() ->
            stub.promoteModelVersion(
                promoting(version)
                    .clearOverrides()
                    .addOverrides(GateOverride.newBuilder().setGate(Gate.SAMPLE_COUNT))
                    .build()));
    assertThat(noReason.fields()).containsExactly("overrides[0].reason");
  }

  @Test
  void leavesOneActiveOfManyPromotions() throws Exception {
    List<ModelVersion> versions = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      versions.add(registered("1.0." + i));
    }
    String first = promoted(versions.getFirst()).getModelVersion().getId();
    int lost = 0;
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<PromoteModelVersionResponse>> answers = new ArrayList<>();
      for (ModelVersion version : versions.subList(1, 8)) {
        PromoteModelVersionRequest request =
            promoting(version).setExpectedActiveVersionId(first).build();
        answers.add(callers.submit(() -> stub.promoteModelVersion(request)));
      }
      for (Future<PromoteModelVersionResponse> answer : answers) {
        try {
          answer.get();
        } catch (ExecutionException e) {
          Told told = Told.of(Objects.requireNonNull(e.getCause()));
          assertThat(told.code()).isEqualTo(Code.ABORTED);
          assertThat(told.reason()).isEqualTo(ErrorReason.ACTIVE_VERSION_CHANGED.name());
          lost++;
        }
      }
    }

    assertThat(lost).isEqualTo(6);
    assertThat(activeOnes()).hasSize(1);
    assertThat(models.activations(ListModelActivationsRequest.getDefaultInstance())).hasSize(2);
  }

  private List<ModelVersion> activeOnes() {
    return models
        .list(
            ListModelVersionsRequest.newBuilder()
                .setFilter(ModelVersionFilter.newBuilder().setIsActive(true))
                .build())
        .toList();
  }

  @Test
  void tellsWhatWasActiveThen() {
    ModelVersion one = registered("1.0.0");
    ModelVersion two = registered("2.0.0");
    String before = rapport.client().position().orElseThrow();
    ModelActivation first = promotedBySdk(one);
    String between = rapport.client().position().orElseThrow();
    ModelActivation second = promotedBySdk(two);

    assertThat(models.activeAfter("goal", before)).isEmpty();
    assertThat(version(models.activeAfter("goal", between).orElseThrow())).isEqualTo("1.0.0");
    assertThat(
            version(
                models
                    .activeAfter("goal", rapport.client().position().orElseThrow())
                    .orElseThrow()))
        .isEqualTo("2.0.0");
    Instant began = instant(first.getActivatedAt());
    Instant swapped = instant(second.getActivatedAt());
    assertThat(models.activeAt("goal", began.minusNanos(1000))).isEmpty();
    assertThat(version(models.activeAt("goal", began).orElseThrow())).isEqualTo("1.0.0");
    assertThat(version(models.activeAt("goal", swapped.minusNanos(1000)).orElseThrow()))
        .isEqualTo("1.0.0");
    assertThat(version(models.activeAt("goal", swapped).orElseThrow())).isEqualTo("2.0.0");
    assertThat(models.active("spending")).isEmpty();
  }

  private ModelActivation promotedBySdk(ModelVersion version) {
    return models.promote(promoting(version).build()).getActivation();
  }

  private static String version(GetActiveModelVersionResponse answer) {
    return answer.getModelVersion().getVersion();
  }

  private static Instant instant(com.google.protobuf.Timestamp time) {
    return Instant.ofEpochSecond(time.getSeconds(), time.getNanos());
  }

  @Test
  void rollsBackFurtherAndFurther() {
    for (String version : List.of("1.0.0", "2.0.0", "3.0.0")) {
      promoted(registered(version));
    }

    RollbackModelVersionResponse once = models.rollBack("goal", "worse");
    assertThat(once.getModelVersion().getVersion()).isEqualTo("2.0.0");
    assertThat(once.getRolledBack().getVersion()).isEqualTo("3.0.0");
    assertThat(once.getRolledBack().getRollbackCount()).isEqualTo(1);
    assertThat(once.getRolledBack().getIsActive()).isFalse();
    assertThat(once.getActivation().getCause()).isEqualTo(ModelActivation.Cause.ROLLBACK);
    assertThat(once.getActivation().getReason()).isEqualTo("worse");
    assertThat(models.rollBack("goal", "still").getModelVersion().getVersion()).isEqualTo("1.0.0");
    Told none = Told.by(() -> stub.rollbackModelVersion(rollingBack()));
    assertThat(none.reason()).isEqualTo(ErrorReason.NO_PREVIOUS_VERSION.name());
    assertThat(activeOnes()).extracting(ModelVersion::getVersion).containsExactly("1.0.0");
    assertThat(models.activations(ListModelActivationsRequest.getDefaultInstance())).hasSize(5);
  }

  private static RollbackModelVersionRequest rollingBack() {
    return RollbackModelVersionRequest.newBuilder().setModelType("goal").setReason("worse").build();
  }

  @Test
  void changesNothingIfTheVersionIsActive() {
    ModelVersion version = registered("1.0.0");
    ModelActivation first = promoted(version).getActivation();

    assertThat(promoted(version).getActivation()).isEqualTo(first);
  }

  @Test
  void refusesWhatItCantTake() {
    registered("1.0.0");
    assertThat(Told.by(() -> stub.registerModelVersion(registering("1.0.0").build())).reason())
        .isEqualTo(ErrorReason.VERSION_EXISTS.name());
    assertThat(Told.by(() -> stub.registerModelVersion(registering("1.0").build())).fields())
        .containsExactly("version");
    assertThat(
            Told.by(() ->
                    stub.registerModelVersion(
                        registering("").setTrainingEventId(Given.id()).build()))
                .code())
        .isEqualTo(Code.NOT_FOUND);
    assertThat(
            Told.by(() ->
                    stub.promoteModelVersion(
                        PromoteModelVersionRequest.newBuilder()
                            .setModelVersionId(Given.id())
                            .build()))
                .code())
        .isEqualTo(Code.NOT_FOUND);
    ModelVersion version = registered("2.0.0");
    assertThat(
            Told.by(() -> stub.promoteModelVersion(promoting(version).setEtag("\"9\"").build()))
                .reason())
        .isEqualTo(ErrorReason.ETAG_MISMATCH.name());
    assertThat(
            Told.by(() -> stub.promoteModelVersion(promoting(version).addAllOverrides(ALL).build()))
                .fields())
        .containsExactly("overrides[7].gate");
    assertThat(activeOnes()).isEmpty();
  }

  @Test
  void listsVersionsByTheirPrecedence() {
    for (String version : List.of("1.10.0", "1.9.0", "1.10.0-rc.2", "1.10.0-rc.10", "2.0.0-a")) {
      registered(version);
    }

    assertThat(models.list(ListModelVersionsRequest.getDefaultInstance()))
        .extracting(ModelVersion::getVersion)
        .containsExactly("2.0.0-a", "1.10.0", "1.10.0-rc.10", "1.10.0-rc.2", "1.9.0");
    assertThat(registered("").getVersion()).isEqualTo("1.10.1");
  }
}
