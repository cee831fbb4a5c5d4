package io.rapport.tracking.event;

import io.rapport.platform.TenantDb;
import io.rapport.platform.watch.LoggedChange;
import io.rapport.platform.watch.Presenter;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.WatchEventsResponse;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Tells the events of a watch whole.
 *
 * @param present how an event is shown
 */
record WatchedEvents(TenantDb db, EventStore events, UUID tenant, UnaryOperator<Event> present)
    implements Presenter<WatchEventsResponse> {
  private static final int MAX_BYTES = 1024 * 1024;

  /** So many of the largest are as much as a watch may hold. */
  private static final int READ_AT_ONCE = 50;

  @Override
  public void present(
      List<LoggedChange> changes,
      Function<LoggedChange, String> cursor,
      Consumer<WatchEventsResponse> out) {
    WatchEventsResponse.Builder message = WatchEventsResponse.newBuilder();
    int bytes = 0;
    for (int from = 0; from < changes.size(); from += READ_AT_ONCE) {
      List<LoggedChange> some =
          changes.subList(from, Math.min(from + READ_AT_ONCE, changes.size()));
      Map<UUID, Event> found = read(some);
      for (LoggedChange change : some) {
        Event event = found.get(change.entity());
        if (event != null) {
          Event shown = present.apply(event);
          message.addEvents(shown);
          bytes += shown.getSerializedSize();
        }
        if (bytes > MAX_BYTES) {
          out.accept(message.setCursor(cursor.apply(change)).build());
          message.clear();
          bytes = 0;
        }
      }
    }
    if (message.getEventsCount() > 0) {
      out.accept(message.setCursor(cursor.apply(changes.getLast())).build());
    }
  }

  private Map<UUID, Event> read(List<LoggedChange> changes) {
    return db.read(
        tenant,
        dsl ->
            events.findAll(
                dsl,
                tenant,
                changes.stream().map(LoggedChange::entity).toList(),
                changes.stream().map(LoggedChange::changedAt).toList()));
  }

  @Override
  public WatchEventsResponse checkpoint(String cursor, boolean initialStateDone) {
    return WatchEventsResponse.newBuilder()
        .setCursor(cursor)
        .setCheckpoint(true)
        .setInitialStateDone(initialStateDone)
        .build();
  }
}
