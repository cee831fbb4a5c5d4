package io.rapport.client;

import io.rapport.versioning.v1.CompareModelVersionsRequest;
import io.rapport.versioning.v1.CompareModelVersionsResponse;
import io.rapport.versioning.v1.GetActiveModelVersionRequest;
import io.rapport.versioning.v1.GetActiveModelVersionResponse;
import io.rapport.versioning.v1.GetModelVersionRequest;
import io.rapport.versioning.v1.GetPerformanceSeriesRequest;
import io.rapport.versioning.v1.GetPerformanceSeriesResponse;
import io.rapport.versioning.v1.GetPromotionPolicyRequest;
import io.rapport.versioning.v1.GetTrafficSplitRequest;
import io.rapport.versioning.v1.ListModelActivationsRequest;
import io.rapport.versioning.v1.ListModelActivationsResponse;
import io.rapport.versioning.v1.ListModelPerformancesRequest;
import io.rapport.versioning.v1.ListModelPerformancesResponse;
import io.rapport.versioning.v1.ListModelVersionsRequest;
import io.rapport.versioning.v1.ListModelVersionsResponse;
import io.rapport.versioning.v1.ModelActivation;
import io.rapport.versioning.v1.ModelActivationServiceGrpc;
import io.rapport.versioning.v1.ModelPerformance;
import io.rapport.versioning.v1.ModelPerformanceServiceGrpc;
import io.rapport.versioning.v1.ModelVersion;
import io.rapport.versioning.v1.ModelVersionKey;
import io.rapport.versioning.v1.ModelVersionServiceGrpc;
import io.rapport.versioning.v1.PromoteModelVersionRequest;
import io.rapport.versioning.v1.PromoteModelVersionResponse;
import io.rapport.versioning.v1.PromotionGate;
import io.rapport.versioning.v1.PromotionPolicy;
import io.rapport.versioning.v1.PromotionPolicyServiceGrpc;
import io.rapport.versioning.v1.RecordModelPerformanceRequest;
import io.rapport.versioning.v1.RecordModelPerformanceResponse;
import io.rapport.versioning.v1.RegisterModelVersionRequest;
import io.rapport.versioning.v1.ResolveModelVersionRequest;
import io.rapport.versioning.v1.ResolveModelVersionResponse;
import io.rapport.versioning.v1.RollbackModelVersionRequest;
import io.rapport.versioning.v1.RollbackModelVersionResponse;
import io.rapport.versioning.v1.SetTrafficSplitRequest;
import io.rapport.versioning.v1.TrafficSplit;
import io.rapport.versioning.v1.UpsertPromotionPolicyRequest;
import io.rapport.versioning.v1.UpsertPromotionPolicyResponse;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The versions of models: exactly one of each type is active from its first promotion on. Every
 * method may throw a {@link RapportException}.
 */
public final class ModelsClient {
  private final Calls calls;
  private final Rpc<GetModelVersionRequest, ModelVersion> get;
  private final Rpc<ListModelVersionsRequest, ListModelVersionsResponse> list;
  private final Rpc<RegisterModelVersionRequest, ModelVersion> register;
  private final Rpc<PromoteModelVersionRequest, PromoteModelVersionResponse> promote;
  private final Rpc<RollbackModelVersionRequest, RollbackModelVersionResponse> rollBack;
  private final Rpc<GetActiveModelVersionRequest, GetActiveModelVersionResponse> active;
  private final Rpc<CompareModelVersionsRequest, CompareModelVersionsResponse> compare;
  private final Rpc<GetTrafficSplitRequest, TrafficSplit> getSplit;
  private final Rpc<SetTrafficSplitRequest, TrafficSplit> setSplit;
  private final Rpc<ResolveModelVersionRequest, ResolveModelVersionResponse> resolve;
  private final Rpc<ListModelActivationsRequest, ListModelActivationsResponse> activations;
  private final Rpc<GetPromotionPolicyRequest, PromotionPolicy> getPolicy;
  private final Rpc<UpsertPromotionPolicyRequest, UpsertPromotionPolicyResponse> putPolicy;
  private final Rpc<RecordModelPerformanceRequest, RecordModelPerformanceResponse> record;
  private final Rpc<ListModelPerformancesRequest, ListModelPerformancesResponse> performances;
  private final Rpc<GetPerformanceSeriesRequest, GetPerformanceSeriesResponse> series;

