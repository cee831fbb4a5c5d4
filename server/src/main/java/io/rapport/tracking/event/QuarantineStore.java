package io.rapport.tracking.event;

import static io.rapport.db.generated.tracking.Tables.EVENT_IDS;
import static io.rapport.db.generated.tracking.Tables.QUARANTINED_EVENTS;

import com.google.protobuf.ByteString;
import io.rapport.identity.v1.Identity;
import io.rapport.platform.RowPage;
import io.rapport.platform.TimePlace;
import io.rapport.platform.Times;
import io.rapport.platform.watch.InitialState;
import io.rapport.platform.watch.PresentRowsStore;
import io.rapport.tracking.event.EventLogStore.State;
import io.rapport.tracking.v1.Event;
import io.rapport.tracking.v1.QuarantinedEvent;
import java.time.Instant;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.JSONB;
import org.jooq.Record;
import org.jooq.SelectConditionStep;
import org.jooq.SelectField;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** Events in quarantine, in PostgreSQL. */
final class QuarantineStore {
  /** What they are called in the change log. */
  static final String KIND = "tracking.quarantined_event";

  /** The events that wait. */
  static InitialState initialState() {
    return new PresentRowsStore(
        KIND,
        QUARANTINED_EVENTS,
        new PresentRowsStore.Columns(
            QUARANTINED_EVENTS.TENANT_ID,
            QUARANTINED_EVENTS.EVENT_ID,
            null, // who it is may not be known yet
            null,
            QUARANTINED_EVENTS.QUARANTINED_AT));
  }

  /** Puts events there; EventLogStore does it, with the ids of the others of their batch. */
  static final String INSERT =
      """
      INSERT INTO tracking.quarantined_events (tenant_id, event_id, event_type, user_id,
        identity_provider, identity_subject, event_data, event_text, occurred_at,
        utc_offset_minutes, received_at, contract_version, violations)
      SELECT * FROM unnest(?::uuid[], ?::uuid[], ?::text[], ?::uuid[], ?::text[], ?::text[],
        ?::text[]::jsonb[], ?::text[], ?::timestamptz[], ?::smallint[], ?::timestamptz[],
        ?::integer[], ?::text[]::jsonb[])
      """;

  private static final List<SelectField<?>> COLUMNS =
      List.of(
          QUARANTINED_EVENTS.EVENT_ID,
          QUARANTINED_EVENTS.EVENT_TYPE,
          QUARANTINED_EVENTS.USER_ID,
          QUARANTINED_EVENTS.IDENTITY_PROVIDER,
          QUARANTINED_EVENTS.IDENTITY_SUBJECT,
          QUARANTINED_EVENTS.EVENT_DATA,
          QUARANTINED_EVENTS.EVENT_TEXT,
          QUARANTINED_EVENTS.OCCURRED_AT,
          QUARANTINED_EVENTS.UTC_OFFSET_MINUTES,
          QUARANTINED_EVENTS.RECEIVED_AT,
          QUARANTINED_EVENTS.QUARANTINED_AT,
          QUARANTINED_EVENTS.CONTRACT_VERSION,
          QUARANTINED_EVENTS.VIOLATIONS,
          EVENT_IDS.DIGEST);

  /**
   * Which events to list, the last ones first.
   *
   * @param type empty: of any
   * @param after where the page begins; null: at the last one
   * @param present how the events are shown, which decides how large the page gets
   */
  record Listing(
      String type,
      @Nullable Instant from,
      @Nullable Instant to,
      @Nullable TimePlace after,
      int size,
      UnaryOperator<Event> present) {}

  /** One event, with its data as JSON bytes. */
  Optional<QuarantinedEvent> find(DSLContext dsl, UUID tenant, UUID id) {
    return select(dsl, tenant)
        .and(QUARANTINED_EVENTS.EVENT_ID.eq(id))
        .fetchOptional(QuarantineStore::toProto);
  }

  /** As many as asked for, or fewer, so that the page is not too large. */
  RowPage<QuarantinedEvent> list(DSLContext tx, UUID tenant, Listing listing) {
    var rows =
        select(tx, tenant)
            .and(matches(listing))
            .orderBy(QUARANTINED_EVENTS.QUARANTINED_AT.desc(), QUARANTINED_EVENTS.EVENT_ID.desc())
            .limit(listing.size() + 1);
    return RowPage.read(rows, listing.size(), row -> shown(toProto(row), listing));
  }

  private static QuarantinedEvent shown(QuarantinedEvent found, Listing listing) {
    return found.toBuilder().setEvent(listing.present().apply(found.getEvent())).build();
  }

