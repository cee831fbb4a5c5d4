package io.rapport.tracking.event;

import static java.util.stream.Collectors.toMap;

import com.google.protobuf.ByteString;
import com.google.rpc.BadRequest.FieldViolation;
import io.rapport.identity.UserStore;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Transaction;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.tracking.contract.Verdict;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.EventContract.Mode;
import io.rapport.tracking.v1.EventOutcome;
import io.rapport.tracking.v1.QuarantinedEvent;
import io.rapport.tracking.v1.Release;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Records events out of quarantine, all of them in the transaction that it is given. */
final class QuarantineRelease {
  private static final int MAX_TOLD = 100;

  private final UserStore users;
  private final EventLogStore log;
  private final QuarantineStore quarantine = new QuarantineStore();

  QuarantineRelease(UserStore users, EventLogStore log) {
    this.users = users;
    this.log = log;
  }

  List<EventOutcome> record(Transaction tx, EventReader reader, List<Release> releases) {
    List<UUID> ids = releases.stream().map(it -> UUID.fromString(it.getEventId())).toList();
    Map<UUID, QuarantinedEvent> held =
        quarantine.lock(tx.dsl(), tx.tenant(), ids).stream()
            .collect(toMap(it -> UUID.fromString(it.getEvent().getId()), it -> it));
    Obstacles obstacles = new Obstacles();
    List<IncomingEvent> events = new ArrayList<>();
    for (int i = 0; i < ids.size(); i++) {
      QuarantinedEvent event = held.get(ids.get(i));
      if (event == null) {
        throw ServiceException.notFound("quarantined event", ids.get(i).toString());
      }
      try {
        events.add(read(reader, event, releases.get(i)));
      } catch (ServiceException e) {
        obstacles.add(i, e);
      }
    }
    obstacles.requireNone();
    return record(tx, events, ids);
  }

  private static IncomingEvent read(EventReader reader, QuarantinedEvent held, Release release) {
    Event event = held.getEvent();
    ByteString digest = ByteString.copyFrom(HexFormat.of().parseHex(event.getDigest()));
    Event.Builder released = event.toBuilder();
    if (!event.hasOccurredAt()) {
      released.setOccurredAt(held.getQuarantinedAt());
    }
    return switch (release.getDataCase()) {
      case DATA_JSON -> corrected(reader, released.setDataJson(release.getDataJson()), digest);
      case DATA_STRUCT ->
          corrected(reader, released.setDataStruct(release.getDataStruct()), digest);
      case DATA_NOT_SET -> reader.readKept(released.build(), digest).released(digest);
    };
  }

  private static IncomingEvent corrected(
      EventReader reader, Event.Builder event, ByteString digest) {
    IncomingEvent read = reader.read(event.build());
    Verdict verdict = read.verdict();
    if (verdict != null && verdict.mode() != Mode.STAMP) {
      throw verdict.error();
    }
    return read.released(digest);
  }

  private List<EventOutcome> record(Transaction tx, List<IncomingEvent> events, List<UUID> ids) {
    EventBatch batch = new EventBatch(tx.tenant(), events);
    findUsers(tx, batch);
    quarantine.delete(tx.dsl(), tx.tenant(), ids);
    List<EventBatch.Entry> entries = batch.undecided();
    EventLogStore.Inserted released =
        tx.dsl().connectionResult(connection -> log.release(connection, entries));
    batch.setRecorded(released.recordedMicros());
    ids.forEach(id -> tx.changed(new Change(QuarantineStore.KIND, Op.DELETED, id, null, 1)));
    List<EventOutcome> outcomes = new ArrayList<>();
    for (Decision decision : batch.decisions()) {
      int i = outcomes.size();
      outcomes.add(EventOutcomes.of(events.get(i), decision, i));
    }
    return outcomes;
  }

  private void findUsers(Transaction tx, EventBatch batch) {
    batch.refuseUnknownUsers(users.existing(tx.dsl(), tx.tenant(), batch.missingUserIds()));
    Obstacles obstacles = new Obstacles();
    batch.refusals().forEach(obstacles::add);
    obstacles.requireNone();
    UserStore.Found found = users.findOrMake(tx.dsl(), tx.tenant(), batch.missingIdentities());
    batch.setUsers(found.users());
    found.changes().forEach(tx::changed);
  }

  /** Why events can't be recorded. */
  private static final class Obstacles {
    private final List<FieldViolation> violations = new ArrayList<>();

    void add(int index, ServiceException reason) {
      String field = "releases[" + index + "]";
      if (reason.violations().isEmpty()) {
        violations.add(
            ServiceException.violation(
                field, reason.reason(), String.valueOf(reason.getMessage())));
      }
      violations.addAll(reason.inside(field).violations());
    }

    void requireNone() {
      if (!violations.isEmpty()) {
        int told = Math.min(violations.size(), MAX_TOLD);
        throw ServiceException.invalid(ErrorReason.BATCH_REFUSED, violations.subList(0, told));
      }
    }
  }
}
