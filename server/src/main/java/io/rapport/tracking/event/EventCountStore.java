package io.rapport.tracking.event;

import static io.rapport.db.generated.identity.Tables.USER_ALIASES;
import static io.rapport.db.generated.tracking.Tables.BEHAVIORAL_EVENTS;
import static io.rapport.db.generated.tracking.Tables.EVENT_PROPERTY_VALUES;

import io.rapport.db.generated.tracking.tables.EventPropertyValues;
import io.rapport.platform.Times;
import io.rapport.tracking.event.Grouping.ByProperty;
import io.rapport.tracking.event.Grouping.ByTime;
import io.rapport.tracking.event.Grouping.ByType;
import io.rapport.tracking.event.Grouping.ByUser;
import io.rapport.tracking.property.DeclaredProperty;
import io.rapport.tracking.v1.EventCount;
import io.rapport.tracking.v1.GroupKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Record;
import org.jooq.Table;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** Counts events in PostgreSQL. */
final class EventCountStore {
  /** How many events of a query are in each group; the first groups by the order of their keys. */
  List<EventCount> count(
      DSLContext dsl, UUID tenant, EventQuery query, List<Grouping> groupings, int limit) {
    Table<?> from = BEHAVIORAL_EVENTS;
    List<Field<?>> keys = new ArrayList<>();
    List<Field<?>> places = new ArrayList<>();
    for (Grouping grouping : groupings) {
      Source source = source(from, tenant, query, grouping, keys.size());
      from = source.from();
      keys.add(source.key());
      places.add(DSL.inline(keys.size()));
    }
    return dsl.select(keys)
        .select(DSL.count())
        .from(from)
        .where(EventStore.matches(tenant, query))
        .groupBy(places)
        .orderBy(places)
        .limit(limit)
        .fetch(row -> toProto(row, groupings));
  }

  /** What to read for a key, and the key. */
  private record Source(Table<?> from, Field<?> key) {}

  private static Source source(
      Table<?> from, UUID tenant, EventQuery query, Grouping grouping, int index) {
    return switch (grouping) {
      case ByType _ -> new Source(from, BEHAVIORAL_EVENTS.EVENT_TYPE);
      case ByUser _ -> byUser(from, tenant, index);
      case ByTime time -> new Source(from, span(query, time));
      case ByProperty(DeclaredProperty property) -> byProperty(from, tenant, property, index);
    };
  }

  private static Source byUser(Table<?> from, UUID tenant, int index) {
    var aliases = USER_ALIASES.as("alias_" + index);
    Table<?> joined =
        from.leftJoin(aliases)
            .on(aliases.TENANT_ID.eq(tenant), aliases.ALIAS_USER_ID.eq(BEHAVIORAL_EVENTS.USER_ID));
    return new Source(joined, DSL.coalesce(aliases.USER_ID, BEHAVIORAL_EVENTS.USER_ID));
  }

  private static Field<Instant> span(EventQuery query, ByTime time) {
    Field<Instant> clock = EventStore.clock(query.clock());
    return DSL.field(
        "date_trunc({0}, {1}, {2})",
        clock.getDataType(),
        DSL.inline(time.unit().name().toLowerCase(Locale.ROOT)),
        clock,
        DSL.inline(time.zone()));
  }

  private static Source byProperty(
      Table<?> from, UUID tenant, DeclaredProperty property, int index) {
    EventPropertyValues values = EVENT_PROPERTY_VALUES.as("value_" + index);
    Table<?> joined =
        from.leftJoin(values)
            .on(
                values.TENANT_ID.eq(tenant),
                values.PROPERTY_ID.eq(property.id()),
                values.EVENT_ID.eq(BEHAVIORAL_EVENTS.ID),
                values.RECORDED_AT.eq(BEHAVIORAL_EVENTS.RECORDED_AT));
    return new Source(
        joined,
        switch (property.type()) {
          case NUMBER -> values.NUMBER_VALUE;
          case BOOLEAN -> values.BOOLEAN_VALUE;
          case STRING, TYPE_UNSPECIFIED, UNRECOGNIZED -> values.TEXT_VALUE;
        });
  }

  private static EventCount toProto(Record row, List<Grouping> groupings) {
    EventCount.Builder group = EventCount.newBuilder();
    for (int i = 0; i < groupings.size(); i++) {
      group.addKeys(key(row.get(i), groupings.get(i)));
    }
    return group.setCount(row.get(groupings.size(), Long.class)).build();
  }

  private static GroupKey key(@Nullable Object value, Grouping grouping) {
    GroupKey.Builder key = GroupKey.newBuilder();
    return switch (value) {
      case null -> key.build();
      case UUID user -> key.setUserId(user.toString()).build();
      case Instant start -> key.setTime(Times.proto(start)).build();
      case Double number -> key.setNumberValue(number).build();
      case Boolean bool -> key.setBooleanValue(bool).build();
      case String text when grouping instanceof ByType -> key.setEventType(text).build();
      case String text -> key.setStringValue(text).build();
      default -> throw new IllegalStateException("no key: " + value.getClass());
    };
  }
}
