package io.rapport.versioning.dataset;

import static io.rapport.db.generated.versioning.Tables.DATASET_COUNTS;
import static io.rapport.db.generated.versioning.Tables.DATASET_SOURCES;
import static io.rapport.db.generated.versioning.Tables.TRAINING_DATASETS;

import com.google.protobuf.Value;
import io.rapport.platform.Etags;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Times;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.platform.watch.InitialState;
import io.rapport.platform.watch.PresentRowsStore;
import io.rapport.versioning.HeadStore;
import io.rapport.versioning.v1.DatasetSource;
import io.rapport.versioning.v1.QualityWeights;
import io.rapport.versioning.v1.SourceCondition;
import io.rapport.versioning.v1.TrainingDataset;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.JSONB;
import org.jooq.Record;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/**
 * Datasets in PostgreSQL. Who changes them takes a turn, then the tenant's head, and only then
 * locks their rows: so commits of events, which hold the head, never wait for them.
 */
final class DatasetStore {
  /** What they are called in the change log. */
  static final String KIND = "versioning.training_dataset";

  private static final String TURN = "hashtextextended('versioning.training_datasets/' || {0}, 0)";

  private static final String SOURCES =
      """
      SELECT s.dataset_id, s.event_type, c.ordinal, c.condition -> 'path' ->> 0,
        (SELECT string_agg(p, '.' ORDER BY n)
           FROM jsonb_array_elements_text(c.condition -> 'path') WITH ORDINALITY AS p (p, n)),
        jsonb_typeof(v.value), v.value #>> '{}'
        FROM versioning.dataset_sources s
        LEFT JOIN LATERAL jsonb_array_elements(s.conditions)
          WITH ORDINALITY AS c (condition, ordinal) ON true
        LEFT JOIN LATERAL jsonb_array_elements(c.condition -> 'values')
          WITH ORDINALITY AS v (value, ordinal) ON true
       WHERE s.tenant_id = {0} AND s.dataset_id = ANY ({1}::uuid[])
       ORDER BY s.dataset_id, s.event_type, c.ordinal, v.ordinal
      """;

  private final HeadStore heads = new HeadStore();

  /** Which datasets to list; null: of any. */
  record Listing(@Nullable Boolean reached, @Nullable Boolean ready, String after, int limit) {}

  /** The datasets that are there. */
  static InitialState initialState() {
    return new PresentRowsStore(
        KIND,
        TRAINING_DATASETS,
        new PresentRowsStore.Columns(
            TRAINING_DATASETS.TENANT_ID,
            TRAINING_DATASETS.ID,
            null,
            TRAINING_DATASETS.REVISION,
            TRAINING_DATASETS.CREATED_AT));
  }

  Dataset require(DSLContext dsl, UUID tenant, UUID id) {
    return find(dsl, tenant, TRAINING_DATASETS.ID.eq(id))
        .orElseThrow(() -> ServiceException.notFound("training dataset", id.toString()));
  }

  Optional<Dataset> findByType(DSLContext dsl, UUID tenant, String type) {
    return find(dsl, tenant, TRAINING_DATASETS.DATASET_TYPE.eq(type));
  }

  private static Optional<Dataset> find(DSLContext dsl, UUID tenant, Condition which) {
    return select(dsl, tenant, which, 1).stream().findFirst();
  }

  /** Datasets in the order of their types. */
  List<Dataset> list(DSLContext dsl, UUID tenant, Listing listing) {
    Condition wanted = TRAINING_DATASETS.DATASET_TYPE.gt(listing.after());
    if (listing.reached() != null) {
      wanted = wanted.and(TRAINING_DATASETS.THRESHOLD_REACHED.eq(listing.reached()));
    }
    if (listing.ready() != null) {
      wanted = wanted.and(TRAINING_DATASETS.IS_READY_FOR_TRAINING.eq(listing.ready()));
    }
    return select(dsl, tenant, wanted, listing.limit());
  }

  private static List<Dataset> select(DSLContext dsl, UUID tenant, Condition which, int limit) {
    List<Dataset> found =
        dsl.select(TRAINING_DATASETS.fields())
            .select(DATASET_COUNTS.DATA_COUNT, DATASET_COUNTS.RECOUNT)
            .from(TRAINING_DATASETS)
            .join(DATASET_COUNTS)
            .on(
                DATASET_COUNTS.TENANT_ID.eq(TRAINING_DATASETS.TENANT_ID),
                DATASET_COUNTS.DATASET_ID.eq(TRAINING_DATASETS.ID))
            .where(TRAINING_DATASETS.TENANT_ID.eq(tenant), which)
            .orderBy(TRAINING_DATASETS.DATASET_TYPE)
            .limit(limit)
            .fetch(DatasetStore::read);
    Map<UUID, List<DatasetSource>> sources =
        sources(dsl, tenant, found.stream().map(Dataset::id).toList());
    return found.stream().map(it -> with(it, sources.getOrDefault(it.id(), List.of()))).toList();
  }

  private static Dataset with(Dataset dataset, List<DatasetSource> sources) {
    TrainingDataset proto = dataset.proto().toBuilder().addAllSources(sources).build();
    return new Dataset(dataset.id(), proto, dataset.revision(), dataset.sourcesRevision());
  }

