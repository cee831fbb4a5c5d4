package io.rapport.tracking.event;

import static io.rapport.db.generated.tracking.Tables.BEHAVIORAL_EVENTS;
import static io.rapport.db.generated.tracking.Tables.EVENT_IDS;
import static io.rapport.db.generated.tracking.Tables.EVENT_PROPERTY_VALUES;

import com.google.protobuf.ByteString;
import io.rapport.platform.RowPage;
import io.rapport.platform.TimePlace;
import io.rapport.platform.Times;
import io.rapport.tracking.event.EventQuery.PropertyCondition;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventTimeRange.Clock;
import io.rapport.tracking.v1.NumberRange;
import io.rapport.tracking.v1.PropertyFilter;
import java.time.Instant;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
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

/** Reads events from PostgreSQL. */
final class EventStore {
  private static final List<SelectField<?>> COLUMNS =
      List.of(
          BEHAVIORAL_EVENTS.ID,
          BEHAVIORAL_EVENTS.USER_ID,
          BEHAVIORAL_EVENTS.EVENT_TYPE,
          BEHAVIORAL_EVENTS.EVENT_DATA,
          BEHAVIORAL_EVENTS.EVENT_TEXT,
          BEHAVIORAL_EVENTS.OCCURRED_AT,
          BEHAVIORAL_EVENTS.UTC_OFFSET_MINUTES,
          BEHAVIORAL_EVENTS.RECEIVED_AT,
          BEHAVIORAL_EVENTS.RECORDED_AT,
          BEHAVIORAL_EVENTS.CONTRACT_VERSION,
          BEHAVIORAL_EVENTS.VIOLATIONS);

  /** One event, with its data as JSON bytes and with its digest. */
  Optional<Event> find(DSLContext dsl, UUID tenant, UUID id) {
    return dsl.select(COLUMNS)
        .select(EVENT_IDS.DIGEST)
        .from(EVENT_IDS)
        .join(BEHAVIORAL_EVENTS)
        .on(
            BEHAVIORAL_EVENTS.TENANT_ID.eq(EVENT_IDS.TENANT_ID),
            BEHAVIORAL_EVENTS.ID.eq(EVENT_IDS.EVENT_ID),
            BEHAVIORAL_EVENTS.RECORDED_AT.eq(EVENT_IDS.RECORDED_AT))
        .where(EVENT_IDS.TENANT_ID.eq(tenant), EVENT_IDS.EVENT_ID.eq(id))
        .fetchOptional(row ->
            toProto(row).setDigest(HexFormat.of().formatHex(row.get(EVENT_IDS.DIGEST))).build());
  }

  /** Those of the events that are there, with their data as JSON bytes, by id. */
  Map<UUID, Event> findAll(DSLContext dsl, UUID tenant, List<UUID> ids, List<Instant> recordedAt) {
    Map<UUID, Event> found = new HashMap<>();
    dsl.select(COLUMNS)
        .from(BEHAVIORAL_EVENTS)
        .where(
            BEHAVIORAL_EVENTS.TENANT_ID.eq(tenant),
            isOneOf(BEHAVIORAL_EVENTS.ID, ids),
            isOneOf(BEHAVIORAL_EVENTS.RECORDED_AT, recordedAt.stream().distinct().toList()))
        .forEach(row -> found.put(row.get(BEHAVIORAL_EVENTS.ID), toProto(row).build()));
    return found;
  }

  /**
   * The next events of a query by its clock, with their data as JSON bytes: as many as asked for,
   * or fewer, so that the page is not too large.
   */
  RowPage<Event> list(DSLContext tx, UUID tenant, EventQuery query, Listing listing) {
    return RowPage.read(
        select(tx, tenant, query, listing),
        listing.size(),
        row -> listing.present().apply(toProto(row).build()));
  }

  /**
   * Where a page begins, in which direction it goes, and what it holds.
   *
   * @param present how the events are shown, which decides how large the page gets
   */
  record Listing(
      boolean newestFirst, @Nullable TimePlace after, int size, UnaryOperator<Event> present) {}

  private static ResultQuery<? extends Record> select(
      DSLContext tx, UUID tenant, EventQuery query, Listing listing) {
    Field<Instant> clock = clock(query.clock());
    var matching =
        tx.select(COLUMNS)
            .from(BEHAVIORAL_EVENTS)
            .where(matches(tenant, query))
            .and(isAfter(clock, listing));
    return (listing.newestFirst()
            ? matching.orderBy(clock.desc(), BEHAVIORAL_EVENTS.ID.desc())
            : matching.orderBy(clock, BEHAVIORAL_EVENTS.ID))
        .limit(listing.size() + 1);
  }

  private static Condition isAfter(Field<Instant> clock, Listing listing) {
    TimePlace after = listing.after();
    if (after == null) {
      return DSL.noCondition();
    }
    var place = DSL.row(clock, BEHAVIORAL_EVENTS.ID);
    return listing.newestFirst()
        ? place.lt(after.time(), after.id())
        : place.gt(after.time(), after.id());
  }

