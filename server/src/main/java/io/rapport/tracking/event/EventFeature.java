package io.rapport.tracking.event;

import io.grpc.ServerServiceDefinition;
import io.rapport.identity.UserStore;
import io.rapport.platform.ChangeLog;
import io.rapport.platform.Rpcs;
import io.rapport.platform.TenantDb;
import io.rapport.platform.watch.EventSource;
import io.rapport.platform.watch.InitialState;
import io.rapport.platform.watch.Watches;
import io.rapport.tracking.property.PropertyStore;

/** Builds what belongs to events. */
public final class EventFeature implements AutoCloseable {
  private final EventRecorder recorder;
  private final EventService service;

  /**
   * @param writers how many batches of events are written at a time
   */
  public EventFeature(
      TenantDb db,
      ChangeLog changes,
      UserStore users,
      PropertyStore properties,
      Watches watches,
      int writers) {
    EventLog log = new EventLog(db, changes, users, new EventLogStore(EventSql.of(changes)));
    this.recorder = new EventRecorder(log, writers);
    this.service =
        new EventService(db, log, recorder, new EventQuery.Resolver(users, properties), watches);
  }

  /** The events behind the log of changes. */
  public static EventSource source() {
    return new WatchedEventStore();
  }

  /** The events that are there. */
  public static InitialState initialState() {
    return new WatchedEventStore();
  }

  public ServerServiceDefinition service(Rpcs rpcs) {
    return service.bind(rpcs);
  }

  @Override
  public void close() {
    recorder.close();
  }
}
