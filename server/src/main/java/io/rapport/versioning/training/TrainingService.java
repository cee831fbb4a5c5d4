package io.rapport.versioning.training;

import com.google.protobuf.Struct;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status.Code;
import io.rapport.platform.Change.Op;
import io.rapport.platform.Etags;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Transaction;
import io.rapport.platform.resource.Resource;
import io.rapport.platform.resource.StructJson;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.versioning.CallerWrites;
import io.rapport.versioning.Writing;
import io.rapport.versioning.training.TrainingStore.Changed;
import io.rapport.versioning.training.TrainingStore.Locked;
import io.rapport.versioning.v1.ApproveDeploymentRequest;
import io.rapport.versioning.v1.CancelTrainingRequest;
import io.rapport.versioning.v1.CompleteTrainingRequest;
import io.rapport.versioning.v1.CompleteTrainingResponse;
import io.rapport.versioning.v1.FailTrainingRequest;
import io.rapport.versioning.v1.ModelVersion;
import io.rapport.versioning.v1.ReportProgressRequest;
import io.rapport.versioning.v1.ReportProgressResponse;
import io.rapport.versioning.v1.TrainingEvent;
import io.rapport.versioning.v1.TrainingEvent.Status;
import io.rapport.versioning.v1.TrainingServiceGrpc;
import io.rapport.versioning.v1.TriggerTrainingRequest;
import io.rapport.versioning.v1.TriggerTrainingResponse;
import java.time.Clock;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The RPCs of trainings. */
final class TrainingService {
  private static final int USUAL_PRIORITY = 3;

  private final CallerWrites work;
  private final Resource<TrainingEvent> resource;
  private final Resource<ModelVersion> versions;
  private final Claims claims;
  private final Trainings trainings;
  private final TrainedModels models;
  private final TrainedDatasets datasets;
  private final Clock clock;
  private final TrainingStore store = new TrainingStore();

  TrainingService(
      CallerWrites work,
      Resource<TrainingEvent> resource,
      Resource<ModelVersion> versions,
      Claims claims,
      Trainings trainings,
      TrainedModels models,
      TrainedDatasets datasets,
      Clock clock) {
    this.work = work;
    this.resource = resource;
    this.versions = versions;
    this.claims = claims;
    this.trainings = trainings;
    this.models = models;
    this.datasets = datasets;
    this.clock = clock;
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return resource.serve(
        rpcs.service(TrainingServiceGrpc.getServiceDescriptor())
            .unary(TrainingServiceGrpc.getTriggerTrainingMethod(), this::triggerTraining)
            .unary(TrainingServiceGrpc.getClaimTrainingMethod(), claims::claim)
            .unary(TrainingServiceGrpc.getReportProgressMethod(), this::reportProgress)
            .unary(TrainingServiceGrpc.getCompleteTrainingMethod(), this::completeTraining)
            .unary(TrainingServiceGrpc.getFailTrainingMethod(), this::failTraining)
            .unary(TrainingServiceGrpc.getCancelTrainingMethod(), this::cancelTraining)
            .unary(TrainingServiceGrpc.getApproveDeploymentMethod(), this::approveDeployment));
  }

  private TriggerTrainingResponse triggerTraining(TriggerTrainingRequest request) {
    return work.write(request, TriggerTrainingResponse.parser(), tx -> trigger(tx, request));
  }

  private TriggerTrainingResponse trigger(Transaction tx, TriggerTrainingRequest request) {
    Trainings.Requested requested =
        trainings.manual(
            Writing.of(tx),
            request.getModelType(),
            uuidOrNull(request.getManifestId()),
            request.hasPriority() ? request.getPriority() : USUAL_PRIORITY,
            request.getReason());
    return TriggerTrainingResponse.newBuilder()
        .setTrainingEvent(resource.get(tx, requested.id()))
        .setCreated(requested.created())
        .build();
  }

  private static @Nullable UUID uuidOrNull(String text) {
    return text.isEmpty() ? null : UUID.fromString(text);
  }

  private ReportProgressResponse reportProgress(ReportProgressRequest request) {
    return work.write(request, ReportProgressResponse.parser(), tx -> report(tx, request));
  }

  private ReportProgressResponse report(Transaction tx, ReportProgressRequest request) {
    Writing write = Writing.of(tx);
    Locked training = lock(write, request.getTrainingEventId());
    if (training.status() == Status.CANCELLED) {
      return ReportProgressResponse.newBuilder().setCancelled(true).build();
    }
    requireLease(training, request.getLeaseId());
    store.extend(tx.dsl(), tx.tenant(), training.id());
    store
        .progress(
            tx.dsl(),
            tx.tenant(),
            training.id(),
            request.hasProgress() ? request.getProgress() : null,
            request.getMessage())
        .ifPresent(it -> changed(write, it));
    return ReportProgressResponse.newBuilder()
        .setLeaseExpiresAt(resource.get(tx, training.id()).getLeaseExpiresAt())
        .build();
  }

  private Locked lock(Writing write, String id) {
    return store
        .lock(write.dsl(), write.tenant(), UUID.fromString(id))
        .orElseThrow(() -> ServiceException.notFound("training_event", id));
  }

