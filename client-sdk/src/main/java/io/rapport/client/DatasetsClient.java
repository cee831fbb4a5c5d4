package io.rapport.client;

import com.google.protobuf.Empty;
import com.google.protobuf.FieldMask;
import io.rapport.versioning.v1.AssessDatasetRequest;
import io.rapport.versioning.v1.CreateTrainingDatasetRequest;
import io.rapport.versioning.v1.DataQualityMetrics;
import io.rapport.versioning.v1.DataQualityServiceGrpc;
import io.rapport.versioning.v1.DatasetDrift;
import io.rapport.versioning.v1.DatasetManifest;
import io.rapport.versioning.v1.DeleteTrainingDatasetRequest;
import io.rapport.versioning.v1.FreezeDatasetRequest;
import io.rapport.versioning.v1.GetDataQualityMetricsRequest;
import io.rapport.versioning.v1.GetDriftRequest;
import io.rapport.versioning.v1.GetManifestRequest;
import io.rapport.versioning.v1.GetQualityTrendRequest;
import io.rapport.versioning.v1.GetTrainingDatasetRequest;
import io.rapport.versioning.v1.ListDataQualityMetricsRequest;
import io.rapport.versioning.v1.ListDataQualityMetricsResponse;
import io.rapport.versioning.v1.ListManifestsRequest;
import io.rapport.versioning.v1.ListManifestsResponse;
import io.rapport.versioning.v1.ListTrainingDatasetsRequest;
import io.rapport.versioning.v1.ListTrainingDatasetsResponse;
import io.rapport.versioning.v1.QualityTrend;
import io.rapport.versioning.v1.TrainingDataset;
import io.rapport.versioning.v1.TrainingDatasetServiceGrpc;
import io.rapport.versioning.v1.UpdateTrainingDatasetRequest;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * What models are trained on: which events, how many have come, how good they are, and exactly what
 * a training saw. Every method may throw a {@link RapportException}.
 */
public final class DatasetsClient {
  private final Calls calls;
  private final Rpc<GetTrainingDatasetRequest, TrainingDataset> get;
  private final Rpc<ListTrainingDatasetsRequest, ListTrainingDatasetsResponse> list;
  private final Rpc<CreateTrainingDatasetRequest, TrainingDataset> create;
  private final Rpc<UpdateTrainingDatasetRequest, TrainingDataset> update;
  private final Rpc<DeleteTrainingDatasetRequest, Empty> delete;
  private final Rpc<AssessDatasetRequest, DataQualityMetrics> assess;
  private final Rpc<FreezeDatasetRequest, DatasetManifest> freeze;
  private final Rpc<GetManifestRequest, DatasetManifest> manifest;
  private final Rpc<ListManifestsRequest, ListManifestsResponse> manifests;
  private final Rpc<GetDataQualityMetricsRequest, DataQualityMetrics> metrics;
  private final Rpc<ListDataQualityMetricsRequest, ListDataQualityMetricsResponse> history;
  private final Rpc<GetQualityTrendRequest, QualityTrend> trend;
  private final Rpc<GetDriftRequest, DatasetDrift> drift;

  DatasetsClient(Calls calls) {
    this.calls = calls;
    this.get = calls.rpc(TrainingDatasetServiceGrpc.getGetTrainingDatasetMethod());
    this.list = calls.rpc(TrainingDatasetServiceGrpc.getListTrainingDatasetsMethod());
    this.create = calls.batch(TrainingDatasetServiceGrpc.getCreateTrainingDatasetMethod());
    this.update = calls.batch(TrainingDatasetServiceGrpc.getUpdateTrainingDatasetMethod());
    this.delete = calls.rpc(TrainingDatasetServiceGrpc.getDeleteTrainingDatasetMethod());
    this.assess = calls.batch(TrainingDatasetServiceGrpc.getAssessDatasetMethod());
    this.freeze = calls.batch(TrainingDatasetServiceGrpc.getFreezeDatasetMethod());
    this.manifest = calls.rpc(TrainingDatasetServiceGrpc.getGetManifestMethod());
    this.manifests = calls.rpc(TrainingDatasetServiceGrpc.getListManifestsMethod());
    this.metrics = calls.rpc(DataQualityServiceGrpc.getGetDataQualityMetricsMethod());
    this.history = calls.rpc(DataQualityServiceGrpc.getListDataQualityMetricsMethod());
    this.trend = calls.rpc(DataQualityServiceGrpc.getGetQualityTrendMethod());
    this.drift = calls.rpc(DataQualityServiceGrpc.getGetDriftMethod());
  }

  /** The dataset with this UUID; empty if there is none. */
  public Optional<TrainingDataset> get(String id) {
    return found(() -> calls.call(get, GetTrainingDatasetRequest.newBuilder().setId(id).build()));
  }

  /** The dataset of this type, such as {@code recommendation}; empty if there is none. */
  public Optional<TrainingDataset> byType(String datasetType) {
    return found(() ->
        calls.call(
            get, GetTrainingDatasetRequest.newBuilder().setDatasetType(datasetType).build()));
  }

  private static <T> Optional<T> found(Supplier<T> call) {
    try {
      return Optional.of(call.get());
    } catch (NotFoundException absent) {
      return Optional.empty();
    }
  }

  /** All datasets, by type, fetched page by page as the stream is read. */
  public Stream<TrainingDataset> list() {
    return list(ListTrainingDatasetsRequest.getDefaultInstance());
  }