  ModelsClient(Calls calls) {
    this.calls = calls;
    this.get = calls.rpc(ModelVersionServiceGrpc.getGetModelVersionMethod());
    this.list = calls.rpc(ModelVersionServiceGrpc.getListModelVersionsMethod());
    this.register = calls.rpc(ModelVersionServiceGrpc.getRegisterModelVersionMethod());
    this.promote = calls.rpc(ModelVersionServiceGrpc.getPromoteModelVersionMethod());
    this.rollBack = calls.rpc(ModelVersionServiceGrpc.getRollbackModelVersionMethod());
    this.active = calls.rpc(ModelVersionServiceGrpc.getGetActiveModelVersionMethod());
    this.compare = calls.rpc(ModelVersionServiceGrpc.getCompareModelVersionsMethod());
    this.getSplit = calls.rpc(ModelVersionServiceGrpc.getGetTrafficSplitMethod());
    this.setSplit = calls.rpc(ModelVersionServiceGrpc.getSetTrafficSplitMethod());
    this.resolve = calls.rpc(ModelVersionServiceGrpc.getResolveModelVersionMethod());
    this.activations = calls.rpc(ModelActivationServiceGrpc.getListModelActivationsMethod());
    this.getPolicy = calls.rpc(PromotionPolicyServiceGrpc.getGetPromotionPolicyMethod());
    this.putPolicy = calls.rpc(PromotionPolicyServiceGrpc.getUpsertPromotionPolicyMethod());
    this.record = calls.batch(ModelPerformanceServiceGrpc.getRecordModelPerformanceMethod());
    this.performances = calls.rpc(ModelPerformanceServiceGrpc.getListModelPerformancesMethod());
    this.series = calls.rpc(ModelPerformanceServiceGrpc.getGetPerformanceSeriesMethod());
  }

  /** The version with this UUID; empty if there is none. */
  public Optional<ModelVersion> get(String id) {
    return get(GetModelVersionRequest.newBuilder().setId(id).build());
  }

  /** The version of a type; empty if there is none. */
  public Optional<ModelVersion> get(String modelType, String version) {
    return get(
        GetModelVersionRequest.newBuilder()
            .setNaturalKey(ModelVersionKey.newBuilder().setModelType(modelType).setVersion(version))
            .build());
  }

  private Optional<ModelVersion> get(GetModelVersionRequest request) {
    try {
      return Optional.of(calls.call(get, request));
    } catch (NotFoundException absent) {
      return Optional.empty();
    }
  }

  /**
   * The versions that pass the request's filter, in its order, fetched page by page as the stream
   * is read.
   */
  public Stream<ModelVersion> list(ListModelVersionsRequest request) {
    return Pages.stream(
        request.getPageToken(),
        token -> {
          ListModelVersionsResponse page =
              calls.call(list, request.toBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getModelVersionsList(), page.getNextPageToken());
        });
  }

  /**
   * Makes a version that no training of the service made. It is not active.
   *
   * @throws AlreadyExistsException with reason VERSION_EXISTS if the type has it
   */
  public ModelVersion register(RegisterModelVersionRequest request) {
    return calls.call(register, request);
  }

  /**
   * Makes a version the active one.
   *
   * @throws FailedPreconditionException with reason PROMOTION_GATES_FAILED if it fails gates that
   *     aren't overridden; the field violations say which and why
   * @throws AbortedException with reason ACTIVE_VERSION_CHANGED if another version is active than
   *     the one that the request expects
   */
  public PromoteModelVersionResponse promote(PromoteModelVersionRequest request) {
    return calls.call(promote, request);
  }

  /** The same without expectations and overrides. */
  public PromoteModelVersionResponse promote(String modelVersionId) {
    return promote(
        PromoteModelVersionRequest.newBuilder().setModelVersionId(modelVersionId).build());
  }

  /** How a version would do at each gate if it were promoted now. */
  public List<PromotionGate> gates(String modelVersionId) {
    return promote(
            PromoteModelVersionRequest.newBuilder()
                .setModelVersionId(modelVersionId)
                .setValidateOnly(true)
                .build())
        .getGatesList();
  }

  /**
   * Makes the version active again that was before the active one was promoted.
   *
   * @throws FailedPreconditionException with reason NO_PREVIOUS_VERSION if there is none
   */
  public RollbackModelVersionResponse rollBack(String modelType, String reason) {
    return rollBack(
        RollbackModelVersionRequest.newBuilder().setModelType(modelType).setReason(reason).build());
  }

  /** The same, perhaps only if a certain version is active. */
  public RollbackModelVersionResponse rollBack(RollbackModelVersionRequest request) {
    return calls.call(rollBack, request);
  }

  /** The active version of a type; empty if there never was one. */
  public Optional<ModelVersion> active(String modelType) {
    return active(GetActiveModelVersionRequest.newBuilder().setModelType(modelType).build())
        .map(GetActiveModelVersionResponse::getModelVersion);
  }