  private static void requireLease(Locked training, String lease) {
    if (!UUID.fromString(lease).equals(training.lease()) || !training.leaseHolds()) {
      throw ServiceException.of(
              Code.ABORTED,
              ErrorReason.TRAINING_LEASE_LOST,
              "the lease is over: its time has passed, or another worker has the training")
          .with("training_event_id", training.id().toString())
          .with("status", training.status().name());
    }
  }

  private static void changed(Writing write, Changed changed) {
    write.changed(TrainingStore.KIND, Op.UPDATED, changed.id(), changed.revision());
  }

  private CompleteTrainingResponse completeTraining(CompleteTrainingRequest request) {
    return work.write(request, CompleteTrainingResponse.parser(), tx -> complete(tx, request));
  }

  private CompleteTrainingResponse complete(Transaction tx, CompleteTrainingRequest request) {
    Writing write = Writing.of(tx);
    Locked training = held(write, request.getTrainingEventId(), request.getLeaseId());
    TrainingSteps.require(training.status(), Status.COMPLETED);
    changed(
        write,
        store.complete(
            tx.dsl(),
            tx.tenant(),
            training.id(),
            new TrainingStore.Result(
                request.getModelPath(),
                request.getArtefactDigest(),
                models.activePath(write, training.modelType()).orElse(null),
                request.hasValidationScore() ? request.getValidationScore() : null,
                request.getTrainingDataSize(),
                json(request.getPerformanceMetrics(), "performance_metrics"))));
    UUID version = models.register(write, trained(training, request));
    datasets.trained(
        write.dsl(),
        write.tenant(),
        training.dataset(),
        training.manifest(),
        clock.instant(),
        write.changes());
    return CompleteTrainingResponse.newBuilder()
        .setTrainingEvent(resource.get(tx, training.id()))
        .setModelVersion(versions.get(tx, version))
        .build();
  }

  /** The training that the caller holds. One that was called off is told from one that is lost. */
  private Locked held(Writing write, String id, String lease) {
    Locked training = lock(write, id);
    if (training.status() != Status.CANCELLED) {
      requireLease(training, lease);
    }
    return training;
  }

  private static String json(Struct struct, String path) {
    return StructJson.write(struct, path);
  }

  private static TrainedModels.Trained trained(Locked training, CompleteTrainingRequest request) {
    return new TrainedModels.Trained(
        training.id(),
        training.modelType(),
        training.dataset(),
        training.manifest(),
        request.getVersion(),
        request.getModelPath(),
        request.getArtefactDigest(),
        request.hasValidationScore() ? request.getValidationScore() : null,
        request.hasPerformanceBaseline() ? request.getPerformanceBaseline() : null,
        request.getTrainingDataSize(),
        request.getPerformanceMetrics(),
        request.getModelMetadata());
  }

  private TrainingEvent failTraining(FailTrainingRequest request) {
    return work.write(request, TrainingEvent.parser(), tx -> fail(tx, request));
  }

  private TrainingEvent fail(Transaction tx, FailTrainingRequest request) {
    Writing write = Writing.of(tx);
    Locked training = held(write, request.getTrainingEventId(), request.getLeaseId());
    boolean again = request.getRetryable() && training.attemptsLeft();
    TrainingSteps.require(training.status(), again ? Status.PENDING : Status.FAILED);
    changed(write, store.giveUp(tx.dsl(), tx.tenant(), training.id(), again, request.getFailure()));
    return resource.get(tx, training.id());
  }

  private TrainingEvent cancelTraining(CancelTrainingRequest request) {
    return work.write(request, TrainingEvent.parser(), tx -> cancel(tx, request));
  }

  private TrainingEvent cancel(Transaction tx, CancelTrainingRequest request) {
    Writing write = Writing.of(tx);
    Locked training = lock(write, request.getTrainingEventId());
    TrainingSteps.require(training.status(), Status.CANCELLED);
    changed(write, store.cancel(tx.dsl(), tx.tenant(), training.id(), request.getReason()));
    return resource.get(tx, training.id());
  }

  private TrainingEvent approveDeployment(ApproveDeploymentRequest request) {
    return work.write(request, TrainingEvent.parser(), tx -> approve(tx, request));
  }

  private TrainingEvent approve(Transaction tx, ApproveDeploymentRequest request) {
    Writing write = Writing.of(tx);
    Locked training = lock(write, request.getTrainingEventId());
    requireEtag(training, request.getEtag());
    TrainingSteps.requireApprovable(training.status());
    if (training.approved() == request.getRevoke()) {
      String by = request.getRevoke() ? null : write.by();
      changed(write, store.approve(tx.dsl(), tx.tenant(), training.id(), by));
    }
    return resource.get(tx, training.id());
  }

  private static void requireEtag(Locked training, String etag) {
    String current = Etags.of(training.revision());
    if (!etag.isEmpty() && !etag.equals(current)) {
      throw ServiceException.of(
              Code.ABORTED,
              ErrorReason.ETAG_MISMATCH,
              "the training_event has changed since its etag was read")
          .with("kind", "training_event")
          .with("id", training.id().toString())
          .with("etag", current);
    }
  }
}
