package io.rapport.versioning.dataset;

import static io.rapport.db.generated.versioning.Tables.DATASET_MANIFESTS;
import static io.rapport.db.generated.versioning.Tables.DATASET_MANIFEST_RANGES;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.rapport.platform.TimePlace;
import io.rapport.platform.Times;
import io.rapport.versioning.v1.DatasetManifest;
import io.rapport.versioning.v1.ManifestRange;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** Manifests in PostgreSQL. */
final class ManifestStore {
  /**
   * A manifest as it is stored.
   *
   * @param proto without its position and its ranges
   */
  record Stored(DatasetManifest proto, long position) {}

  /** A range with the digests of its rows. */
  record Range(
      int ordinal,
      TimePlace first,
      TimePlace last,
      int rows,
      ByteString rowDigests,
      ByteString digest) {}

  /** The manifests of a dataset, the newest first. */
  record Listing(UUID dataset, @Nullable TimePlace after, int limit) {}

  void insert(DSLContext tx, UUID tenant, UUID manifest, Range range) {
    tx.insertInto(DATASET_MANIFEST_RANGES)
        .set(DATASET_MANIFEST_RANGES.TENANT_ID, tenant)
        .set(DATASET_MANIFEST_RANGES.MANIFEST_ID, manifest)
        .set(DATASET_MANIFEST_RANGES.ORDINAL, range.ordinal())
        .set(DATASET_MANIFEST_RANGES.FROM_RECORDED_AT, range.first().time())
        .set(DATASET_MANIFEST_RANGES.FROM_ID, range.first().id())
        .set(DATASET_MANIFEST_RANGES.TO_RECORDED_AT, range.last().time())
        .set(DATASET_MANIFEST_RANGES.TO_ID, range.last().id())
        .set(DATASET_MANIFEST_RANGES.ROW_COUNT, range.rows())
        .set(DATASET_MANIFEST_RANGES.ROW_DIGESTS, range.rowDigests().toByteArray())
        .set(DATASET_MANIFEST_RANGES.DIGEST, range.digest().toByteArray())
        .execute();
  }

  /** After its ranges. */
  Stored insert(
      DSLContext tx, UUID tenant, UUID id, FrozenStore.Moment moment, DatasetManifest manifest) {
    return tx.insertInto(DATASET_MANIFESTS)
        .set(DATASET_MANIFESTS.TENANT_ID, tenant)
        .set(DATASET_MANIFESTS.ID, id)
        .set(
            DATASET_MANIFESTS.TRAINING_DATASET_ID, UUID.fromString(manifest.getTrainingDatasetId()))
        .set(DATASET_MANIFESTS.POSITION, moment.position())
        .set(DATASET_MANIFESTS.FROZEN_AT, moment.at())
        .set(DATASET_MANIFESTS.SNAPSHOT, moment.snapshot())
        .set(DATASET_MANIFESTS.DATA_COUNT, moment.count().events())
        .set(DATASET_MANIFESTS.COUNTED_SINCE, moment.count().since())
        .set(DATASET_MANIFESTS.SOURCES_REVISION, moment.count().sourcesRevision())
        .set(DATASET_MANIFESTS.ROW_COUNT, manifest.getRowCount())
        .set(DATASET_MANIFESTS.DIGEST, manifest.getDigest().toByteArray())
        .set(DATASET_MANIFESTS.MANIFEST, manifest.toByteArray())
        .returning()
        .fetchSingle(row -> read(row));
  }

  Optional<Stored> find(DSLContext dsl, UUID tenant, UUID id) {
    return dsl.selectFrom(DATASET_MANIFESTS)
        .where(DATASET_MANIFESTS.TENANT_ID.eq(tenant), DATASET_MANIFESTS.ID.eq(id))
        .fetchOptional(row -> read(row));
  }

