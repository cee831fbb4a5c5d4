package io.rapport.server;

import io.grpc.Channel;
import io.rapport.client.RapportClient;
import io.rapport.server.TenantIsolationTest.Call;
import io.rapport.versioning.v1.CreatePromotionPolicyRequest;
import io.rapport.versioning.v1.GateOverride;
import io.rapport.versioning.v1.ModelPerformance;
import io.rapport.versioning.v1.ModelPerformanceServiceGrpc;
import io.rapport.versioning.v1.ModelVersion;
import io.rapport.versioning.v1.ModelVersionServiceGrpc;
import io.rapport.versioning.v1.PromoteModelVersionRequest;
import io.rapport.versioning.v1.PromotionGate.Gate;
import io.rapport.versioning.v1.PromotionPolicy;
import io.rapport.versioning.v1.PromotionPolicyServiceGrpc;
import io.rapport.versioning.v1.RecordModelPerformanceRequest;
import io.rapport.versioning.v1.RegisterModelVersionRequest;
import io.rapport.versioning.v1.TrainingServiceGrpc;
import io.rapport.versioning.v1.TriggerTrainingRequest;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Calls of the RPCs of trainings and versions, and one of each thing that they are about. */
final class LearningCalls {
  private static final String PACKAGE = "rapport.versioning.v1.";
  private static final String ID = " '01a203bb-0000-7000-8000-000000000001'";
  private static final String LEASE = "training_event_id:" + ID + " lease_id:" + ID;
  private static final String TRY = " validate_only: true";

  private static final List<String> LINES =
      List.of(
          "TrainingService/TriggerTraining model_type: '%S'" + TRY,
          "TrainingService/ClaimTraining model_types: '%S' worker: 'w'",
          "TrainingService/ReportProgress " + LEASE,
          "TrainingService/CompleteTraining model_path: 'm' " + LEASE,
          "TrainingService/FailTraining failure: 'f' " + LEASE,
          "TrainingService/CancelTraining training_event_id:" + ID,
          "TrainingService/ApproveDeployment training_event_id:" + ID,
          "ModelVersionService/PromoteModelVersion model_version_id:" + ID,
          "+ModelVersionService/RollbackModelVersion model_type: '%S' reason: 'r'"
              + " expected_active_version_id:"
              + ID,
          "+ModelVersionService/GetActiveModelVersion model_type: '%S'",
          "ModelVersionService/CompareModelVersions model_version_ids: ["
              + ID
              + ", '01a203bb-0000-7000-8000-000000000002']",
          "+ModelVersionService/GetTrafficSplit model_type: '%S'",
          "ModelVersionService/SetTrafficSplit model_type: '%S' percent: 1 candidate_version_id:"
              + ID,
          "+ModelVersionService/ResolveModelVersion model_type: '%S' user_id:" + ID,
          "ModelPerformanceService/RecordModelPerformance records { model_name: '%S'"
              + " accuracy_metric: nan }",
          "+ModelPerformanceService/GetPerformanceSeries model_name: '%S'",
          "+LearningService/GetLearningStatus model_types: '%S'");

  private LearningCalls() {}

  static Stream<Call> all() {
    return Stream.concat(
        LINES.stream().map(line -> TextCalls.call(PACKAGE, line)),
        Stream.of(
            new Call(
                PACKAGE + "ModelVersionService/RegisterModelVersion",
                (channel, names) ->
                    ModelVersionServiceGrpc.newBlockingStub(channel)
                        .registerModelVersion(
                            registering(names.subject()).setValidateOnly(true).build())
                        .toBuilder()
                        .clearId()
                        .clearCreatedAt()
                        .clearLastUpdatedAt()
                        .build(),
                true)));
  }

  /** Lets a tenant have one of each, of a model type. */
  static void make(RapportClient client, String modelType) {
    promote(client.channel(), modelType);
    client
        .learning()
        .models()
        .record(
            List.of(
                ModelPerformance.newBuilder()
                    .setModelName(modelType)
                    .setAccuracyMetric(1)
                    .build()));
  }

  private static RegisterModelVersionRequest.Builder registering(String modelType) {
    return RegisterModelVersionRequest.newBuilder()
        .setModelType(modelType)
        .setVersion("1.0.0")
        .setModelPath("m");
  }

  static String training(Channel channel) {
    return TrainingServiceGrpc.newBlockingStub(channel)
        .triggerTraining(TriggerTrainingRequest.newBuilder().setModelType("goal").build())
        .getTrainingEvent()
        .getId();
  }

  static String version(Channel channel) {
    return ModelVersionServiceGrpc.newBlockingStub(channel)
        .registerModelVersion(registering("t" + Given.id()).build())
        .getId();
  }

  static String activation(Channel channel) {
    return promote(channel, "t" + Given.id());
  }

  private static String promote(Channel channel, String modelType) {
    var stub = ModelVersionServiceGrpc.newBlockingStub(channel);
    ModelVersion version = stub.registerModelVersion(registering(modelType).build());
    var promotion = PromoteModelVersionRequest.newBuilder().setModelVersionId(version.getId());
    Arrays.stream(Gate.values())
        .filter(gate -> gate != Gate.GATE_UNSPECIFIED && gate != Gate.UNRECOGNIZED)
        .forEach(gate ->
            promotion.addOverrides(GateOverride.newBuilder().setGate(gate).setReason("a test")));
    return stub.promoteModelVersion(promotion.build()).getActivation().getId();
  }

  static String performance(Channel channel) {
    return ModelPerformanceServiceGrpc.newBlockingStub(channel)
        .recordModelPerformance(
            RecordModelPerformanceRequest.newBuilder()
                .addRecords(ModelPerformance.newBuilder().setModelName("goal").setAccuracyMetric(1))
                .build())
        .getIds(0);
  }

  static String policy(Channel channel) {
    return PromotionPolicyServiceGrpc.newBlockingStub(channel)
        .createPromotionPolicy(
            CreatePromotionPolicyRequest.newBuilder()
                .setPromotionPolicy(PromotionPolicy.newBuilder().setModelType("t" + Given.id()))
                .build())
        .getId();
  }
}
