package io.rapport.tracking.event;

import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.tracking.property.DeclaredProperty;
import io.rapport.tracking.property.PropertyStore;
import io.rapport.tracking.v1.EventGrouping;
import io.rapport.tracking.v1.TimeBucket;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jooq.DSLContext;

/** What events are counted by. */
sealed interface Grouping {
  record ByType() implements Grouping {}

  record ByUser() implements Grouping {}

  record ByTime(TimeBucket.Unit unit, String zone) implements Grouping {}

  record ByProperty(DeclaredProperty property) implements Grouping {}

  /** Looks up the properties that a request groups by. */
  static List<Grouping> resolve(
      DSLContext dsl, UUID tenant, PropertyStore properties, List<EventGrouping> asked) {
    List<Grouping> groupings = new ArrayList<>(asked.size());
    for (int i = 0; i < asked.size(); i++) {
      String field = "group_by[" + i + "]";
      EventGrouping grouping = asked.get(i);
      groupings.add(
          switch (grouping.getByCase()) {
            case EVENT_TYPE -> new ByType();
            case USER -> new ByUser();
            case TIME ->
                new ByTime(
                    grouping.getTime().getUnit(),
                    zone(grouping.getTime().getTimeZone(), field + ".time.time_zone"));
            case PROPERTY ->
                new ByProperty(
                    properties.require(dsl, tenant, grouping.getProperty(), field + ".property"));
            case BY_NOT_SET -> throw new IllegalStateException("the rules need a grouping");
          });
    }
    return groupings;
  }

  private static String zone(String asked, String field) {
    String zone = asked.isEmpty() ? "UTC" : asked;
    if (!ZoneId.getAvailableZoneIds().contains(zone)) {
      throw ServiceException.invalid(
          field, ErrorReason.TIME_ZONE_UNKNOWN, "is not a time zone of the IANA database");
    }
    return zone;
  }
}
