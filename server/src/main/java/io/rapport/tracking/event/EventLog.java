package io.rapport.tracking.event;

import io.rapport.identity.UserStore;
import io.rapport.platform.Caller;
import io.rapport.platform.TenantDb;
import io.rapport.tracking.event.EventLogStore.Recorded;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jooq.DSLContext;

/**
 * Records a tenant's events, many in one commit: each id once, for ever.
 *
 * <p>An id that is taken shows itself by not being inserted. Whether it is a duplicate or a
 * conflict is then read by a second statement, because the row that was in the way may have been
 * committed only after the first one began, and is invisible to it.
 */
final class EventLog {
  private final TenantDb db;
  private final UserStore users;
  private final EventLogStore store;

  EventLog(TenantDb db, UserStore users, EventLogStore store) {
    this.db = db;
    this.users = users;
    this.store = store;
  }

  /** Records what can be recorded: one decision for each event, in the same order. */
  List<Decision> record(Caller.Tenant tenant, List<IncomingEvent> events) {
    EventBatch batch = new EventBatch(events);
    batch.setUsers(users, tenant.id());
    if (batch.hasAllUsers() && EventLogStore.fitsOneStatement(batch.size())) {
      db.autoCommit(tenant.id(), connection -> insert(connection, tenant.id(), batch));
    } else {
      db.transaction(tenant.id(), connection -> insertWithUsers(connection, tenant.id(), batch));
      batch.rememberUsers(users, tenant.id());
    }
    return batch.decisions();
  }

  /**
   * Records all events or, if one of them is refused or a conflict, none.
   *
   * @throws NotRecordedException with the decisions, if none was recorded
   */
  List<Decision> recordAll(Caller.Tenant tenant, List<IncomingEvent> events) {
    EventBatch batch = new EventBatch(events);
    batch.setUsers(users, tenant.id());
    db.transaction(
        tenant.id(),
        connection -> {
          insertWithUsers(connection, tenant.id(), batch);
          if (!batch.decisions().stream().allMatch(Decision::isAccepted)) {
            throw new NotRecordedException(batch.decisions());
          }
          return batch;
        });
    batch.rememberUsers(users, tenant.id());
    return batch.decisions();
  }

  /** What {@link #record} would decide; changes nothing. */
  List<Decision> judge(Caller.Tenant tenant, List<IncomingEvent> events) {
    EventBatch batch = new EventBatch(events);
    batch.setUsers(users, tenant.id());
    return db.read(
        tenant.id(),
        dsl -> {
          batch.refuseUnknownUsers(users.existing(dsl, tenant.id(), batch.missingUserIds()));
          batch.setTaken(store.findRecorded(dsl, tenant.id(), batch.undecidedIds()));
          batch.setRecorded(0);
          return batch.decisions();
        });
  }

  /**
   * What {@link #recordAll} would decide; changes nothing.
   *
   * @throws NotRecordedException with the decisions, if none would be recorded
   */
  List<Decision> judgeAll(Caller.Tenant tenant, List<IncomingEvent> events) {
    List<Decision> decisions = judge(tenant, events);
    if (!decisions.stream().allMatch(Decision::isAccepted)) {
      throw new NotRecordedException(decisions);
    }
    return decisions;
  }

  private EventBatch insertWithUsers(Connection connection, UUID tenant, EventBatch batch)
      throws SQLException {
    if (!batch.hasAllUsers()) {
      DSLContext tx = TenantDb.dsl(connection);
      batch.refuseUnknownUsers(users.existing(tx, tenant, batch.missingUserIds()));
      batch.setUsers(users.findOrMake(tx, tenant, batch.missingIdentities()));
    }
    return insert(connection, tenant, batch);
  }

  private EventBatch insert(Connection connection, UUID tenant, EventBatch batch)
      throws SQLException {
    EventLogStore.Inserted inserted = store.insert(connection, tenant, batch.undecided());
    if (!inserted.taken().isEmpty()) {
      Map<UUID, Recorded> recorded =
          store.findRecorded(TenantDb.dsl(connection), tenant, inserted.taken());
      if (recorded.size() < inserted.taken().size()) {
        throw new IllegalStateException(
            "an id is taken, but what is recorded under it is not there");
      }
      batch.setTaken(recorded);
    }
    batch.setRecorded(inserted.recordedMicros());
    return batch;
  }

  /** Nothing was recorded, because not all could be. */
  static final class NotRecordedException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final transient List<Decision> decisions;

    private NotRecordedException(List<Decision> decisions) {
      super("not all events can be recorded", null, false, false);
      this.decisions = decisions;
    }

    List<Decision> decisions() {
      return decisions;
    }
  }
}