  /** The conditions of a query on the events of a tenant. */
  static Condition matches(UUID tenant, EventQuery query) {
    Field<Instant> clock = clock(query.clock());
    Condition all = BEHAVIORAL_EVENTS.TENANT_ID.eq(tenant);
    if (query.users() != null) {
      all = all.and(isOneOf(BEHAVIORAL_EVENTS.USER_ID, List.copyOf(query.users())));
    }
    if (!query.types().isEmpty()) {
      all = all.and(isOneOf(BEHAVIORAL_EVENTS.EVENT_TYPE, query.types()));
    }
    if (query.clock() == Clock.RECEIVED_AT) {
      all = all.and(clock.isNotNull());
    }
    if (query.from() != null) {
      all = all.and(clock.ge(query.from()));
    }
    if (query.to() != null) {
      all = all.and(clock.lt(query.to()));
    }
    for (PropertyCondition condition : query.properties()) {
      all = all.and(hasProperty(tenant, condition));
    }
    return all;
  }

  /** One value is an equality, which lets an index give the order; several are an array. */
  private static <T> Condition isOneOf(Field<T> field, List<T> values) {
    return values.size() == 1
        ? field.eq(values.getFirst())
        : field.eq(DSL.any(DSL.val(values.toArray(), field.getDataType().getArrayDataType())));
  }

  private static Condition hasProperty(UUID tenant, PropertyCondition condition) {
    var values = EVENT_PROPERTY_VALUES;
    return DSL.exists(
        DSL.selectOne()
            .from(values)
            .where(
                values.TENANT_ID.eq(tenant),
                values.PROPERTY_ID.eq(condition.property().id()),
                values.EVENT_ID.eq(BEHAVIORAL_EVENTS.ID),
                values.RECORDED_AT.eq(BEHAVIORAL_EVENTS.RECORDED_AT),
                holds(condition.filter())));
  }

  private static Condition holds(PropertyFilter filter) {
    var values = EVENT_PROPERTY_VALUES;
    return switch (filter.getConditionCase()) {
      case STRINGS -> isOneOf(values.TEXT_VALUE, filter.getStrings().getValuesList());
      case NUMBER -> isIn(values.NUMBER_VALUE, filter.getNumber());
      case BOOLEAN -> values.BOOLEAN_VALUE.eq(filter.getBoolean());
      case CONDITION_NOT_SET -> throw new IllegalStateException("the rules need a condition");
    };
  }

  private static Condition isIn(Field<Double> value, NumberRange range) {
    Condition min = range.hasMin() ? value.ge(range.getMin()) : DSL.noCondition();
    return range.hasMax() ? min.and(value.le(range.getMax())) : min;
  }

  static Field<Instant> clock(Clock clock) {
    return switch (clock) {
      case RECEIVED_AT -> BEHAVIORAL_EVENTS.RECEIVED_AT;
      case RECORDED_AT -> BEHAVIORAL_EVENTS.RECORDED_AT;
      case OCCURRED_AT, CLOCK_UNSPECIFIED, UNRECOGNIZED -> BEHAVIORAL_EVENTS.OCCURRED_AT;
    };
  }

  private static Event.Builder toProto(Record row) {
    Event.Builder event =
        Event.newBuilder()
            .setId(row.get(BEHAVIORAL_EVENTS.ID).toString())
            .setUserId(row.get(BEHAVIORAL_EVENTS.USER_ID).toString())
            .setEventType(row.get(BEHAVIORAL_EVENTS.EVENT_TYPE))
            .setOccurredAt(Times.proto(row.get(BEHAVIORAL_EVENTS.OCCURRED_AT)))
            .setRecordedAt(Times.proto(row.get(BEHAVIORAL_EVENTS.RECORDED_AT)));
    JSONB data = row.get(BEHAVIORAL_EVENTS.EVENT_DATA);
    if (data != null) {
      event.setDataJson(ByteString.copyFromUtf8(data.data()));
    }
    String text = row.get(BEHAVIORAL_EVENTS.EVENT_TEXT);
    if (text != null) {
      event.setText(text);
    }
    Short offset = row.get(BEHAVIORAL_EVENTS.UTC_OFFSET_MINUTES);
    if (offset != null) {
      event.setUtcOffsetMinutes(offset);
    }
    Instant received = row.get(BEHAVIORAL_EVENTS.RECEIVED_AT);
    if (received != null) {
      event.setReceivedAt(Times.proto(received));
    }
    JSONB violations = row.get(BEHAVIORAL_EVENTS.VIOLATIONS);
    if (violations != null) {
      event.addAllViolations(Stamp.parse(violations.data()));
    }
    Integer contract = row.get(BEHAVIORAL_EVENTS.CONTRACT_VERSION);
    if (contract != null) {
      event.setContractVersion(contract);
    }
    return event;
  }
}