  /** The version that was active at an instant, and when it was; empty if none was. */
  public Optional<GetActiveModelVersionResponse> activeAt(String modelType, Instant time) {
    return active(
        GetActiveModelVersionRequest.newBuilder()
            .setModelType(modelType)
            .setTime(Times.timestamp(time))
            .build());
  }

  /**
   * The version that was active after a commit, and when it was; empty if none was.
   *
   * @param position of {@link RapportClient#position()}
   */
  public Optional<GetActiveModelVersionResponse> activeAfter(String modelType, String position) {
    return active(
        GetActiveModelVersionRequest.newBuilder()
            .setModelType(modelType)
            .setPosition(position)
            .build());
  }

  private Optional<GetActiveModelVersionResponse> active(GetActiveModelVersionRequest request) {
    try {
      return Optional.of(calls.call(active, request));
    } catch (NotFoundException none) {
      return Optional.empty();
    }
  }

  /** When which version was active, in the request's order, fetched as the stream is read. */
  public Stream<ModelActivation> activations(ListModelActivationsRequest request) {
    return Pages.stream(
        request.getPageToken(),
        token -> {
          ListModelActivationsResponse page =
              calls.call(activations, request.toBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getModelActivationsList(), page.getNextPageToken());
        });
  }

  /**
   * Versions side by side.
   *
   * @param modelVersionIds UUIDs of 2 to 20
   * @throws NotFoundException if one isn't there
   */
  public CompareModelVersionsResponse compare(String... modelVersionIds) {
    return calls.call(
        compare,
        CompareModelVersionsRequest.newBuilder()
            .addAllModelVersionIds(List.of(modelVersionIds))
            .build());
  }

  /** How a type's users are shared between the active version and a candidate. */
  public TrafficSplit split(String modelType) {
    return calls.call(
        getSplit, GetTrafficSplitRequest.newBuilder().setModelType(modelType).build());
  }

  /**
   * Gives a share of the users a candidate. If it gets users it didn't have, it must pass the gates
   * of a promotion, or the request override them; see {@link #gates}.
   *
   * @throws NotFoundException with reason NO_ACTIVE_VERSION if no version is active
   * @throws FailedPreconditionException with reason PROMOTION_GATES_FAILED if it fails gates
   */
  public TrafficSplit split(SetTrafficSplitRequest request) {
    return calls.call(setSplit, request);
  }

  /** The same for a candidate and how many of 100 users get it. */
  public TrafficSplit split(String modelType, String candidateVersionId, double percent) {
    return split(
        SetTrafficSplitRequest.newBuilder()
            .setModelType(modelType)
            .setCandidateVersionId(candidateVersionId)
            .setPercent(percent)
            .build());
  }

  /**
   * Which version a user gets, and why.
   *
   * @param userId UUID
   * @throws NotFoundException with reason NO_ACTIVE_VERSION if no version is active
   */
  public ResolveModelVersionResponse resolve(String modelType, String userId) {
    return calls.call(
        resolve,
        ResolveModelVersionRequest.newBuilder().setModelType(modelType).setUserId(userId).build());
  }

  /** What versions of a type must fulfil; empty: what holds for all that say nothing. */
  public Optional<PromotionPolicy> policy(String modelType) {
    try {
      return Optional.of(
          calls.call(
              getPolicy, GetPromotionPolicyRequest.newBuilder().setModelType(modelType).build()));
    } catch (NotFoundException absent) {
      return Optional.empty();
    }
  }

  /** Lets a policy be there as it is sent. What isn't set stays as it is. */
  public PromotionPolicy policy(PromotionPolicy policy) {
    return calls
        .call(
            putPolicy, UpsertPromotionPolicyRequest.newBuilder().setPromotionPolicy(policy).build())
        .getPromotionPolicy();
  }

  /**
   * Records how models did, up to 1,000 records, all or none.
   *
   * @return the UUIDs of the records, in their order
   */
  public List<String> record(Iterable<ModelPerformance> records) {
    return calls
        .call(record, RecordModelPerformanceRequest.newBuilder().addAllRecords(records).build())
        .getIdsList();
  }

  /** Records of how models did, in the request's order, fetched as the stream is read. */
  public Stream<ModelPerformance> performances(ListModelPerformancesRequest request) {
    return Pages.stream(
        request.getPageToken(),
        token -> {
          ListModelPerformancesResponse page =
              calls.call(performances, request.toBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getModelPerformancesList(), page.getNextPageToken());
        });
  }

  /** A metric over time, by version and segment. */
  public GetPerformanceSeriesResponse series(GetPerformanceSeriesRequest request) {
    return calls.call(series, request);
  }
}
