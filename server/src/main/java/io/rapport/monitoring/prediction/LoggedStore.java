package io.rapport.monitoring.prediction;

import static io.rapport.db.generated.monitoring.Tables.PREDICTION_LOG;

import com.google.protobuf.ByteString;
import io.rapport.monitoring.v1.LoggedPrediction;
import io.rapport.monitoring.v1.LoggedPrediction.Severity;
import io.rapport.monitoring.v1.LoggedPredictionFilter;
import io.rapport.monitoring.v1.LoggedPredictionFilter.OutcomeState;
import io.rapport.monitoring.v1.Outcome;
import io.rapport.platform.RowPage;
import io.rapport.platform.TimePlace;
import io.rapport.platform.Times;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.JSONB;
import org.jooq.Record;
import org.jooq.ResultQuery;
import org.jooq.SelectField;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** Reads the prediction log in PostgreSQL. */
final class LoggedStore {
  private static final List<SelectField<?>> COLUMNS =
      List.of(
          PREDICTION_LOG.ID,
          PREDICTION_LOG.MODEL_NAME,
          PREDICTION_LOG.MODEL_VERSION,
          PREDICTION_LOG.PREDICTION_TYPE,
          PREDICTION_LOG.SEGMENT,
          PREDICTION_LOG.PREDICTION_VALUE,
          PREDICTION_LOG.PREDICTED_CLASS,
          PREDICTION_LOG.PREDICTION_RESULT,
          PREDICTION_LOG.INPUT_FEATURES,
          PREDICTION_LOG.CONFIDENCE_SCORE,
          PREDICTION_LOG.ANOMALY_SCORE,
          PREDICTION_LOG.IS_ANOMALY,
          PREDICTION_LOG.SEVERITY,
          PREDICTION_LOG.RESPONSE_TIME_MS,
          PREDICTION_LOG.USER_ID,
          PREDICTION_LOG.SOURCE_REQUEST_ID,
          PREDICTION_LOG.CACHE_ENTRY_ID,
          PREDICTION_LOG.PREDICTED_AT,
          PREDICTION_LOG.RECORDED_AT,
          PREDICTION_LOG.OUTCOME_KIND,
          PREDICTION_LOG.ACTUAL_VALUE,
          PREDICTION_LOG.ACTUAL_CLASS,
          PREDICTION_LOG.OCCURRED,
          PREDICTION_LOG.ACTUAL_OUTCOME,
          PREDICTION_LOG.OBSERVED_AT,
          PREDICTION_LOG.ERROR,
          PREDICTION_LOG.ACCURACY_SCORE,
          PREDICTION_LOG.VALIDATED_AT,
          PREDICTION_LOG.CORRECTION_REASON,
          PREDICTION_LOG.ACTIVE);

  /**
   * Which predictions, from where, in which direction, and how they are shown.
   *
   * @param people whose; null: anybody's
   * @param present decides how large the page gets
   */
  record Listing(
      LoggedPredictionFilter filter,
      @Nullable Collection<UUID> people,
      boolean newestFirst,
      @Nullable TimePlace after,
      int size,
      UnaryOperator<LoggedPrediction> present) {}

  /** One prediction, with JSON as bytes. */
  Optional<LoggedPrediction> find(DSLContext dsl, UUID tenant, UUID id) {
    return dsl.select(COLUMNS)
        .from(PREDICTION_LOG)
        .where(PREDICTION_LOG.TENANT_ID.eq(tenant), PREDICTION_LOG.ID.eq(id))
        .fetchOptional(LoggedStore::proto);
  }

  /** The next predictions: as many as asked for, or fewer, so that the page is not too large. */
  RowPage<LoggedPrediction> list(DSLContext tx, UUID tenant, Listing listing) {
    return RowPage.read(
        select(tx, tenant, listing), listing.size(), row -> listing.present().apply(proto(row)));
  }

  private static ResultQuery<? extends Record> select(DSLContext tx, UUID tenant, Listing listing) {
    var matching =
        tx.select(COLUMNS)
            .from(PREDICTION_LOG)
            .where(PREDICTION_LOG.TENANT_ID.eq(tenant))
            .and(matches(listing.filter()))
            .and(isOf(listing.people()))
            .and(isAfter(listing));
    return (listing.newestFirst()
            ? matching.orderBy(PREDICTION_LOG.PREDICTED_AT.desc(), PREDICTION_LOG.ID.desc())
            : matching.orderBy(PREDICTION_LOG.PREDICTED_AT, PREDICTION_LOG.ID))
        .limit(listing.size() + 1);
  }

  private static Condition isAfter(Listing listing) {
    TimePlace after = listing.after();
    if (after == null) {
      return DSL.noCondition();
    }
    var place = DSL.row(PREDICTION_LOG.PREDICTED_AT, PREDICTION_LOG.ID);
    return listing.newestFirst()
        ? place.lt(after.time(), after.id())
        : place.gt(after.time(), after.id());
  }

  private static Condition isOf(@Nullable Collection<UUID> people) {
    if (people == null) {
      return DSL.noCondition();
    }
    return people.size() == 1
        ? PREDICTION_LOG.USER_ID.eq(people.iterator().next())
        : PREDICTION_LOG.USER_ID.in(people);
  }

