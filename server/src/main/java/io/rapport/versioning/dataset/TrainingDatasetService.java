package io.rapport.versioning.dataset;

import com.google.protobuf.Empty;
import com.google.protobuf.FieldMask;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status.Code;
import io.rapport.platform.Caller;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.Etags;
import io.rapport.platform.Ids;
import io.rapport.platform.Masks;
import io.rapport.platform.NamePage;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.Transaction;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.versioning.v1.AssessDatasetRequest;
import io.rapport.versioning.v1.CreateTrainingDatasetRequest;
import io.rapport.versioning.v1.DataQualityMetrics;
import io.rapport.versioning.v1.DatasetManifest;
import io.rapport.versioning.v1.DeleteTrainingDatasetRequest;
import io.rapport.versioning.v1.FreezeDatasetRequest;
import io.rapport.versioning.v1.GetTrainingDatasetRequest;
import io.rapport.versioning.v1.ListTrainingDatasetsRequest;
import io.rapport.versioning.v1.ListTrainingDatasetsResponse;
import io.rapport.versioning.v1.TrainingDataset;
import io.rapport.versioning.v1.TrainingDatasetServiceGrpc;
import io.rapport.versioning.v1.UpdateTrainingDatasetRequest;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** The RPCs of training datasets. */
final class TrainingDatasetService {
  private static final int MAX_DATASETS = 100;
  private static final String DATASET = "training dataset";
  private static final Set<String> CHANGEABLE =
      Set.of("threshold", "quality_bound", "weights", "sample_size", "sources", "features");

  private final TenantDb db;
  private final UnitOfWork longWork;
  private final DatasetStore datasets;
  private final CountStore counts;
  private final Assessments assessments;
  private final Manifests manifests;

  /**
   * @param longWork allows statements that take minutes
   */
  TrainingDatasetService(
      TenantDb db,
      UnitOfWork longWork,
      DatasetStore datasets,
      CountStore counts,
      Assessments assessments,
      Manifests manifests) {
    this.db = db;
    this.longWork = longWork;
    this.datasets = datasets;
    this.counts = counts;
    this.assessments = assessments;
    this.manifests = manifests;
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return rpcs.service(TrainingDatasetServiceGrpc.getServiceDescriptor())
        .unary(TrainingDatasetServiceGrpc.getGetTrainingDatasetMethod(), this::get)
        .unary(TrainingDatasetServiceGrpc.getListTrainingDatasetsMethod(), this::list)
        .unary(TrainingDatasetServiceGrpc.getCreateTrainingDatasetMethod(), this::create)
        .unary(TrainingDatasetServiceGrpc.getUpdateTrainingDatasetMethod(), this::update)
        .unary(TrainingDatasetServiceGrpc.getDeleteTrainingDatasetMethod(), this::delete)
        .unary(TrainingDatasetServiceGrpc.getAssessDatasetMethod(), this::assess)
        .unary(TrainingDatasetServiceGrpc.getFreezeDatasetMethod(), this::freeze)
        .unary(TrainingDatasetServiceGrpc.getGetManifestMethod(), manifests::get)
        .unary(TrainingDatasetServiceGrpc.getListManifestsMethod(), manifests::list)
        .streaming(TrainingDatasetServiceGrpc.getStreamManifestRowsMethod(), manifests::stream)
        .build();
  }

  private TrainingDataset get(GetTrainingDatasetRequest request) {
    UUID tenant = Caller.currentTenant().id();
    return db.read(
            tenant,
            dsl ->
                request.hasId()
                    ? datasets.require(dsl, tenant, UUID.fromString(request.getId()))
                    : datasets
                        .findByType(dsl, tenant, request.getDatasetType())
                        .orElseThrow(() -> ServiceException.notFound(DATASET)))
        .proto();
  }