  List<Stored> list(DSLContext dsl, UUID tenant, Listing listing) {
    TimePlace after = listing.after();
    Condition wanted =
        after == null
            ? DSL.noCondition()
            : DSL.row(DATASET_MANIFESTS.CREATED_AT, DATASET_MANIFESTS.ID)
                .lt(after.time(), after.id());
    return dsl.selectFrom(DATASET_MANIFESTS)
        .where(
            DATASET_MANIFESTS.TENANT_ID.eq(tenant),
            DATASET_MANIFESTS.TRAINING_DATASET_ID.eq(listing.dataset()),
            wanted)
        .orderBy(DATASET_MANIFESTS.CREATED_AT.desc(), DATASET_MANIFESTS.ID.desc())
        .limit(listing.limit())
        .fetch(row -> read(row));
  }

  private static Stored read(Record row) {
    try {
      DatasetManifest manifest =
          DatasetManifest.parseFrom(row.get(DATASET_MANIFESTS.MANIFEST)).toBuilder()
              .setId(row.get(DATASET_MANIFESTS.ID).toString())
              .setFrozenAt(Times.proto(row.get(DATASET_MANIFESTS.FROZEN_AT)))
              .setDataCount(row.get(DATASET_MANIFESTS.DATA_COUNT))
              .setCreatedAt(Times.proto(row.get(DATASET_MANIFESTS.CREATED_AT)))
              .build();
      return new Stored(manifest, row.get(DATASET_MANIFESTS.POSITION));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a stored manifest can't be read", e);
    }
  }

  /** The ranges, as a manifest tells them. */
  List<ManifestRange> ranges(DSLContext dsl, UUID tenant, UUID manifest) {
    return dsl.select(DSL.asterisk().except(DATASET_MANIFEST_RANGES.ROW_DIGESTS))
        .from(DATASET_MANIFEST_RANGES)
        .where(isOf(tenant, manifest))
        .orderBy(DATASET_MANIFEST_RANGES.ORDINAL)
        .fetch(row ->
            ManifestRange.newBuilder()
                .setFirstRecordedAt(Times.proto(row.get(DATASET_MANIFEST_RANGES.FROM_RECORDED_AT)))
                .setFirstEventId(row.get(DATASET_MANIFEST_RANGES.FROM_ID).toString())
                .setLastRecordedAt(Times.proto(row.get(DATASET_MANIFEST_RANGES.TO_RECORDED_AT)))
                .setLastEventId(row.get(DATASET_MANIFEST_RANGES.TO_ID).toString())
                .setRowCount(row.get(DATASET_MANIFEST_RANGES.ROW_COUNT))
                .setDigest(ByteString.copyFrom(row.get(DATASET_MANIFEST_RANGES.DIGEST)))
                .build());
  }

  private static Condition isOf(UUID tenant, UUID manifest) {
    return DATASET_MANIFEST_RANGES
        .TENANT_ID
        .eq(tenant)
        .and(DATASET_MANIFEST_RANGES.MANIFEST_ID.eq(manifest));
  }

  /** The first range from this one on. */
  Optional<Range> range(DSLContext dsl, UUID tenant, UUID manifest, int ordinal) {
    return dsl.selectFrom(DATASET_MANIFEST_RANGES)
        .where(isOf(tenant, manifest), DATASET_MANIFEST_RANGES.ORDINAL.eq(ordinal))
        .fetchOptional(row ->
            new Range(
                row.getOrdinal(),
                place(row.getFromRecordedAt(), row.getFromId()),
                place(row.getToRecordedAt(), row.getToId()),
                row.getRowCount(),
                ByteString.copyFrom(row.getRowDigests()),
                ByteString.copyFrom(row.getDigest())));
  }

  private static TimePlace place(Instant time, UUID id) {
    return new TimePlace(time, id);
  }

  /** The digests of the ranges before this one. */
  List<byte[]> digestsBefore(DSLContext dsl, UUID tenant, UUID manifest, int ordinal) {
    return dsl.select(DATASET_MANIFEST_RANGES.DIGEST)
        .from(DATASET_MANIFEST_RANGES)
        .where(isOf(tenant, manifest), DATASET_MANIFEST_RANGES.ORDINAL.lt(ordinal))
        .orderBy(DATASET_MANIFEST_RANGES.ORDINAL)
        .fetch(DATASET_MANIFEST_RANGES.DIGEST);
  }
}
