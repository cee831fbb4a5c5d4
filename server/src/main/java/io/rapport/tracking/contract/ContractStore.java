package io.rapport.tracking.contract;

import static io.rapport.db.generated.tracking.Tables.BEHAVIORAL_EVENTS;
import static io.rapport.db.generated.tracking.Tables.CONTRACT_TYPES;
import static io.rapport.db.generated.tracking.Tables.EVENT_CONTRACTS;
import static io.rapport.db.generated.tracking.Tables.TRACKING_SETTINGS;

import com.google.protobuf.InvalidProtocolBufferException;
import io.rapport.platform.Ids;
import io.rapport.platform.TimePlace;
import io.rapport.platform.Times;
import io.rapport.tracking.v1.EventContract;
import io.rapport.tracking.v1.EventContract.State;
import io.rapport.tracking.v1.TrackingSettings.UnknownTypes;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.JSONB;
import org.jooq.Record;
import org.jooq.Result;
import org.jooq.SelectConditionStep;
import org.jooq.SelectField;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** Contracts in PostgreSQL, and the recorded events that are judged by them. */
final class ContractStore {
  private static final String CHANGED =
      """
      SELECT a.asked_at, s.tenant_id, s.revision
        FROM (SELECT clock_timestamp() AS asked_at) a
        LEFT JOIN tracking.tracking_settings s
          ON s.changed_at >= COALESCE({0}::timestamptz, now()) - interval '1 minute'
      """;

  private static final String COUNT_CHANGE =
      """
      INSERT INTO tracking.tracking_settings AS s (tenant_id, unknown_types)
      VALUES ({0}, COALESCE({1}::text, 'ACCEPT'))
      ON CONFLICT (tenant_id) DO UPDATE SET unknown_types = COALESCE({1}::text, s.unknown_types),
        revision = s.revision + 1, changed_at = clock_timestamp()
      RETURNING revision
      """;

  private static final List<SelectField<?>> CONTRACT =
      List.of(
          EVENT_CONTRACTS.EVENT_TYPE,
          EVENT_CONTRACTS.VERSION,
          EVENT_CONTRACTS.DEFINITION,
          EVENT_CONTRACTS.CREATED_AT,
          CONTRACT_TYPES.ACTIVE_VERSION);

  /**
   * What is in force.
   *
   * @param revision counts the changes; 0: there was none
   * @param contracts of each type that the tenant has a say in; empty: none is
   */
  record InForce(
      long revision, UnknownTypes unknownTypes, Map<String, Optional<EventContract>> contracts) {}

  /** The tenants whose contracts have changed lately, and how often they have in all. */
  record Changes(Instant askedAt, Map<UUID, Long> revisions) {}

  /** A type that a tenant has a say in. */
  record ContractedType(UUID id, int lastVersion, @Nullable Integer activeVersion, long revision) {}

  /** Which contracts to list: after a version of a type, by both. */
  record Listing(String type, boolean activeOnly, String afterType, int afterVersion, int limit) {}

  /** A recorded event, as far as it is judged. */
  record HistoricEvent(TimePlace place, @Nullable String data) {}

  /**
   * The tenants whose contracts may have changed since they were asked for last. A change is found
   * for a minute, because a commit comes later than the time that it says.
   */
  Changes changedSince(DSLContext system, @Nullable Instant askedBefore) {
    Result<Record> rows =
        system.fetch(CHANGED, DSL.val(askedBefore, TRACKING_SETTINGS.CHANGED_AT.getDataType()));
    Map<UUID, Long> revisions = new HashMap<>();
    for (Record row : rows) {
      UUID tenant = row.get(1, UUID.class);
      if (tenant != null) {
        revisions.put(tenant, row.get(2, Long.class));
      }
    }
    return new Changes(rows.getFirst().get(0, Instant.class), revisions);
  }

  /** The revision is read first: what is read after it may be newer, but isn't older. */
  InForce inForce(DSLContext dsl, UUID tenant) {
    var settings =
        dsl.select(TRACKING_SETTINGS.REVISION, TRACKING_SETTINGS.UNKNOWN_TYPES)
            .from(TRACKING_SETTINGS)
            .where(TRACKING_SETTINGS.TENANT_ID.eq(tenant))
            .fetchOptional();
    if (settings.isEmpty()) {
      return new InForce(0, UnknownTypes.ACCEPT, Map.of());
    }
    Map<String, Optional<EventContract>> contracts = new HashMap<>();
    dsl.select(CONTRACT_TYPES.EVENT_TYPE)
        .select(CONTRACT)
        .from(CONTRACT_TYPES)
        .leftJoin(EVENT_CONTRACTS)
        .on(
            EVENT_CONTRACTS.TENANT_ID.eq(CONTRACT_TYPES.TENANT_ID),
            EVENT_CONTRACTS.EVENT_TYPE.eq(CONTRACT_TYPES.EVENT_TYPE),
            EVENT_CONTRACTS.VERSION.eq(CONTRACT_TYPES.ACTIVE_VERSION))
        .where(CONTRACT_TYPES.TENANT_ID.eq(tenant))
        .forEach(row -> contracts.put(row.get(CONTRACT_TYPES.EVENT_TYPE), inForce(row)));
    return new InForce(
        settings.get().value1(), UnknownTypes.valueOf(settings.get().value2()), contracts);
  }