  private ListTrainingDatasetsResponse list(ListTrainingDatasetsRequest request) {
    UUID tenant = Caller.currentTenant().id();
    NamePage<TrainingDataset> page =
        new NamePage<>(
            request.toBuilder().clearPageSize().clearPageToken().build(),
            request.getPageSize(),
            request.getPageToken(),
            TrainingDataset::getDatasetType);
    DatasetStore.Listing listing =
        new DatasetStore.Listing(
            request.hasThresholdReached() ? request.getThresholdReached() : null,
            request.hasIsReadyForTraining() ? request.getIsReadyForTraining() : null,
            page.after(),
            page.limit());
    List<TrainingDataset> found =
        db.read(tenant, dsl -> datasets.list(dsl, tenant, listing)).stream()
            .map(Dataset::proto)
            .toList();
    return ListTrainingDatasetsResponse.newBuilder()
        .addAllTrainingDatasets(page.items(found))
        .setNextPageToken(page.nextToken(found))
        .build();
  }

  private TrainingDataset create(CreateTrainingDatasetRequest request) {
    TrainingDataset dataset = DatasetRules.whole(request.getTrainingDataset());
    return longWork.write(request, TrainingDataset.parser(), tx -> create(tx, dataset));
  }

  private TrainingDataset create(Transaction tx, TrainingDataset dataset) {
    UUID id = dataset.getId().isEmpty() ? Ids.next() : UUID.fromString(dataset.getId());
    datasets.takeTurn(tx.dsl(), tx.tenant());
    requireNew(tx, id, dataset.getDatasetType());
    datasets.insert(tx.dsl(), tx.tenant(), id, dataset);
    CountStore.Counted counted = counts.count(tx.dsl(), tx.tenant(), id);
    datasets.lockHead(tx.dsl(), tx.tenant());
    counts.set(tx.dsl(), tx.tenant(), id, counted);
    counts.checkThreshold(tx.dsl(), tx.tenant(), id);
    return changed(tx, Op.CREATED, id);
  }

  private void requireNew(Transaction tx, UUID id, String type) {
    if (datasets.exists(tx.dsl(), tx.tenant(), id)
        || datasets.findByType(tx.dsl(), tx.tenant(), type).isPresent()) {
      throw ServiceException.of(
              Code.ALREADY_EXISTS,
              ErrorReason.RESOURCE_EXISTS,
              "a dataset of this type or with this id is there already")
          .with("kind", DATASET);
    }
    if (datasets.count(tx.dsl(), tx.tenant()) >= MAX_DATASETS) {
      throw ServiceException.failedPrecondition(
              ErrorReason.DATASET_LIMIT,
              "the tenant has " + MAX_DATASETS + " datasets, and that is the most")
          .with("max", String.valueOf(MAX_DATASETS));
    }
  }

  private TrainingDataset changed(Transaction tx, Op op, UUID id) {
    Dataset after = datasets.require(tx.dsl(), tx.tenant(), id);
    tx.changed(new Change(DatasetStore.KIND, op, id, null, after.revision()));
    return after.proto();
  }

  private TrainingDataset update(UpdateTrainingDatasetRequest request) {
    TrainingDataset wanted = request.getTrainingDataset();
    if (wanted.getId().isEmpty() || wanted.getEtag().isEmpty()) {
      throw ServiceException.invalid(
          "training_dataset." + (wanted.getId().isEmpty() ? "id" : "etag"),
          ErrorReason.INVALID_FIELD,
          "is required: send the one that was read");
    }
    return longWork.write(
        request, TrainingDataset.parser(), tx -> update(tx, wanted, request.getUpdateMask()));
  }

  private TrainingDataset update(Transaction tx, TrainingDataset wanted, FieldMask mask) {
    UUID id = UUID.fromString(wanted.getId());
    datasets.takeTurn(tx.dsl(), tx.tenant());
    Dataset before = datasets.require(tx.dsl(), tx.tenant(), id);
    requireEtag(before, wanted.getEtag());
    TrainingDataset after = DatasetRules.whole(merged(before.proto(), wanted, mask));
    if (after.equals(before.proto())) {
      return after;
    }
    boolean refed = !after.getSourcesList().equals(before.proto().getSourcesList());
    CountStore.Counted counted = refed ? countBy(tx, id, after) : null;
    datasets.lockHead(tx.dsl(), tx.tenant());
    requireEtag(datasets.require(tx.dsl(), tx.tenant(), id), wanted.getEtag());
    datasets.update(tx.dsl(), tx.tenant(), before, after);
    if (counted != null) {
      counts.set(tx.dsl(), tx.tenant(), id, counted);
    }
    counts.checkThreshold(tx.dsl(), tx.tenant(), id);
    counts.assessAgain(tx.dsl(), tx.tenant(), id);
    return changed(tx, Op.UPDATED, id);
  }

