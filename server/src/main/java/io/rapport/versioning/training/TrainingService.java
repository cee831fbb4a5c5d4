package io.rapport.versioning.training;

import io.grpc.ServerServiceDefinition;
import io.rapport.platform.Change.Op;
import io.rapport.platform.Etags;
import io.rapport.platform.Rpcs;
import io.rapport.platform.Transaction;
import io.rapport.platform.resource.Resource;
import io.rapport.versioning.CallerWrites;
import io.rapport.versioning.Writing;
import io.rapport.versioning.training.TrainingStore.Changed;
import io.rapport.versioning.training.TrainingStore.Locked;
import io.rapport.versioning.v1.ApproveDeploymentRequest;
import io.rapport.versioning.v1.CancelTrainingRequest;
import io.rapport.versioning.v1.CompleteTrainingRequest;
import io.rapport.versioning.v1.CompleteTrainingResponse;
import io.rapport.versioning.v1.FailTrainingRequest;
import io.rapport.versioning.v1.ReportProgressRequest;
import io.rapport.versioning.v1.ReportProgressResponse;
import io.rapport.versioning.v1.TrainingEvent;
import io.rapport.versioning.v1.TrainingEvent.Status;
import io.rapport.versioning.v1.TrainingServiceGrpc;
import io.rapport.versioning.v1.TriggerTrainingRequest;
import io.rapport.versioning.v1.TriggerTrainingResponse;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The RPCs of trainings. */
final class TrainingService {
  private static final int USUAL_PRIORITY = 3;

  private final CallerWrites work;
  private final Resource<TrainingEvent> resource;
  private final Claims claims;
  private final Trainings trainings;
  private final TrainingEndings endings;
  private final TrainedModels models;
  private final TrainingStore store = new TrainingStore();
  private final TrainingLocks locks = new TrainingLocks();

  TrainingService(
      CallerWrites work,
      Resource<TrainingEvent> resource,
      Claims claims,
      Trainings trainings,
      TrainingEndings endings,
      TrainedModels models) {
    this.work = work;
    this.resource = resource;
    this.claims = claims;
    this.trainings = trainings;
    this.endings = endings;
    this.models = models;
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
    Locked training = locks.held(write, request.getTrainingEventId(), request.getLeaseId());
    if (training.status() == Status.CANCELLED) {
      return ReportProgressResponse.newBuilder().setCancelled(true).build();
    }
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

  private static void changed(Writing write, Changed changed) {
    write.changed(TrainingStore.KIND, Op.UPDATED, changed.id(), changed.revision());
  }

  private CompleteTrainingResponse completeTraining(CompleteTrainingRequest request) {
    return work.write(
        request, CompleteTrainingResponse.parser(), tx -> endings.complete(tx, request));
  }

  private TrainingEvent failTraining(FailTrainingRequest request) {
    return work.write(request, TrainingEvent.parser(), tx -> endings.fail(tx, request));
  }

  private TrainingEvent cancelTraining(CancelTrainingRequest request) {
    return work.write(request, TrainingEvent.parser(), tx -> endings.cancel(tx, request));
  }

  private TrainingEvent approveDeployment(ApproveDeploymentRequest request) {
    return work.write(request, TrainingEvent.parser(), tx -> approve(tx, request));
  }

  private TrainingEvent approve(Transaction tx, ApproveDeploymentRequest request) {
    Writing write = Writing.of(tx);
    Locked training = locks.lock(write, request.getTrainingEventId());
    Etags.require(
        "training_event",
        training.id().toString(),
        Etags.of(training.revision()),
        request.getEtag());
    TrainingSteps.requireApprovable(training.status());
    if (training.approved() == request.getRevoke()) {
      String by = request.getRevoke() ? null : write.by();
      changed(write, store.approve(tx.dsl(), tx.tenant(), training.id(), by));
      if (request.getRevoke()) {
        models.disapproved(write, training.id());
      }
    }
    return resource.get(tx, training.id());
  }
}