  private static Condition matches(Listing listing) {
    var time = QUARANTINED_EVENTS.QUARANTINED_AT;
    Condition wanted = DSL.noCondition();
    if (!listing.type().isEmpty()) {
      wanted = wanted.and(QUARANTINED_EVENTS.EVENT_TYPE.eq(listing.type()));
    }
    if (listing.from() != null) {
      wanted = wanted.and(time.ge(listing.from()));
    }
    if (listing.to() != null) {
      wanted = wanted.and(time.lt(listing.to()));
    }
    TimePlace after = listing.after();
    return after == null
        ? wanted
        : wanted.and(DSL.row(time, QUARANTINED_EVENTS.EVENT_ID).lt(after.time(), after.id()));
  }

  /** The events in quarantine among these, in the order of their ids; nobody else takes them. */
  List<QuarantinedEvent> lock(DSLContext tx, UUID tenant, Collection<UUID> ids) {
    return select(tx, tenant)
        .and(QUARANTINED_EVENTS.EVENT_ID.in(ids))
        .orderBy(QUARANTINED_EVENTS.EVENT_ID)
        .forUpdate()
        .of(QUARANTINED_EVENTS)
        .fetch(QuarantineStore::toProto);
  }

  /** Takes events out; their ids stay known. */
  void delete(DSLContext tx, UUID tenant, Collection<UUID> ids) {
    tx.deleteFrom(QUARANTINED_EVENTS)
        .where(QUARANTINED_EVENTS.TENANT_ID.eq(tenant), QUARANTINED_EVENTS.EVENT_ID.in(ids))
        .execute();
  }

  /** Remembers of events that they were discarded. */
  void discardIds(DSLContext tx, UUID tenant, Collection<UUID> ids) {
    tx.update(EVENT_IDS)
        .set(EVENT_IDS.STATE, State.DISCARDED.name())
        .where(EVENT_IDS.TENANT_ID.eq(tenant), EVENT_IDS.EVENT_ID.in(ids))
        .execute();
  }

  private static SelectConditionStep<Record> select(DSLContext dsl, UUID tenant) {
    return dsl.select(COLUMNS)
        .from(QUARANTINED_EVENTS)
        .join(EVENT_IDS)
        .on(
            EVENT_IDS.TENANT_ID.eq(QUARANTINED_EVENTS.TENANT_ID),
            EVENT_IDS.EVENT_ID.eq(QUARANTINED_EVENTS.EVENT_ID))
        .where(QUARANTINED_EVENTS.TENANT_ID.eq(tenant));
  }

  private static QuarantinedEvent toProto(Record row) {
    QuarantinedEvent.Builder event =
        QuarantinedEvent.newBuilder()
            .setEvent(event(row))
            .addAllViolations(Stamp.parse(row.get(QUARANTINED_EVENTS.VIOLATIONS).data()))
            .setQuarantinedAt(Times.proto(row.get(QUARANTINED_EVENTS.QUARANTINED_AT)));
    Integer contract = row.get(QUARANTINED_EVENTS.CONTRACT_VERSION);
    return contract == null ? event.build() : event.setContractVersion(contract).build();
  }

  private static Event event(Record row) {
    Event.Builder event =
        Event.newBuilder()
            .setId(row.get(QUARANTINED_EVENTS.EVENT_ID).toString())
            .setEventType(row.get(QUARANTINED_EVENTS.EVENT_TYPE))
            .setDigest(HexFormat.of().formatHex(row.get(EVENT_IDS.DIGEST)));
    setUser(event, row);
    setTimes(event, row);
    JSONB data = row.get(QUARANTINED_EVENTS.EVENT_DATA);
    if (data != null) {
      event.setDataJson(ByteString.copyFromUtf8(data.data()));
    }
    String text = row.get(QUARANTINED_EVENTS.EVENT_TEXT);
    return text == null ? event.build() : event.setText(text).build();
  }

  private static void setUser(Event.Builder event, Record row) {
    UUID user = row.get(QUARANTINED_EVENTS.USER_ID);
    if (user != null) {
      event.setUserId(user.toString());
    } else {
      event.setIdentity(
          Identity.newBuilder()
              .setProvider(row.get(QUARANTINED_EVENTS.IDENTITY_PROVIDER))
              .setSubject(row.get(QUARANTINED_EVENTS.IDENTITY_SUBJECT)));
    }
  }

  private static void setTimes(Event.Builder event, Record row) {
    Instant occurred = row.get(QUARANTINED_EVENTS.OCCURRED_AT);
    if (occurred != null) {
      event.setOccurredAt(Times.proto(occurred));
    }
    Instant received = row.get(QUARANTINED_EVENTS.RECEIVED_AT);
    if (received != null) {
      event.setReceivedAt(Times.proto(received));
    }
    Short offset = row.get(QUARANTINED_EVENTS.UTC_OFFSET_MINUTES);
    if (offset != null) {
      event.setUtcOffsetMinutes(offset);
    }
  }
}
