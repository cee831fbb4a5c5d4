package io.rapport.tracking.event;

import com.google.protobuf.Timestamp;
import io.rapport.identity.UserStore;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Times;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.tracking.property.DeclaredProperty;
import io.rapport.tracking.property.PropertyStore;
import io.rapport.tracking.v1.EventFilter;
import io.rapport.tracking.v1.EventProperty;
import io.rapport.tracking.v1.EventTimeRange;
import io.rapport.tracking.v1.EventTimeRange.Clock;
import io.rapport.tracking.v1.PropertyFilter;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/**
 * An event filter with its users and properties looked up.
 *
 * @param users whose events; null: anybody's
 * @param from the first instant; null: from the beginning
 * @param to the first instant after; null: without end
 */
record EventQuery(
    @Nullable Set<UUID> users,
    List<String> types,
    Clock clock,
    @Nullable Instant from,
    @Nullable Instant to,
    List<PropertyCondition> properties) {

  /** A condition on a property that is declared. */
  record PropertyCondition(DeclaredProperty property, PropertyFilter filter) {}

  /** Looks up the users and properties that a filter names. */
  record Resolver(UserStore users, PropertyStore properties) {
    EventQuery resolve(DSLContext dsl, UUID tenant, EventFilter filter) {
      EventTimeRange time = filter.getTime();
      return new EventQuery(
          users(dsl, tenant, filter),
          filter.getEventTypesList(),
          time.getClock() == Clock.CLOCK_UNSPECIFIED ? Clock.OCCURRED_AT : time.getClock(),
          time.hasFrom() ? instant(time.getFrom(), "filter.time.from") : null,
          time.hasTo() ? instant(time.getTo(), "filter.time.to") : null,
          conditions(dsl, tenant, filter.getPropertiesList()));
    }

    private @Nullable Set<UUID> users(DSLContext dsl, UUID tenant, EventFilter filter) {
      Optional<UUID> user =
          switch (filter.getUserCase()) {
            case USER_ID -> Optional.of(UUID.fromString(filter.getUserId()));
            case IDENTITY -> users.find(dsl, tenant, filter.getIdentity());
            case USER_NOT_SET -> null;
          };
      if (user == null) {
        return null;
      }
      return user.map(id -> users.person(dsl, tenant, id)).orElse(Set.of());
    }

    private List<PropertyCondition> conditions(
        DSLContext dsl, UUID tenant, List<PropertyFilter> filters) {
      List<PropertyCondition> conditions = new ArrayList<>(filters.size());
      for (int i = 0; i < filters.size(); i++) {
        PropertyFilter filter = filters.get(i);
        String field = "filter.properties[" + i + "]";
        DeclaredProperty property =
            properties.require(dsl, tenant, filter.getName(), field + ".name");
        requireType(property, filter, field);
        conditions.add(new PropertyCondition(property, filter));
      }
      return conditions;
    }

    private static void requireType(
        DeclaredProperty property, PropertyFilter filter, String field) {
      EventProperty.Type asked =
          switch (filter.getConditionCase()) {
            case STRINGS -> EventProperty.Type.STRING;
            case NUMBER -> EventProperty.Type.NUMBER;
            case BOOLEAN, CONDITION_NOT_SET -> EventProperty.Type.BOOLEAN;
          };
      if (asked != property.type()) {
        throw ServiceException.invalid(
            field, ErrorReason.PROPERTY_TYPE_MISMATCH, "the property's type is " + property.type());
      }
    }

    private static Instant instant(Timestamp time, String field) {
      if (!Times.isValid(time)) {
        throw ServiceException.invalid(
            field, ErrorReason.INVALID_FIELD, "must be an instant from year 1 to 9999");
      }
      return Times.instant(time);
    }
  }
}
