package io.rapport.tracking.event;

import io.rapport.identity.UserStore;
import io.rapport.platform.Caller;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.ChangeLog;
import io.rapport.platform.Failures;
import io.rapport.platform.TenantDb;
import io.rapport.tracking.event.EventLogStore.Recorded;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jooq.DSLContext;

/**
 * Records events, many in one commit: each id once, for ever.
 *
 * <p>An id that is taken shows itself by not being inserted. Whether it is a duplicate or a
 * conflict is then read by a second statement, because the row that was in the way may have been
 * committed only after the first one began, and is invisible to it.
 */
final class EventLog {
  private final TenantDb db;
  private final ChangeLog changes;
  private final UserStore users;
  private final EventLogStore store;

  EventLog(TenantDb db, ChangeLog changes, UserStore users, EventLogStore store) {
    this.db = db;
    this.changes = changes;
    this.users = users;
    this.store = store;
  }

  /** Records what can be recorded, and decides each event. */
  void record(EventBatch batch) {
    if (batch.isShareable() && EventLogStore.fitsOneStatement(batch.size())) {
      recordTogether(List.of(batch));
    } else {
      db.transaction(batch.tenant(), connection -> insertWithUsers(connection, batch));
      batch.rememberUsers(users);
      changes.committed(batch.tenant());
    }
  }

  EventBatch batch(Caller.Tenant tenant, List<IncomingEvent> events) {
    EventBatch batch = new EventBatch(tenant.id(), events);
    batch.setUsers(users);
    return batch;
  }

  /** Records batches, all users of which are known, by one statement: all of it, or nothing. */
  void recordTogether(List<EventBatch> batches) {
    List<UUID> tenants = batches.stream().map(EventBatch::tenant).distinct().toList();
    db.recording(tenants, connection -> insertAtOnce(connection, batches));
    tenants.forEach(changes::committed);
  }

  /**
   * Records all events or, if one of them is refused or a conflict, none.
   *
   * @throws NotRecordedException with the decisions, if none was recorded
   */
  List<Decision> recordAll(Caller.Tenant tenant, List<IncomingEvent> events) {
    EventBatch batch = batch(tenant, events);
    db.transaction(
        tenant.id(),
        connection -> {
          insertWithUsers(connection, batch);
          if (!batch.decisions().stream().allMatch(Decision::isAccepted)) {
            throw new NotRecordedException(batch.decisions());
          }
          return batch;
        });
    batch.rememberUsers(users);
    changes.committed(batch.tenant());
    return batch.decisions();
  }

  /** What {@link #record} would decide; changes nothing. */
  List<Decision> judge(Caller.Tenant tenant, List<IncomingEvent> events) {
    EventBatch batch = batch(tenant, events);
    return db.read(
        tenant.id(),
        dsl -> {
          batch.refuseUnknownUsers(users.existing(dsl, tenant.id(), batch.missingUserIds()));
          batch.setTaken(store.findRecorded(dsl, batch.undecidedKeys()));
          batch.setRecorded(0);
          batch.setRejectedTaken(findRecorded(dsl, batch.rejectedKeys()));
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

  private List<EventBatch> insertWithUsers(Connection connection, EventBatch batch)
      throws SQLException {
    if (batch.isShareable()) {
      return insert(connection, List.of(batch));
    }
    DSLContext tx = TenantDb.dsl(connection);
    batch.refuseUnknownUsers(users.existing(tx, batch.tenant(), batch.missingUserIds()));
    UserStore.Found found = users.findOrMake(tx, batch.tenant(), batch.missingIdentities());
    batch.setUsers(found.users());
    List<Change> also = found.changes();
    if (batch.isPlain()) {
      insert(connection, List.of(batch));
    } else {
      also.addAll(insertAndQuarantine(connection, batch));
    }
    batch.setPosition(changes.append(tx, batch.tenant(), also));
    return List.of(batch);
  }

  /** Returns that events were quarantined, for the log. */
  private List<Change> insertAndQuarantine(Connection connection, EventBatch batch)
      throws SQLException {
    List<EventBatch.Suspect> suspects = batch.suspects();
    EventLogStore.Inserted inserted =
        store.insertAndQuarantine(connection, batch.undecided(), suspects);
    settle(connection, inserted, List.of(batch));
    batch.setRejectedTaken(findRecorded(TenantDb.dsl(connection), batch.rejectedKeys()));
    Set<EventKey> taken = Set.copyOf(inserted.taken());
    return suspects.stream()
        .filter(it -> !taken.contains(it.key()))
        .map(it -> new Change(QuarantineStore.KIND, Op.CREATED, it.event().id(), null, 1))
        .toList();
  }

  /** What is inserted is committed, and must be told so when what follows fails. */
  private List<EventBatch> insertAtOnce(Connection connection, List<EventBatch> batches)
      throws SQLException {
    EventLogStore.Inserted inserted = store.insert(connection, undecided(batches));
    try {
      settle(connection, inserted, batches);
    } catch (RuntimeException e) {
      throw inserted.positions().isEmpty() ? e : Failures.unknownOutcome();
    }
    return batches;
  }

  private static List<EventBatch.Entry> undecided(List<EventBatch> batches) {
    return batches.stream().flatMap(batch -> batch.undecided().stream()).toList();
  }

  private List<EventBatch> insert(Connection connection, List<EventBatch> batches)
      throws SQLException {
    settle(connection, store.insert(connection, undecided(batches)), batches);
    return batches;
  }

  private void settle(
      Connection connection, EventLogStore.Inserted inserted, List<EventBatch> batches) {
    Map<EventKey, Recorded> recorded = findTaken(connection, inserted);
    for (EventBatch batch : batches) {
      batch.setTaken(recorded);
      batch.setRecorded(inserted.recordedMicros());
      batch.setPosition(inserted.positions().getOrDefault(batch.tenant(), 0L));
    }
  }

  private Map<EventKey, Recorded> findRecorded(DSLContext dsl, Collection<EventKey> keys) {
    return keys.isEmpty() ? Map.of() : store.findRecorded(dsl, keys);
  }

  private Map<EventKey, Recorded> findTaken(
      Connection connection, EventLogStore.Inserted inserted) {
    List<EventKey> taken = inserted.taken();
    if (taken.isEmpty()) {
      return Map.of();
    }
    DSLContext dsl = TenantDb.dsl(connection);
    boolean commitsSomething = !inserted.positions().isEmpty(); // and so what came before it
    Map<EventKey, Recorded> recorded =
        commitsSomething ? store.findRecorded(dsl, taken) : store.findReplicated(dsl, taken);
    if (recorded.size() < taken.size()) {
      throw new IllegalStateException("an id is taken, but what is recorded under it is not there");
    }
    return recorded;
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
