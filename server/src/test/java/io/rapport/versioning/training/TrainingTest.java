package io.rapport.versioning.training;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Duration;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.rpc.Code;
import io.rapport.client.LearningClient;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.RapportServer;
import io.rapport.server.Told;
import io.rapport.versioning.v1.ApproveDeploymentRequest;
import io.rapport.versioning.v1.CancelTrainingRequest;
import io.rapport.versioning.v1.ClaimTrainingRequest;
import io.rapport.versioning.v1.ClaimTrainingResponse;
import io.rapport.versioning.v1.CompleteTrainingRequest;
import io.rapport.versioning.v1.CompleteTrainingResponse;
import io.rapport.versioning.v1.FailTrainingRequest;
import io.rapport.versioning.v1.ListTrainingEventsRequest;
import io.rapport.versioning.v1.ModelVersion;
import io.rapport.versioning.v1.ReportProgressRequest;
import io.rapport.versioning.v1.TrainingEvent;
import io.rapport.versioning.v1.TrainingEvent.Status;
import io.rapport.versioning.v1.TrainingServiceGrpc;
import io.rapport.versioning.v1.TrainingServiceGrpc.TrainingServiceBlockingStub;
import io.rapport.versioning.v1.TriggerTrainingRequest;
import io.rapport.versioning.v1.TriggerTrainingResponse;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Trainings, from the request to the version. */
@Timeout(60)
class TrainingTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final String DIGEST = "0123456789abcdef".repeat(4);

  private TrainingServiceBlockingStub stub;
  private LearningClient learning;

  @BeforeEach
  void connect() {
    stub = TrainingServiceGrpc.newBlockingStub(rapport.channel());
    learning = rapport.client().learning();
  }

  private static ClaimTrainingRequest claim(String... types) {
    return ClaimTrainingRequest.newBuilder()
        .addAllModelTypes(List.of(types))
        .setWorker("w")
        .build();
  }

  private ClaimTrainingResponse claimed(String type) {
    learning.trigger(type, "");
    return stub.claimTraining(claim(type));
  }

  private static CompleteTrainingRequest.Builder completing(ClaimTrainingResponse claimed) {
    return CompleteTrainingRequest.newBuilder()
        .setTrainingEventId(claimed.getTrainingEvent().getId())
        .setLeaseId(claimed.getLeaseId())
        .setModelPath("models/goal/1")
        .setArtefactDigest(DIGEST)
        .setValidationScore(0.8)
        .setTrainingDataSize(60);
  }

  @Test
  void makesOneOfManyRequests() throws Exception {
    try (RapportServer other = rapport.serve(Map.of());
        var there = rapport.clientOf(other);
        ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int round = 0; round < 10; round++) {
        List<Future<TriggerTrainingResponse>> answers = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
          LearningClient client = i % 2 == 0 ? learning : there.learning();
          answers.add(callers.submit(() -> client.trigger("goal", "")));
        }
        Set<String> ids = new HashSet<>();
        int created = 0;
        for (Future<TriggerTrainingResponse> answer : answers) {
          ids.add(answer.get().getTrainingEvent().getId());
          created += answer.get().getCreated() ? 1 : 0;
        }
        assertThat(ids).hasSize(1);
        assertThat(created).isEqualTo(1);
        learning.cancel(ids.iterator().next(), "");
      }
    }
    assertThat(learning.trainings(ListTrainingEventsRequest.getDefaultInstance())).hasSize(10);
  }

  @Test
  void tellsThatAnotherTrainingIsOpen() {
    String dataset = learning.trigger("goal", "").getTrainingEvent().getTrainingDatasetId();
    String manifest = rapport.client().datasets().freeze(dataset).getId();
    TriggerTrainingRequest.Builder again = TriggerTrainingRequest.newBuilder().setModelType("goal");

    Told other = Told.by(() -> stub.triggerTraining(again.setManifestId(manifest).build()));
    TriggerTrainingResponse sooner =
        stub.triggerTraining(again.clearManifestId().setPriority(9).build());
    TriggerTrainingResponse later = stub.triggerTraining(again.setPriority(1).build());

    assertThat(other.code()).isEqualTo(Code.FAILED_PRECONDITION);
    assertThat(other.reason()).isEqualTo(ErrorReason.TRAINING_OPEN.name());
    assertThat(other.metadata())
        .containsEntry("training_event_id", sooner.getTrainingEvent().getId());
    assertThat(sooner.getCreated()).isFalse();
    assertThat(sooner.getTrainingEvent().getPriority()).isEqualTo(9);
    assertThat(later.getTrainingEvent()).isEqualTo(sooner.getTrainingEvent());
    learning.cancel(sooner.getTrainingEvent().getId(), "");
    again.setManifestId(manifest);
    assertThat(stub.triggerTraining(again.build()).getCreated()).isTrue();
    assertThat(stub.triggerTraining(again.build()).getCreated()).isFalse();
  }

  @Test
  void goesFromARequestToAVersion() {
    TriggerTrainingResponse asked = learning.trigger("goal", "because");
    TrainingEvent pending = asked.getTrainingEvent();
    assertThat(pending.getStatus()).isEqualTo(Status.PENDING);
    assertThat(pending.getCause()).isEqualTo(TrainingEvent.Cause.MANUAL);
    assertThat(pending.getReason()).isEqualTo("because");
    assertThat(pending.getPriority()).isEqualTo(3);
    assertThat(pending.getTrainingDatasetId()).isNotEmpty();

    ClaimTrainingResponse claimed = stub.claimTraining(claim("goal"));
    TrainingEvent begun = claimed.getTrainingEvent();
    assertThat(begun.getId()).isEqualTo(pending.getId());
    assertThat(begun.getStatus()).isEqualTo(Status.IN_PROGRESS);
    assertThat(begun.getAttempts()).isEqualTo(1);
    assertThat(begun.getWorker()).isEqualTo("w");
    assertThat(begun.hasStartedAt()).isTrue();

    stub.reportProgress(
        ReportProgressRequest.newBuilder()
            .setTrainingEventId(begun.getId())
            .setLeaseId(claimed.getLeaseId())
            .setProgress(0.5)
            .setMessage("half")
            .build());
    TrainingEvent half = learning.training(begun.getId()).orElseThrow();
    assertThat(half.getProgress()).isEqualTo(0.5);
    assertThat(half.getProgressMessage()).isEqualTo("half");

    Struct metrics =
        Struct.newBuilder().putFields("f1", Value.newBuilder().setNumberValue(0.7).build()).build();
    CompleteTrainingResponse completed =
        stub.completeTraining(completing(claimed).setPerformanceMetrics(metrics).build());
    TrainingEvent done = completed.getTrainingEvent();
    assertThat(done.getStatus()).isEqualTo(Status.COMPLETED);
    assertThat(done.getProgress()).isEqualTo(1);
    assertThat(done.getPerformanceMetrics()).isEqualTo(metrics);
    assertThat(done.hasEndedAt()).isTrue();
    assertThat(done.hasLeaseExpiresAt()).isFalse();
    ModelVersion version = completed.getModelVersion();
    assertThat(version.getVersion()).isEqualTo("1.0.0");
    assertThat(version.getIsActive()).isFalse();
    assertThat(version.getPerformanceBaseline()).isEqualTo(0.8);
    assertThat(version.getPerformanceCurrent()).isEqualTo(0.8);
    assertThat(version.getTrainingEventId()).isEqualTo(done.getId());
    assertThat(version.getTrainingDatasetId()).isEqualTo(done.getTrainingDatasetId());
    assertThat(version.getArtefactDigest()).isEqualTo(DIGEST);

    assertThat(stub.completeTraining(completing(claimed("goal")).build()).getModelVersion())
        .extracting(ModelVersion::getVersion)
        .isEqualTo("1.0.1");
  }

  @Test
  void givesTheMostUrgentFirstAndOfEqualOnesTheOldest() {
    for (String asked : List.of("goal 1", "spending 7", "segmentation 7", "recommendation 2")) {
      stub.triggerTraining(
          TriggerTrainingRequest.newBuilder()
              .setModelType(asked.split(" ", 2)[0])
              .setPriority(Integer.parseInt(asked.split(" ", 2)[1]))
              .build());
    }

    List<String> order = new ArrayList<>();
    ClaimTrainingResponse claimed = stub.claimTraining(claim());
    while (claimed.hasTrainingEvent()) {
      order.add(claimed.getTrainingEvent().getModelType());
      claimed = stub.claimTraining(claim());
    }

    assertThat(order).containsExactly("spending", "segmentation", "recommendation", "goal");
  }

  @Test
  void letsAWorkerWaitUntilThereIsSomething() throws Exception {
    ClaimTrainingRequest patient =
        claim("goal").toBuilder().setMaxWait(Duration.newBuilder().setSeconds(30)).build();
    try (ExecutorService worker = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<ClaimTrainingResponse> claimed = worker.submit(() -> stub.claimTraining(patient));
      learning.trigger("spending", "");
      String id = learning.trigger("goal", "").getTrainingEvent().getId();

      assertThat(claimed.get().getTrainingEvent().getId()).isEqualTo(id);
    }
    assertThat(stub.claimTraining(claim("goal")).hasTrainingEvent()).isFalse();
  }

  @Test
  void replacesALostWorkerAndRefusesItsLateCompletion() {
    learning.trigger("goal", "");
    ClaimTrainingRequest brief =
        claim("goal").toBuilder().setLeaseTime(Duration.newBuilder().setSeconds(1)).build();
    ClaimTrainingRequest patient =
        claim("goal").toBuilder().setMaxWait(Duration.newBuilder().setSeconds(30)).build();

    ClaimTrainingResponse lost = stub.claimTraining(brief);
    ClaimTrainingResponse next = stub.claimTraining(patient);

    assertThat(next.getTrainingEvent().getId()).isEqualTo(lost.getTrainingEvent().getId());
    assertThat(next.getTrainingEvent().getAttempts()).isEqualTo(2);
    Told late = Told.by(() -> stub.completeTraining(completing(lost).build()));
    assertThat(late.code()).isEqualTo(Code.ABORTED);
    assertThat(late.reason()).isEqualTo(ErrorReason.TRAINING_LEASE_LOST.name());
    assertThat(Told.by(() -> stub.reportProgress(reporting(lost))).reason())
        .isEqualTo(ErrorReason.TRAINING_LEASE_LOST.name());
    stub.completeTraining(completing(next).build());
    assertThat(Told.by(() -> stub.completeTraining(completing(lost).build())).reason())
        .isEqualTo(ErrorReason.TRAINING_LEASE_LOST.name());
    assertThat(rapport.client().learning().models().get("goal", "1.0.1")).isEmpty();
  }

  private static ReportProgressRequest reporting(ClaimTrainingResponse claimed) {
    return ReportProgressRequest.newBuilder()
        .setTrainingEventId(claimed.getTrainingEvent().getId())
        .setLeaseId(claimed.getLeaseId())
        .build();
  }

  @Test
  void givesUpAfterSomeAttempts() {
    String id = learning.trigger("goal", "").getTrainingEvent().getId();
    for (int attempt = 1; attempt <= 3; attempt++) {
      ClaimTrainingResponse claimed = stub.claimTraining(claim("goal"));
      assertThat(claimed.getTrainingEvent().getAttempts()).isEqualTo(attempt);
      stub.failTraining(failing(claimed, true));
    }

    TrainingEvent event = learning.training(id).orElseThrow();
    assertThat(event.getStatus()).isEqualTo(Status.FAILED);
    assertThat(event.getFailure()).isEqualTo("no luck");
    assertThat(stub.claimTraining(claim("goal")).hasTrainingEvent()).isFalse();
  }

  private static FailTrainingRequest failing(ClaimTrainingResponse claimed, boolean retryable) {
    return FailTrainingRequest.newBuilder()
        .setTrainingEventId(claimed.getTrainingEvent().getId())
        .setLeaseId(claimed.getLeaseId())
        .setFailure("no luck")
        .setRetryable(retryable)
        .build();
  }

  @Test
  void tellsAWorkerThatItsTrainingWasCalledOff() {
    ClaimTrainingResponse claimed = claimed("goal");
    assertThat(stub.reportProgress(reporting(claimed)).getCancelled()).isFalse();

    learning.cancel(claimed.getTrainingEvent().getId(), "not needed");

    assertThat(stub.reportProgress(reporting(claimed)).getCancelled()).isTrue();
    requireRefused(
        Told.by(() -> stub.completeTraining(completing(claimed).build())),
        "CANCELLED",
        "COMPLETED");
    requireRefused(
        Told.by(() -> stub.failTraining(failing(claimed, false))), "CANCELLED", "FAILED");
    assertThat(learning.trigger("goal", "").getCreated()).isTrue();
  }

  private static void requireRefused(Told told, String from, String to) {
    assertThat(told.code()).isEqualTo(Code.FAILED_PRECONDITION);
    assertThat(told.reason()).isEqualTo(ErrorReason.TRAINING_STATE.name());
    assertThat(told.metadata()).containsEntry("from", from).containsEntry("to", to);
  }

  @Test
  void refusesOtherSteps() {
    String pending = learning.trigger("goal", "").getTrainingEvent().getId();
    requireRefused(
        Told.by(() -> stub.approveDeployment(approving(pending))), "PENDING", "APPROVED");

    ClaimTrainingResponse claimed = stub.claimTraining(claim("goal"));
    requireRefused(
        Told.by(() -> stub.approveDeployment(approving(pending))), "IN_PROGRESS", "APPROVED");
    stub.completeTraining(completing(claimed).build());
    requireRefused(
        Told.by(() -> stub.cancelTraining(cancelling(pending))), "COMPLETED", "CANCELLED");

    ClaimTrainingResponse other = claimed("spending");
    String failed = stub.failTraining(failing(other, false)).getId();
    requireRefused(Told.by(() -> stub.cancelTraining(cancelling(failed))), "FAILED", "CANCELLED");
    requireRefused(Told.by(() -> stub.approveDeployment(approving(failed))), "FAILED", "APPROVED");
  }

  private static ApproveDeploymentRequest approving(String id) {
    return ApproveDeploymentRequest.newBuilder().setTrainingEventId(id).build();
  }

  private static CancelTrainingRequest cancelling(String id) {
    return CancelTrainingRequest.newBuilder().setTrainingEventId(id).build();
  }

  @Test
  void approvesAndTakesItBack() {
    ClaimTrainingResponse claimed = claimed("goal");
    stub.completeTraining(completing(claimed).build());
    String id = claimed.getTrainingEvent().getId();

    TrainingEvent approved = stub.approveDeployment(approving(id));
    assertThat(approved.getDeploymentApproved()).isTrue();
    assertThat(approved.getApprovedBy()).isNotEmpty();
    assertThat(approved.hasApprovedAt()).isTrue();
    TrainingEvent revoked =
        stub.approveDeployment(approving(id).toBuilder().setRevoke(true).build());
    assertThat(revoked.getDeploymentApproved()).isFalse();
    assertThat(revoked.getApprovedBy()).isEmpty();
    Told stale =
        Told.by(() ->
            stub.approveDeployment(approving(id).toBuilder().setEtag(approved.getEtag()).build()));
    assertThat(stale.reason()).isEqualTo(ErrorReason.ETAG_MISMATCH.name());
  }

  @Test
  void answersACompletionAgainUnderItsRequestId() {
    CompleteTrainingRequest request = completing(claimed("goal")).setRequestId(Given.id()).build();

    assertThat(stub.completeTraining(request)).isEqualTo(stub.completeTraining(request));
  }

  @Test
  void refusesWhatItCantTake() {
    Told noDataset = Told.by(() -> stub.triggerTraining(triggering("unheard-of")));
    assertThat(noDataset.reason()).isEqualTo(ErrorReason.TRAINING_DATASET_MISSING.name());
    Told noManifest =
        Told.by(() ->
            stub.triggerTraining(triggering("goal").toBuilder().setManifestId(Given.id()).build()));
    assertThat(noManifest.code()).isEqualTo(Code.NOT_FOUND);
    ClaimTrainingResponse claimed = claimed("goal");
    assertThat(
            Told.by(() -> stub.completeTraining(completing(claimed).setArtefactDigest("x").build()))
                .fields())
        .containsExactly("artefact_digest");
    assertThat(
            Told.by(() -> stub.completeTraining(completing(claimed).setVersion("1.0").build()))
                .fields())
        .containsExactly("version");
    assertThat(
            Told.by(() ->
                    stub.completeTraining(
                        completing(claimed).setValidationScore(Double.NaN).build()))
                .fields())
        .containsExactly("validation_score");
    assertThat(learning.training(claimed.getTrainingEvent().getId()).orElseThrow().getStatus())
        .isEqualTo(Status.IN_PROGRESS);
  }

  private static TriggerTrainingRequest triggering(String type) {
    return TriggerTrainingRequest.newBuilder().setModelType(type).build();
  }
}
