package io.rapport.versioning.dataset;

import io.rapport.platform.Caller;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.Ids;
import io.rapport.platform.Outbox;
import io.rapport.platform.PageRoom;
import io.rapport.platform.PageTokens;
import io.rapport.platform.Positions;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.TimePlace;
import io.rapport.platform.Times;
import io.rapport.platform.Transaction;
import io.rapport.versioning.v1.DatasetManifest;
import io.rapport.versioning.v1.FeatureSchema;
import io.rapport.versioning.v1.GetManifestRequest;
import io.rapport.versioning.v1.ListManifestsRequest;
import io.rapport.versioning.v1.ListManifestsResponse;
import io.rapport.versioning.v1.StreamManifestRowsRequest;
import io.rapport.versioning.v1.StreamManifestRowsResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Datasets as they were at a position: written down once, and read as often as needed. */
final class Manifests {
  /** What they are called in the change log. */
  static final String KIND = "versioning.dataset_manifest";

  private final TenantDb db;
  private final DatasetStore datasets;
  private final ManifestStore manifests = new ManifestStore();
  private final FrozenStore events = new FrozenStore();

  Manifests(TenantDb db, DatasetStore datasets) {
    this.db = db;
    this.datasets = datasets;
  }

  /**
   * Writes a dataset down; throws if it was changed since it was read, so that its rows are not
   * those of these sources.
   *
   * @param position as of which; empty: as of now
   */
  DatasetManifest freeze(Transaction tx, Dataset dataset, String position) {
    Caller.Tenant caller = Caller.currentTenant();
    FrozenStore.Moment moment =
        position.isEmpty()
            ? events.now(tx.dsl(), tx.tenant(), dataset.id())
            : events.at(tx.dsl(), tx.tenant(), dataset.id(), Positions.decode(caller, position));
    UUID id = Ids.next();
    Freezing freezing = new Freezing(tx.dsl(), tx.tenant(), manifests, id);
    events.forEach(tx.dsl(), tx.tenant(), dataset.id(), moment, freezing::add);
    DatasetManifest manifest =
        freezing
            .end()
            .setTrainingDatasetId(dataset.id().toString())
            .setDatasetType(dataset.type())
            .addAllSources(dataset.proto().getSourcesList())
            .addAllFeatureNames(dataset.proto().getFeaturesList())
            .addAllFeatures(features(tx, dataset, moment, freezing.rows()))
            .build();
    datasets.shareTurn(tx.dsl(), tx.tenant());
    if (!datasets.require(tx.dsl(), tx.tenant(), dataset.id()).looksLike(dataset)) {
      throw DatasetRules.changedMeanwhile(dataset);
    }
    ManifestStore.Stored stored = manifests.insert(tx.dsl(), tx.tenant(), id, moment, manifest);
    tx.changed(new Change(KIND, Op.CREATED, id, null, 1));
    return whole(caller, stored).toBuilder()
        .addAllRanges(manifests.ranges(tx.dsl(), tx.tenant(), id))
        .build();
  }

  /** By name; those that no row has, too. */
  private List<FeatureSchema> features(
      Transaction tx, Dataset dataset, FrozenStore.Moment moment, long rows) {
    List<FeatureSchema> all =
        new ArrayList<>(events.features(tx.dsl(), tx.tenant(), dataset, moment, rows));
    for (String name : dataset.proto().getFeaturesList()) {
      if (all.stream().noneMatch(it -> it.getName().equals(name))) {
        all.add(FeatureSchema.newBuilder().setName(name).build());
      }
    }
    all.sort((a, b) -> a.getName().compareTo(b.getName()));
    return all;
  }

  private static DatasetManifest whole(Caller.Tenant caller, ManifestStore.Stored stored) {
    return stored.proto().toBuilder()
        .setPosition(Positions.encode(caller, stored.position()))
        .build();
  }

  private DatasetManifest require(Caller.Tenant caller, String id) {
    return whole(
        caller,
        db.read(caller.id(), dsl -> manifests.find(dsl, caller.id(), UUID.fromString(id)))
            .orElseThrow(() -> ServiceException.notFound("dataset manifest", id)));
  }

  DatasetManifest get(GetManifestRequest request) {
    Caller.Tenant caller = Caller.currentTenant();
    DatasetManifest manifest = require(caller, request.getId());
    UUID id = UUID.fromString(request.getId());
    return manifest.toBuilder()
        .addAllRanges(db.read(caller.id(), dsl -> manifests.ranges(dsl, caller.id(), id)))
        .build();
  }

  ListManifestsResponse list(ListManifestsRequest request) {
    Caller.Tenant caller = Caller.currentTenant();
    ListManifestsRequest arguments = request.toBuilder().clearPageSize().clearPageToken().build();
    int size = PageTokens.size(request.getPageSize());
    ManifestStore.Listing listing =
        new ManifestStore.Listing(
            UUID.fromString(request.getTrainingDatasetId()),
            PageTokens.decode(caller, arguments, request.getPageToken())
                .map(TimePlace::ofCursor)
                .orElse(null),
            size + 1);
    List<DatasetManifest> found = find(caller, listing);
    int count = PageRoom.count(found, size);
    ListManifestsResponse.Builder page =
        ListManifestsResponse.newBuilder().addAllManifests(found.subList(0, count));
    if (found.size() > count) {
      DatasetManifest last = found.get(count - 1);
      TimePlace place =
          new TimePlace(Times.instant(last.getCreatedAt()), UUID.fromString(last.getId()));
      page.setNextPageToken(PageTokens.encode(caller, arguments, place.toCursor()));
    }
    return page.build();
  }

  private List<DatasetManifest> find(Caller.Tenant caller, ManifestStore.Listing listing) {
    return db
        .read(
            caller.id(),
            dsl -> {
              datasets.require(dsl, caller.id(), listing.dataset());
              return manifests.list(dsl, caller.id(), listing);
            })
        .stream()
        .map(stored -> whole(caller, stored))
        .toList();
  }

  void stream(StreamManifestRowsRequest request, Outbox<StreamManifestRowsResponse> outbox) {
    Caller.Tenant caller = Caller.currentTenant();
    StreamManifestRowsRequest arguments = request.toBuilder().clearCursor().build();
    ManifestRows.Place start =
        PageTokens.decode(caller, arguments, request.getCursor())
            .map(ManifestRows.Place::of)
            .orElse(new ManifestRows.Place(0, 0));
    DatasetManifest manifest = require(caller, request.getManifestId());
    new ManifestRows(
            db,
            caller.id(),
            manifest,
            outbox,
            place -> PageTokens.encode(caller, arguments, place.bytes()))
        .sendFrom(start);
  }
}