  private static Optional<EventContract> inForce(Record row) {
    Integer active = row.get(CONTRACT_TYPES.ACTIVE_VERSION);
    if (active == null) {
      return Optional.empty();
    }
    ReadyContract builtIn =
        active == BuiltInContracts.VERSION
            ? BuiltInContracts.find(row.get(CONTRACT_TYPES.EVENT_TYPE))
            : null;
    return builtIn == null ? Optional.of(toProto(row)) : Optional.of(builtIn.contract());
  }

  UnknownTypes unknownTypes(DSLContext dsl, UUID tenant) {
    return dsl.select(TRACKING_SETTINGS.UNKNOWN_TYPES)
        .from(TRACKING_SETTINGS)
        .where(TRACKING_SETTINGS.TENANT_ID.eq(tenant))
        .fetchOptional(row -> UnknownTypes.valueOf(row.value1()))
        .orElse(UnknownTypes.ACCEPT);
  }

  /**
   * Counts a change, so that every server reads anew.
   *
   * @param unknownTypes null: left as it is
   * @return how many there were
   */
  long countChange(DSLContext tx, UUID tenant, @Nullable UnknownTypes unknownTypes) {
    String unknown = unknownTypes == null ? null : unknownTypes.name();
    return tx.fetchSingle(COUNT_CHANGE, DSL.val(tenant), DSL.val(unknown, String.class))
        .get(0, Long.class);
  }

  int countTypes(DSLContext tx, UUID tenant) {
    return tx.fetchCount(CONTRACT_TYPES, CONTRACT_TYPES.TENANT_ID.eq(tenant));
  }

  Optional<ContractedType> findType(DSLContext dsl, UUID tenant, String type) {
    return dsl.select(
            CONTRACT_TYPES.ID,
            CONTRACT_TYPES.LAST_VERSION,
            CONTRACT_TYPES.ACTIVE_VERSION,
            CONTRACT_TYPES.REVISION)
        .from(CONTRACT_TYPES)
        .where(CONTRACT_TYPES.TENANT_ID.eq(tenant), CONTRACT_TYPES.EVENT_TYPE.eq(type))
        .fetchOptional(
            row -> new ContractedType(row.value1(), row.value2(), row.value3(), row.value4()));
  }

  void insertType(DSLContext tx, UUID tenant, String type, @Nullable Integer activeVersion) {
    tx.insertInto(CONTRACT_TYPES)
        .set(CONTRACT_TYPES.TENANT_ID, tenant)
        .set(CONTRACT_TYPES.EVENT_TYPE, type)
        .set(CONTRACT_TYPES.ID, Ids.next())
        .set(CONTRACT_TYPES.ACTIVE_VERSION, activeVersion)
        .execute();
  }

  /** Changes which version is in force, or which is the last; returns the row's revision. */
  long changeType(
      DSLContext tx, UUID tenant, String type, int lastVersion, @Nullable Integer activeVersion) {
    return tx.update(CONTRACT_TYPES)
        .set(CONTRACT_TYPES.LAST_VERSION, lastVersion)
        .set(CONTRACT_TYPES.ACTIVE_VERSION, activeVersion)
        .set(CONTRACT_TYPES.REVISION, CONTRACT_TYPES.REVISION.plus(1))
        .where(CONTRACT_TYPES.TENANT_ID.eq(tenant), CONTRACT_TYPES.EVENT_TYPE.eq(type))
        .returning(CONTRACT_TYPES.REVISION)
        .fetchSingle()
        .getRevision();
  }

  void insert(DSLContext tx, UUID tenant, EventContract contract) {
    tx.insertInto(EVENT_CONTRACTS)
        .set(EVENT_CONTRACTS.TENANT_ID, tenant)
        .set(EVENT_CONTRACTS.EVENT_TYPE, contract.getEventType())
        .set(EVENT_CONTRACTS.VERSION, contract.getVersion())
        .set(EVENT_CONTRACTS.DEFINITION, contract.toByteArray())
        .execute();
  }

