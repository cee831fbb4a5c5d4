package io.rapport.client;

import com.github.f4b6a3.uuid.UuidCreator;
import io.rapport.tracking.v1.Event;

/**
 * Gives events the ids that make recording them repeatable. The SDK does so by itself; who wants to
 * send an event again after a failure gives it its id before the first try.
 */
public final class EventIds {
  private EventIds() {}

  /** The event with a new UUIDv7 as id, or as it is if it has one. */
  public static Event identified(Event event) {
    return event.getId().isEmpty() ? event.toBuilder().setId(next()).build() : event;
  }

  static String next() {
    return UuidCreator.getTimeOrderedEpochPlus1().toString();
  }
}