  private CountStore.Counted countBy(Transaction tx, UUID id, TrainingDataset after) {
    datasets.replaceSources(tx.dsl(), tx.tenant(), id, after.getSourcesList());
    return counts.count(tx.dsl(), tx.tenant(), id);
  }

  private static void requireEtag(Dataset dataset, String etag) {
    Etags.require(DATASET, dataset.id().toString(), dataset.proto().getEtag(), etag);
  }

  private static TrainingDataset merged(
      TrainingDataset before, TrainingDataset wanted, FieldMask mask) {
    Set<String> named =
        mask.getPathsCount() == 0 || Masks.isEvery(mask)
            ? CHANGEABLE
            : Masks.names(mask, TrainingDataset.getDescriptor(), "update_mask");
    TrainingDataset.Builder merged = before.toBuilder();
    for (var field : TrainingDataset.getDescriptor().getFields()) {
      boolean set =
          field.isRepeated()
              ? wanted.getRepeatedFieldCount(field) > 0
              : field.hasPresence()
                  ? wanted.hasField(field)
                  : !wanted.getField(field).equals(field.getDefaultValue());
      if (!CHANGEABLE.contains(field.getName()) || !named.contains(field.getName())) {
        continue;
      }
      if (set) {
        merged.setField(field, wanted.getField(field));
      } else if (mask.getPathsCount() > 0) {
        merged.clearField(field);
      }
    }
    return merged.build();
  }

  private Empty delete(DeleteTrainingDatasetRequest request) {
    UUID id = UUID.fromString(request.getId());
    return longWork.write(
        request,
        Empty.parser(),
        tx -> {
          datasets.takeTurn(tx.dsl(), tx.tenant());
          datasets.lockHead(tx.dsl(), tx.tenant());
          Dataset dataset = datasets.require(tx.dsl(), tx.tenant(), id);
          requireEtag(dataset, request.getEtag());
          if (dataset.proto().getBuiltIn()) {
            throw ServiceException.failedPrecondition(
                    ErrorReason.DATASET_BUILT_IN, "every tenant has the dataset " + dataset.type())
                .with("dataset_type", dataset.type());
          }
          datasets.delete(tx.dsl(), tx.tenant(), id);
          tx.changed(new Change(DatasetStore.KIND, Op.DELETED, id, null, dataset.revision()));
          return Empty.getDefaultInstance();
        });
  }

  private DataQualityMetrics assess(AssessDatasetRequest request) {
    UUID id = UUID.fromString(request.getTrainingDatasetId());
    return longWork.write(
        request,
        DataQualityMetrics.parser(),
        tx -> {
          Dataset dataset = datasets.require(tx.dsl(), tx.tenant(), id);
          long sample =
              request.hasSampleSize() ? request.getSampleSize() : dataset.proto().getSampleSize();
          Assessments.Look look = assessments.look(tx.dsl(), tx.tenant(), dataset, sample);
          return assessments
              .keep(tx.dsl(), tx.tenant(), look, tx::changed)
              .orElseThrow(() -> DatasetRules.changedMeanwhile(dataset));
        });
  }

  private DatasetManifest freeze(FreezeDatasetRequest request) {
    UUID id = UUID.fromString(request.getTrainingDatasetId());
    return longWork.write(
        request,
        DatasetManifest.parser(),
        tx -> {
          Dataset dataset = datasets.require(tx.dsl(), tx.tenant(), id);
          return manifests.freeze(tx, dataset, request.getPosition());
        });
  }
}