  Optional<EventContract> find(DSLContext dsl, UUID tenant, String type, int version) {
    return selectContracts(dsl, tenant)
        .and(EVENT_CONTRACTS.EVENT_TYPE.eq(type))
        .and(EVENT_CONTRACTS.VERSION.eq(version))
        .fetchOptional(ContractStore::toProto);
  }

  /** The contracts that the tenant has put, by type and version. */
  List<EventContract> list(DSLContext dsl, UUID tenant, Listing listing) {
    Condition wanted =
        DSL.row(EVENT_CONTRACTS.EVENT_TYPE, EVENT_CONTRACTS.VERSION)
            .gt(listing.afterType(), listing.afterVersion());
    if (!listing.type().isEmpty()) {
      wanted = wanted.and(EVENT_CONTRACTS.EVENT_TYPE.eq(listing.type()));
    }
    if (listing.activeOnly()) {
      wanted = wanted.and(EVENT_CONTRACTS.VERSION.eq(CONTRACT_TYPES.ACTIVE_VERSION));
    }
    return selectContracts(dsl, tenant)
        .and(wanted)
        .orderBy(EVENT_CONTRACTS.EVENT_TYPE, EVENT_CONTRACTS.VERSION)
        .limit(listing.limit())
        .fetch(ContractStore::toProto);
  }

  /** The version in force of each type that the tenant has a say in; empty: none is. */
  Map<String, Optional<Integer>> activeVersions(DSLContext dsl, UUID tenant) {
    Map<String, Optional<Integer>> versions = new HashMap<>();
    dsl.select(CONTRACT_TYPES.EVENT_TYPE, CONTRACT_TYPES.ACTIVE_VERSION)
        .from(CONTRACT_TYPES)
        .where(CONTRACT_TYPES.TENANT_ID.eq(tenant))
        .forEach(row -> versions.put(row.value1(), Optional.ofNullable(row.value2())));
    return versions;
  }

  private static SelectConditionStep<Record> selectContracts(DSLContext dsl, UUID tenant) {
    return dsl.select(CONTRACT)
        .from(EVENT_CONTRACTS)
        .join(CONTRACT_TYPES)
        .on(
            CONTRACT_TYPES.TENANT_ID.eq(EVENT_CONTRACTS.TENANT_ID),
            CONTRACT_TYPES.EVENT_TYPE.eq(EVENT_CONTRACTS.EVENT_TYPE))
        .where(EVENT_CONTRACTS.TENANT_ID.eq(tenant));
  }

  private static EventContract toProto(Record row) {
    int version = row.get(EVENT_CONTRACTS.VERSION);
    Integer active = row.get(CONTRACT_TYPES.ACTIVE_VERSION);
    try {
      return EventContract.parseFrom(row.get(EVENT_CONTRACTS.DEFINITION)).toBuilder()
          .setVersion(version)
          .setState(active != null && active == version ? State.ACTIVE : State.INACTIVE)
          .setCreatedAt(Times.proto(row.get(EVENT_CONTRACTS.CREATED_AT)))
          .build();
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a stored contract can't be read", e);
    }
  }

  /**
   * The next recorded events of a type, by the time when they happened.
   *
   * @param after where to go on; null: at the first
   */
  List<HistoricEvent> history(
      DSLContext dsl, UUID tenant, String type, Span span, @Nullable TimePlace after, int limit) {
    var events = BEHAVIORAL_EVENTS;
    Condition wanted = events.TENANT_ID.eq(tenant).and(events.EVENT_TYPE.eq(type));
    if (span.from() != null) {
      wanted = wanted.and(events.OCCURRED_AT.ge(span.from()));
    }
    if (span.to() != null) {
      wanted = wanted.and(events.OCCURRED_AT.lt(span.to()));
    }
    if (after != null) {
      wanted = wanted.and(DSL.row(events.OCCURRED_AT, events.ID).gt(after.time(), after.id()));
    }
    return dsl.select(events.OCCURRED_AT, events.ID, events.EVENT_DATA)
        .from(events)
        .where(wanted)
        .orderBy(events.OCCURRED_AT, events.ID)
        .limit(limit)
        .fetch(row ->
            new HistoricEvent(new TimePlace(row.value1(), row.value2()), text(row.value3())));
  }

  /** From a time up to another; null: without end. */
  record Span(@Nullable Instant from, @Nullable Instant to) {}

  private static @Nullable String text(@Nullable JSONB json) {
    return json == null ? null : json.data();
  }
}
