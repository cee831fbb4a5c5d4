package io.rapport.tracking.event;

import io.grpc.ServerServiceDefinition;
import io.rapport.identity.UserStore;
import io.rapport.platform.ChangeLog;
import io.rapport.platform.ChangeSubscriber;
import io.rapport.platform.Rpcs;
import io.rapport.platform.TenantDb;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.json.Json;
import io.rapport.platform.watch.EventSource;
import io.rapport.platform.watch.InitialState;
import io.rapport.platform.watch.Watches;
import io.rapport.tracking.contract.Contracts;
import io.rapport.tracking.property.PropertyStore;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Builds what belongs to events. */
public final class EventFeature implements AutoCloseable {
  private final EventRecorder recorder;
  private final EventService events;
  private final QuarantineService quarantine;

  /**
   * @param writers how many batches of events are written at a time
   */
  public EventFeature(
      TenantDb db,
      UnitOfWork work,
      ChangeLog changes,
      UserStore users,
      PropertyStore properties,
      Contracts contracts,
      Watches watches,
      int writers) {
    EventLogStore store = new EventLogStore(EventSql.of(changes));
    EventLog log = new EventLog(db, changes, users, store);
    this.recorder = new EventRecorder(log, writers);
    EventQuery.Resolver queries = new EventQuery.Resolver(users, properties);
    this.events = new EventService(db, log, recorder, contracts, queries, watches);
    this.quarantine =
        new QuarantineService(db, work, contracts, new QuarantineRelease(users, store));
  }

  /** Makes texts of events documents as they are recorded. */
  public static ChangeSubscriber texts() {
    return new TextSubscriber();
  }

  /** The events behind the log of changes. */
  public static EventSource source() {
    return new WatchedEventStore();
  }

  /** The events that are there, recorded or in quarantine. */
  public static List<InitialState> initialStates() {
    return List.of(new WatchedEventStore(), QuarantineStore.initialState());
  }

  /** The data of a recorded event, as plain values. */
  public static Map<String, @Nullable Object> data(byte[] json) {
    return Json.parseStored(json);
  }

  public List<ServerServiceDefinition> services(Rpcs rpcs) {
    return List.of(events.bind(rpcs), quarantine.bind(rpcs));
  }

  @Override
  public void close() {
    recorder.close();
  }
}