  private static Condition matches(LoggedPredictionFilter filter) {
    Condition all = equal(PREDICTION_LOG.MODEL_NAME, filter.getModelName());
    all = all.and(equal(PREDICTION_LOG.MODEL_VERSION, filter.getModelVersion()));
    all = all.and(equal(PREDICTION_LOG.SEGMENT, filter.getSegment()));
    if (filter.hasFrom()) {
      all = all.and(PREDICTION_LOG.PREDICTED_AT.ge(Times.instant(filter.getFrom())));
    }
    if (filter.hasTo()) {
      all = all.and(PREDICTION_LOG.PREDICTED_AT.lt(Times.instant(filter.getTo())));
    }
    if (filter.getAnomaliesOnly()) {
      all = all.and(PREDICTION_LOG.IS_ANOMALY);
    }
    if (filter.getOutcomeState() == OutcomeState.WITH_OUTCOME) {
      all = all.and(PREDICTION_LOG.OUTCOME_KIND.isNotNull());
    } else if (filter.getOutcomeState() == OutcomeState.WITHOUT_OUTCOME) {
      all = all.and(PREDICTION_LOG.OUTCOME_KIND.isNull());
    }
    return all;
  }

  private static Condition equal(Field<String> column, String value) {
    return value.isEmpty() ? DSL.noCondition() : column.eq(value);
  }

  private static LoggedPrediction proto(Record row) {
    LoggedPrediction.Builder told =
        LoggedPrediction.newBuilder()
            .setId(row.get(PREDICTION_LOG.ID).toString())
            .setModelName(row.get(PREDICTION_LOG.MODEL_NAME))
            .setModelVersion(row.get(PREDICTION_LOG.MODEL_VERSION))
            .setPredictionType(row.get(PREDICTION_LOG.PREDICTION_TYPE))
            .setSegment(row.get(PREDICTION_LOG.SEGMENT))
            .setPredictionValue(row.get(PREDICTION_LOG.PREDICTION_VALUE))
            .setIsAnomaly(row.get(PREDICTION_LOG.IS_ANOMALY))
            .setSeverity(Severity.valueOf(row.get(PREDICTION_LOG.SEVERITY)))
            .setPredictedAt(Times.proto(row.get(PREDICTION_LOG.PREDICTED_AT)))
            .setRecordedAt(Times.proto(row.get(PREDICTION_LOG.RECORDED_AT)))
            .setActive(row.get(PREDICTION_LOG.ACTIVE));
    set(row, PREDICTION_LOG.PREDICTED_CLASS, told::setPredictedClass);
    setJson(row, PREDICTION_LOG.PREDICTION_RESULT, told::setPredictionResultJson);
    setJson(row, PREDICTION_LOG.INPUT_FEATURES, told::setInputFeaturesJson);
    set(row, PREDICTION_LOG.CONFIDENCE_SCORE, told::setConfidenceScore);
    set(row, PREDICTION_LOG.ANOMALY_SCORE, told::setAnomalyScore);
    set(row, PREDICTION_LOG.RESPONSE_TIME_MS, told::setResponseTimeMs);
    set(row, PREDICTION_LOG.USER_ID, it -> told.setUserId(it.toString()));
    set(row, PREDICTION_LOG.SOURCE_REQUEST_ID, told::setSourceRequestId);
    set(row, PREDICTION_LOG.CACHE_ENTRY_ID, it -> told.setCacheEntryId(it.toString()));
    if (row.get(PREDICTION_LOG.OUTCOME_KIND) != null) {
      told.setOutcome(outcome(row));
    }
    return told.build();
  }

  private static Outcome outcome(Record row) {
    Outcome.Builder told = Outcome.newBuilder();
    set(row, PREDICTION_LOG.ACTUAL_VALUE, told::setActualValue);
    set(row, PREDICTION_LOG.ACTUAL_CLASS, told::setActualClass);
    set(row, PREDICTION_LOG.OCCURRED, told::setOccurred);
    setJson(row, PREDICTION_LOG.ACTUAL_OUTCOME, told::setDetailsJson);
    set(row, PREDICTION_LOG.OBSERVED_AT, it -> told.setObservedAt(Times.proto(it)));
    set(row, PREDICTION_LOG.ERROR, told::setError);
    set(row, PREDICTION_LOG.ACCURACY_SCORE, told::setAccuracyScore);
    set(row, PREDICTION_LOG.VALIDATED_AT, it -> told.setValidatedAt(Times.proto(it)));
    set(row, PREDICTION_LOG.CORRECTION_REASON, told::setCorrectionReason);
    return told.build();
  }

  private static <T> void set(Record row, Field<T> column, Consumer<T> set) {
    T value = row.get(column);
    if (value != null) {
      set.accept(value);
    }
  }

  private static void setJson(Record row, Field<JSONB> column, Consumer<ByteString> set) {
    JSONB value = row.get(column);
    if (value != null) {
      set.accept(ByteString.copyFromUtf8(value.data()));
    }
  }
}