  private static Map<UUID, List<DatasetSource>> sources(
      DSLContext dsl, UUID tenant, List<UUID> ids) {
    Map<UUID, List<DatasetSource>> found = new HashMap<>();
    DatasetSource.Builder source = DatasetSource.newBuilder();
    UUID dataset = new UUID(0, 0);
    for (Record row : dsl.fetch(SOURCES, DSL.val(tenant), DSL.val(ids.toArray(UUID[]::new)))) {
      String type = row.get(1, String.class);
      if (!row.get(0, UUID.class).equals(dataset) || !type.equals(source.getEventType())) {
        put(found, dataset, source);
        dataset = row.get(0, UUID.class);
        source = DatasetSource.newBuilder().setEventType(type);
      }
      addCondition(source, row);
    }
    put(found, dataset, source);
    return found;
  }

  private static void put(
      Map<UUID, List<DatasetSource>> found, UUID dataset, DatasetSource.Builder source) {
    if (!source.getEventType().isEmpty()) {
      found.computeIfAbsent(dataset, id -> new ArrayList<>()).add(source.build());
    }
  }

  private static void addCondition(DatasetSource.Builder source, Record row) {
    Long ordinal = row.get(2, Long.class);
    if (ordinal == null) {
      return;
    }
    if (source.getConditionsCount() < ordinal) {
      source.addConditions(SourceCondition.newBuilder().setProperty(row.get(4, String.class)));
    }
    source
        .getConditionsBuilder(source.getConditionsCount() - 1)
        .addValues(value(row.get(5, String.class), row.get(6, String.class)));
  }

  private static Value value(String type, String text) {
    Value.Builder value = Value.newBuilder();
    return switch (type) {
      case "number" -> value.setNumberValue(Double.parseDouble(text)).build();
      case "boolean" -> value.setBoolValue(Boolean.parseBoolean(text)).build();
      default -> value.setStringValue(text).build();
    };
  }

  private static Dataset read(Record row) {
    TrainingDataset.Builder dataset =
        TrainingDataset.newBuilder()
            .setId(row.get(TRAINING_DATASETS.ID).toString())
            .setDatasetType(row.get(TRAINING_DATASETS.DATASET_TYPE))
            .setBuiltIn(row.get(TRAINING_DATASETS.BUILT_IN))
            .setThreshold(row.get(TRAINING_DATASETS.THRESHOLD))
            .setQualityBound(row.get(TRAINING_DATASETS.QUALITY_BOUND))
            .setWeights(
                QualityWeights.newBuilder()
                    .setCompleteness(row.get(TRAINING_DATASETS.COMPLETENESS_WEIGHT))
                    .setConsistency(row.get(TRAINING_DATASETS.CONSISTENCY_WEIGHT))
                    .setValidity(row.get(TRAINING_DATASETS.VALIDITY_WEIGHT)))
            .setSampleSize(row.get(TRAINING_DATASETS.SAMPLE_SIZE))
            .addAllFeatures(List.of(row.get(TRAINING_DATASETS.FEATURES)))
            .setDataCount(row.get(DATASET_COUNTS.DATA_COUNT))
            .setCounting(row.get(DATASET_COUNTS.RECOUNT))
            .setThresholdReached(row.get(TRAINING_DATASETS.THRESHOLD_REACHED))
            .setIsReadyForTraining(row.get(TRAINING_DATASETS.IS_READY_FOR_TRAINING))
            .setCreatedAt(Times.proto(row.get(TRAINING_DATASETS.CREATED_AT)))
            .setUpdatedAt(Times.proto(row.get(TRAINING_DATASETS.UPDATED_AT)))
            .setEtag(Etags.of(row.get(TRAINING_DATASETS.REVISION)));
    addHistory(dataset, row);
    return new Dataset(
        row.get(TRAINING_DATASETS.ID),
        dataset.build(),
        row.get(TRAINING_DATASETS.REVISION),
        row.get(TRAINING_DATASETS.SOURCES_REVISION));
  }

  private static void addHistory(TrainingDataset.Builder dataset, Record row) {
    Double score = row.get(TRAINING_DATASETS.DATA_QUALITY_SCORE);
    Instant trained = row.get(TRAINING_DATASETS.LAST_TRAINED_AT);
    if (score != null) {
      dataset.setDataQualityScore(score);
    }
    if (trained != null) {
      dataset.setLastTrainedAt(Times.proto(trained));
    }
  }

  /** Waits until nobody else changes the tenant's datasets. */
  void takeTurn(DSLContext tx, UUID tenant) {
    tx.fetch("SELECT pg_advisory_xact_lock(" + TURN + ")", DSL.val(tenant.toString()));
  }

  /** Waits until nobody changes the tenant's datasets; others may share the turn. */
  void shareTurn(DSLContext tx, UUID tenant) {
    tx.fetch("SELECT pg_advisory_xact_lock_shared(" + TURN + ")", DSL.val(tenant.toString()));
  }

