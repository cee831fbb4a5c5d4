package io.rapport.versioning.dataset;

import static io.rapport.db.generated.versioning.Tables.DATA_QUALITY_METRICS;

import com.google.protobuf.InvalidProtocolBufferException;
import io.rapport.platform.TimePlace;
import io.rapport.platform.Times;
import io.rapport.platform.watch.InitialState;
import io.rapport.platform.watch.PresentRowsStore;
import io.rapport.versioning.v1.DataQualityMetrics;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.SortField;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** What assessments found, in PostgreSQL. */
final class QualityStore {
  /** What they are called in the change log. */
  static final String KIND = "versioning.data_quality_metrics";

  private static final List<SortField<?>> NEWEST_FIRST =
      List.of(DATA_QUALITY_METRICS.ASSESSED_AT.desc(), DATA_QUALITY_METRICS.ID.desc());
  private static final List<SortField<?>> OLDEST_FIRST =
      List.of(DATA_QUALITY_METRICS.ASSESSED_AT.asc(), DATA_QUALITY_METRICS.ID.asc());

  /** The assessments of a dataset, the newest first; null: without a bound. */
  record Listing(
      UUID dataset,
      @Nullable Instant from,
      @Nullable Instant to,
      @Nullable TimePlace after,
      int limit) {}

  /** The assessments that are there. */
  static InitialState initialState() {
    return new PresentRowsStore(
        KIND,
        DATA_QUALITY_METRICS,
        new PresentRowsStore.Columns(
            DATA_QUALITY_METRICS.TENANT_ID,
            DATA_QUALITY_METRICS.ID,
            null,
            DATA_QUALITY_METRICS.REVISION,
            DATA_QUALITY_METRICS.CREATED_AT));
  }

  /** Keeps an assessment, and gives it with its times. */
  DataQualityMetrics insert(DSLContext tx, UUID tenant, UUID id, DataQualityMetrics metrics) {
    Instant now = tx.fetchSingle("SELECT clock_timestamp()").get(0, Instant.class);
    DataQualityMetrics report =
        DataQualityMetrics.newBuilder().addAllFields(metrics.getFieldsList()).build();
    return tx.insertInto(DATA_QUALITY_METRICS)
        .set(DATA_QUALITY_METRICS.TENANT_ID, tenant)
        .set(DATA_QUALITY_METRICS.ID, id)
        .set(
            DATA_QUALITY_METRICS.TRAINING_DATASET_ID,
            UUID.fromString(metrics.getTrainingDatasetId()))
        .set(DATA_QUALITY_METRICS.COMPLETENESS_SCORE, metrics.getCompletenessScore())
        .set(DATA_QUALITY_METRICS.CONSISTENCY_SCORE, metrics.getConsistencyScore())
        .set(DATA_QUALITY_METRICS.VALIDITY_SCORE, metrics.getValidityScore())
        .set(DATA_QUALITY_METRICS.OVERALL_SCORE, metrics.getOverallScore())
        .set(DATA_QUALITY_METRICS.ANOMALY_COUNT, metrics.getAnomalyCount())
        .set(DATA_QUALITY_METRICS.DUPLICATE_COUNT, metrics.getDuplicateCount())
        .set(DATA_QUALITY_METRICS.MISSING_VALUES_COUNT, metrics.getMissingValuesCount())
        .set(DATA_QUALITY_METRICS.RECORD_COUNT, metrics.getRecordCount())
        .set(DATA_QUALITY_METRICS.FIELD_COUNT, metrics.getFieldCount())
        .set(DATA_QUALITY_METRICS.REPORT, report.toByteArray())
        .set(DATA_QUALITY_METRICS.ASSESSED_AT, now)
        .set(DATA_QUALITY_METRICS.CREATED_AT, now)
        .returning()
        .fetchSingle(row -> whole(row));
  }

  Optional<DataQualityMetrics> find(DSLContext dsl, UUID tenant, UUID id) {
    return dsl.selectFrom(DATA_QUALITY_METRICS)
        .where(DATA_QUALITY_METRICS.TENANT_ID.eq(tenant), DATA_QUALITY_METRICS.ID.eq(id))
        .fetchOptional(row -> whole(row));
  }