  /** The datasets of a list, from the page that the request names to the last one. */
  public Stream<TrainingDataset> list(ListTrainingDatasetsRequest request) {
    return Pages.stream(
        request.getPageToken(),
        token -> {
          ListTrainingDatasetsResponse page =
              calls.call(list, request.toBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getTrainingDatasetsList(), page.getNextPageToken());
        });
  }

  /**
   * Makes a dataset. The events that are there already count.
   *
   * @throws AlreadyExistsException if there is one of this type, or with this id
   * @throws FailedPreconditionException with reason DATASET_LIMIT if the tenant has 100
   * @throws InvalidArgumentException with the fields that are wrong
   */
  public TrainingDataset create(TrainingDataset dataset) {
    return calls.call(
        create, CreateTrainingDatasetRequest.newBuilder().setTrainingDataset(dataset).build());
  }

  /**
   * Changes fields of a dataset, which must carry the etag that was read.
   *
   * @param paths the fields to change; none: all that are set; {@code *}: all, so that what isn't
   *     set gets its default
   * @throws AbortedException with reason ETAG_MISMATCH if it has changed since it was read
   */
  public TrainingDataset update(TrainingDataset dataset, String... paths) {
    return calls.call(
        update,
        UpdateTrainingDatasetRequest.newBuilder()
            .setTrainingDataset(dataset)
            .setUpdateMask(FieldMask.newBuilder().addAllPaths(List.of(paths)))
            .build());
  }

  /**
   * Removes a dataset with its metrics and manifests, for good.
   *
   * @throws FailedPreconditionException with reason RESOURCE_IN_USE while trainings refer to it, or
   *     DATASET_BUILT_IN if every tenant has it
   */
  public void delete(String id) {
    calls.call(delete, DeleteTrainingDatasetRequest.newBuilder().setId(id).build());
  }

  /**
   * Assesses the quality of a dataset's last events now, as many as it says. If the threshold is
   * reached and the quality good enough, the dataset becomes ready for a training.
   */
  public DataQualityMetrics assess(String datasetId) {
    return calls.call(
        assess, AssessDatasetRequest.newBuilder().setTrainingDatasetId(datasetId).build());
  }

  /**
   * The same, with all that the request says.
   *
   * @param time how long it may take; a million events take some seconds
   */
  public DataQualityMetrics assess(AssessDatasetRequest request, Duration time) {
    return calls.call(assess.within(time), request);
  }

  /**
   * Writes down which events a dataset consists of as of now: the same are read with {@link #rows}
   * whenever they are.
   */
  public DatasetManifest freeze(String datasetId) {
    return calls.call(
        freeze, FreezeDatasetRequest.newBuilder().setTrainingDatasetId(datasetId).build());
  }

  /**
   * The same, as of the position that the request names.
   *
   * @param time how long it may take; a million events take some seconds
   * @throws InvalidArgumentException with reason POSITION_INVALID if no commit has this position
   */
  public DatasetManifest freeze(FreezeDatasetRequest request, Duration time) {
    return calls.call(freeze.within(time), request);
  }

  /** The manifest with this UUID, with its ranges of rows; empty if there is none. */
  public Optional<DatasetManifest> manifest(String id) {
    return found(() -> calls.call(manifest, GetManifestRequest.newBuilder().setId(id).build()));
  }

  /** The manifests of a dataset, the newest first, without their ranges. */
  public Stream<DatasetManifest> manifests(String datasetId) {
    return Pages.stream(
        "",
        token -> {
          ListManifestsResponse page =
              calls.call(
                  manifests,
                  ListManifestsRequest.newBuilder()
                      .setTrainingDatasetId(datasetId)
                      .setPageToken(token)
                      .build());
          return new Pages.Page<>(page.getManifestsList(), page.getNextPageToken());
        });
  }

  /**
   * The rows of a frozen dataset, the same in the same order each time.
   *
   * <pre>{@code
   * try (DatasetRows rows = rapport.datasets().rows(manifest.getId())) {
   *   rows.forEachRemaining(row -> train(row.getPresent()));
   * }
   * }</pre>
   */
  public DatasetRows rows(String manifestId) {
    return new DatasetRows(calls, manifestId);
  }

  /** The assessment with this UUID, with what was found of each feature; empty if there is none. */
  public Optional<DataQualityMetrics> metrics(String id) {
    return found(
        () -> calls.call(metrics, GetDataQualityMetricsRequest.newBuilder().setId(id).build()));
  }

  /** The assessments of a dataset, the newest first, without their features. */
  public Stream<DataQualityMetrics> history(String datasetId) {
    return history(
        ListDataQualityMetricsRequest.newBuilder().setTrainingDatasetId(datasetId).build());
  }

  /** The assessments of a list, from the page that the request names to the last one. */
  public Stream<DataQualityMetrics> history(ListDataQualityMetricsRequest request) {
    return Pages.stream(
        request.getPageToken(),
        token -> {
          ListDataQualityMetricsResponse page =
              calls.call(history, request.toBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getMetricsList(), page.getNextPageToken());
        });
  }

  /** How the quality of a dataset has changed over its last 30 assessments. */
  public QualityTrend trend(String datasetId) {
    return calls.call(
        trend, GetQualityTrendRequest.newBuilder().setTrainingDatasetId(datasetId).build());
  }

  /**
   * How the features differ between a dataset's first assessment and its last.
   *
   * @throws NotFoundException if it has none
   */
  public DatasetDrift drift(String datasetId) {
    return drift(GetDriftRequest.newBuilder().setTrainingDatasetId(datasetId).build());
  }

  /** How the features differ between two assessments. */
  public DatasetDrift drift(GetDriftRequest request) {
    return calls.call(drift, request);
  }
}
