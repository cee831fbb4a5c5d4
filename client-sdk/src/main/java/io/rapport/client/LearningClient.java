package io.rapport.client;

import io.rapport.versioning.v1.ApproveDeploymentRequest;
import io.rapport.versioning.v1.CancelTrainingRequest;
import io.rapport.versioning.v1.GetLearningStatusRequest;
import io.rapport.versioning.v1.GetLearningStatusResponse;
import io.rapport.versioning.v1.GetTrainingEventRequest;
import io.rapport.versioning.v1.LearningServiceGrpc;
import io.rapport.versioning.v1.ListTrainingEventsRequest;
import io.rapport.versioning.v1.ListTrainingEventsResponse;
import io.rapport.versioning.v1.TrainingEvent;
import io.rapport.versioning.v1.TrainingServiceGrpc;
import io.rapport.versioning.v1.TriggerTrainingRequest;
import io.rapport.versioning.v1.TriggerTrainingResponse;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Has models trained, and keeps their versions. Every method may throw a {@link RapportException}.
 */
public final class LearningClient {
  private final Calls calls;
  private final TrainingCalls trainings;
  private final ModelsClient models;
  private final Rpc<GetLearningStatusRequest, GetLearningStatusResponse> status;
  private final Rpc<TriggerTrainingRequest, TriggerTrainingResponse> trigger;
  private final Rpc<GetTrainingEventRequest, TrainingEvent> get;
  private final Rpc<ListTrainingEventsRequest, ListTrainingEventsResponse> list;
  private final Rpc<CancelTrainingRequest, TrainingEvent> cancel;
  private final Rpc<ApproveDeploymentRequest, TrainingEvent> approve;

  LearningClient(Calls calls) {
    this.calls = calls;
    this.trainings = new TrainingCalls(calls);
    this.models = new ModelsClient(calls);
    this.status = calls.rpc(LearningServiceGrpc.getGetLearningStatusMethod());
    this.trigger = calls.rpc(TrainingServiceGrpc.getTriggerTrainingMethod());
    this.get = calls.rpc(TrainingServiceGrpc.getGetTrainingEventMethod());
    this.list = calls.rpc(TrainingServiceGrpc.getListTrainingEventsMethod());
    this.cancel = calls.rpc(TrainingServiceGrpc.getCancelTrainingMethod());
    this.approve = calls.rpc(TrainingServiceGrpc.getApproveDeploymentMethod());
  }

  /** The versions of models, which is active, and how they do. */
  public ModelsClient models() {
    return models;
  }

  /**
   * How learning stands.
   *
   * @param modelTypes the types to tell of; none: all
   */
  public GetLearningStatusResponse status(String... modelTypes) {
    GetLearningStatusRequest.Builder request =
        GetLearningStatusRequest.newBuilder().addAllModelTypes(List.of(modelTypes));
    GetLearningStatusResponse page = calls.call(status, request.build());
    GetLearningStatusResponse.Builder all = page.toBuilder().clearNextPageToken();
    while (!page.getNextPageToken().isEmpty()) {
      page = calls.call(status, request.setPageToken(page.getNextPageToken()).build());
      all.addAllTypes(page.getTypesList());
    }
    return all.build();
  }

  /**
   * Asks for a training, unless one of this type waits or is being done: then that one is returned.
   *
   * @throws FailedPreconditionException with reason TRAINING_DATASET_MISSING if the type has no
   *     dataset, and with TRAINING_OPEN if the request names a manifest and the one that waits or
   *     is being done is to have another, or none
   */
  public TriggerTrainingResponse trigger(TriggerTrainingRequest request) {
    return calls.call(trigger, request);
  }

  /** The same with the usual priority. */
  public TriggerTrainingResponse trigger(String modelType, String reason) {
    return trigger(
        TriggerTrainingRequest.newBuilder().setModelType(modelType).setReason(reason).build());
  }

  /** The training with this UUID; empty if there is none. */
  public Optional<TrainingEvent> training(String id) {
    try {
      return Optional.of(calls.call(get, GetTrainingEventRequest.newBuilder().setId(id).build()));
    } catch (NotFoundException absent) {
      return Optional.empty();
    }
  }

  /**
   * The trainings that pass the request's filter, in its order, fetched page by page as the stream
   * is read.
   */
  public Stream<TrainingEvent> trainings(ListTrainingEventsRequest request) {
    return Pages.stream(
        request.getPageToken(),
        token -> {
          ListTrainingEventsResponse page =
              calls.call(list, request.toBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getTrainingEventsList(), page.getNextPageToken());
        });
  }

  /**
   * Calls a training off; its worker learns it within a third of its lease.
   *
   * @throws FailedPreconditionException with reason TRAINING_STATE if it has ended
   */
  public TrainingEvent cancel(String trainingEventId, String reason) {
    return calls.call(
        cancel,
        CancelTrainingRequest.newBuilder()
            .setTrainingEventId(trainingEventId)
            .setReason(reason)
            .build());
  }

  /**
   * Lets the version of a completed training be promoted.
   *
   * @throws FailedPreconditionException with reason TRAINING_STATE if it isn't completed
   */
  public TrainingEvent approve(String trainingEventId) {
    return approve(
        ApproveDeploymentRequest.newBuilder().setTrainingEventId(trainingEventId).build());
  }

  /** The same, or takes an approval back. */
  public TrainingEvent approve(ApproveDeploymentRequest request) {
    return calls.call(approve, request);
  }

  /**
   * Trains models of a type from now on, in a thread of the worker's.
   *
   * @param modelType the type; empty: any
   */
  public TrainingWorker work(String modelType, Trainer trainer) {
    return work(
        modelType.isEmpty() ? List.of() : List.of(modelType), trainer, WorkOptions.defaults());
  }

  /**
   * Trains models of several types from now on, one at a time.
   *
   * @param modelTypes none: any
   */
  public TrainingWorker work(List<String> modelTypes, Trainer trainer, WorkOptions options) {
    TrainingWorker worker =
        new TrainingWorker(trainings, List.copyOf(modelTypes), trainer, options);
    worker.start();
    return worker;
  }
}