  /** A dataset's first assessment. */
  Optional<DataQualityMetrics> first(DSLContext dsl, UUID tenant, UUID dataset) {
    return end(dsl, tenant, dataset, OLDEST_FIRST);
  }

  /** A dataset's last assessment. */
  Optional<DataQualityMetrics> last(DSLContext dsl, UUID tenant, UUID dataset) {
    return end(dsl, tenant, dataset, NEWEST_FIRST);
  }

  private static Optional<DataQualityMetrics> end(
      DSLContext dsl, UUID tenant, UUID dataset, List<SortField<?>> order) {
    return dsl.selectFrom(DATA_QUALITY_METRICS)
        .where(isOf(tenant, dataset))
        .orderBy(order)
        .limit(1)
        .fetchOptional(row -> whole(row));
  }

  private static Condition isOf(UUID tenant, UUID dataset) {
    return DATA_QUALITY_METRICS
        .TENANT_ID
        .eq(tenant)
        .and(DATA_QUALITY_METRICS.TRAINING_DATASET_ID.eq(dataset));
  }

  /** Without what was found of each feature. */
  List<DataQualityMetrics> list(DSLContext dsl, UUID tenant, Listing listing) {
    Condition wanted = isOf(tenant, listing.dataset());
    if (listing.from() != null) {
      wanted = wanted.and(DATA_QUALITY_METRICS.ASSESSED_AT.ge(listing.from()));
    }
    if (listing.to() != null) {
      wanted = wanted.and(DATA_QUALITY_METRICS.ASSESSED_AT.lt(listing.to()));
    }
    TimePlace after = listing.after();
    if (after != null) {
      wanted =
          wanted.and(
              DSL.row(DATA_QUALITY_METRICS.ASSESSED_AT, DATA_QUALITY_METRICS.ID)
                  .lt(after.time(), after.id()));
    }
    return dsl.select(DSL.asterisk().except(DATA_QUALITY_METRICS.REPORT))
        .from(DATA_QUALITY_METRICS)
        .where(wanted)
        .orderBy(NEWEST_FIRST)
        .limit(listing.limit())
        .fetch(row -> brief(row).build());
  }

  private static DataQualityMetrics whole(Record row) {
    try {
      return brief(row)
          .addAllFields(
              DataQualityMetrics.parseFrom(row.get(DATA_QUALITY_METRICS.REPORT)).getFieldsList())
          .build();
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a stored report can't be read", e);
    }
  }

  private static DataQualityMetrics.Builder brief(Record row) {
    return DataQualityMetrics.newBuilder()
        .setId(row.get(DATA_QUALITY_METRICS.ID).toString())
        .setTrainingDatasetId(row.get(DATA_QUALITY_METRICS.TRAINING_DATASET_ID).toString())
        .setCompletenessScore(row.get(DATA_QUALITY_METRICS.COMPLETENESS_SCORE))
        .setConsistencyScore(row.get(DATA_QUALITY_METRICS.CONSISTENCY_SCORE))
        .setValidityScore(row.get(DATA_QUALITY_METRICS.VALIDITY_SCORE))
        .setOverallScore(row.get(DATA_QUALITY_METRICS.OVERALL_SCORE))
        .setAnomalyCount(row.get(DATA_QUALITY_METRICS.ANOMALY_COUNT))
        .setDuplicateCount(row.get(DATA_QUALITY_METRICS.DUPLICATE_COUNT))
        .setMissingValuesCount(row.get(DATA_QUALITY_METRICS.MISSING_VALUES_COUNT))
        .setRecordCount(row.get(DATA_QUALITY_METRICS.RECORD_COUNT))
        .setFieldCount(row.get(DATA_QUALITY_METRICS.FIELD_COUNT))
        .setAssessedAt(Times.proto(row.get(DATA_QUALITY_METRICS.ASSESSED_AT)))
        .setCreatedAt(Times.proto(row.get(DATA_QUALITY_METRICS.CREATED_AT)));
  }
}