  /** From here on the tenant has no other commits. */
  void lockHead(DSLContext tx, UUID tenant) {
    heads.lock(tx, tenant);
  }

  int count(DSLContext dsl, UUID tenant) {
    return dsl.fetchCount(TRAINING_DATASETS, TRAINING_DATASETS.TENANT_ID.eq(tenant));
  }

  boolean exists(DSLContext dsl, UUID tenant, UUID id) {
    return dsl.fetchExists(
        TRAINING_DATASETS, TRAINING_DATASETS.TENANT_ID.eq(tenant), TRAINING_DATASETS.ID.eq(id));
  }

  /** Makes a dataset that is to be counted. */
  void insert(DSLContext tx, UUID tenant, UUID id, TrainingDataset dataset) {
    tx.insertInto(TRAINING_DATASETS)
        .set(TRAINING_DATASETS.TENANT_ID, tenant)
        .set(TRAINING_DATASETS.ID, id)
        .set(TRAINING_DATASETS.DATASET_TYPE, dataset.getDatasetType())
        .set(TRAINING_DATASETS.THRESHOLD, dataset.getThreshold())
        .set(TRAINING_DATASETS.QUALITY_BOUND, dataset.getQualityBound())
        .set(TRAINING_DATASETS.COMPLETENESS_WEIGHT, dataset.getWeights().getCompleteness())
        .set(TRAINING_DATASETS.CONSISTENCY_WEIGHT, dataset.getWeights().getConsistency())
        .set(TRAINING_DATASETS.VALIDITY_WEIGHT, dataset.getWeights().getValidity())
        .set(TRAINING_DATASETS.SAMPLE_SIZE, dataset.getSampleSize())
        .set(TRAINING_DATASETS.FEATURES, dataset.getFeaturesList().toArray(String[]::new))
        .execute();
    tx.insertInto(DATASET_COUNTS)
        .set(DATASET_COUNTS.TENANT_ID, tenant)
        .set(DATASET_COUNTS.DATASET_ID, id)
        .set(DATASET_COUNTS.RECOUNT, true)
        .execute();
    insertSources(tx, tenant, id, dataset.getSourcesList());
  }

  void replaceSources(DSLContext tx, UUID tenant, UUID id, List<DatasetSource> sources) {
    tx.deleteFrom(DATASET_SOURCES)
        .where(DATASET_SOURCES.TENANT_ID.eq(tenant), DATASET_SOURCES.DATASET_ID.eq(id))
        .execute();
    insertSources(tx, tenant, id, sources);
  }

  private static void insertSources(
      DSLContext tx, UUID tenant, UUID id, List<DatasetSource> sources) {
    for (DatasetSource source : sources) {
      tx.insertInto(DATASET_SOURCES)
          .set(DATASET_SOURCES.TENANT_ID, tenant)
          .set(DATASET_SOURCES.DATASET_ID, id)
          .set(DATASET_SOURCES.EVENT_TYPE, source.getEventType())
          .set(
              DATASET_SOURCES.CONDITIONS,
              JSONB.valueOf(SourceJson.write(source.getConditionsList())))
          .execute();
    }
  }

  /** The tenant's head must be locked. */
  void update(DSLContext tx, UUID tenant, Dataset before, TrainingDataset after) {
    boolean refed = !before.proto().getSourcesList().equals(after.getSourcesList());
    tx.update(TRAINING_DATASETS)
        .set(TRAINING_DATASETS.THRESHOLD, after.getThreshold())
        .set(TRAINING_DATASETS.QUALITY_BOUND, after.getQualityBound())
        .set(TRAINING_DATASETS.COMPLETENESS_WEIGHT, after.getWeights().getCompleteness())
        .set(TRAINING_DATASETS.CONSISTENCY_WEIGHT, after.getWeights().getConsistency())
        .set(TRAINING_DATASETS.VALIDITY_WEIGHT, after.getWeights().getValidity())
        .set(TRAINING_DATASETS.SAMPLE_SIZE, after.getSampleSize())
        .set(TRAINING_DATASETS.FEATURES, after.getFeaturesList().toArray(String[]::new))
        .set(TRAINING_DATASETS.SOURCES_REVISION, before.sourcesRevision() + (refed ? 1 : 0))
        .set(TRAINING_DATASETS.REVISION, TRAINING_DATASETS.REVISION.plus(1))
        .set(TRAINING_DATASETS.UPDATED_AT, DSL.currentInstant())
        .where(TRAINING_DATASETS.TENANT_ID.eq(tenant), TRAINING_DATASETS.ID.eq(before.id()))
        .execute();
  }

  void delete(DSLContext tx, UUID tenant, UUID id) {
    try {
      tx.deleteFrom(TRAINING_DATASETS)
          .where(TRAINING_DATASETS.TENANT_ID.eq(tenant), TRAINING_DATASETS.ID.eq(id))
          .execute();
    } catch (DataAccessException e) {
      if ("23503".equals(e.sqlState())) {
        throw ServiceException.failedPrecondition(
                ErrorReason.RESOURCE_IN_USE, "trainings refer to the dataset")
            .with("id", id.toString());
      }
      throw e;
    }
  }
}
