package io.rapport.tracking.property;

import static io.rapport.db.generated.tracking.Tables.EVENT_PROPERTIES;

import io.grpc.Status.Code;
import io.rapport.platform.Ids;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Times;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.platform.watch.InitialState;
import io.rapport.platform.watch.PresentRowsStore;
import io.rapport.tracking.v1.EventProperty;
import io.rapport.tracking.v1.EventProperty.State;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Record5;
import org.jooq.impl.DSL;

/** Declared properties in PostgreSQL, and the indexing of events that were there before them. */
public final class PropertyStore {
  static final String KIND = "tracking.event_property";

  private static final int MAX_PROPERTIES = 50;
  private static final int CHUNK = 5_000;
  private static final String LOCK_PATIENCE = "SELECT set_config('lock_timeout', '4s', true)";

  /** Where the indexing of older events has got to. */
  private record Cursor(Instant recordedAt, UUID eventId) {}

  /** The properties that are declared. */
  static InitialState initialState() {
    return new PresentRowsStore(
        KIND,
        EVENT_PROPERTIES,
        new PresentRowsStore.Columns(
            EVENT_PROPERTIES.TENANT_ID,
            EVENT_PROPERTIES.ID,
            null,
            null,
            EVENT_PROPERTIES.CREATED_AT));
  }

  /** The property; throws if it is not declared or can't be used yet. */
  public DeclaredProperty require(DSLContext dsl, UUID tenant, String name, String field) {
    DeclaredProperty property =
        find(dsl, tenant, name)
            .orElseThrow(() ->
                ServiceException.invalid(
                    field, ErrorReason.PROPERTY_NOT_DECLARED, "is not declared as filterable"));
    if (!property.isReady()) {
      throw ServiceException.failedPrecondition(
              ErrorReason.PROPERTY_NOT_READY, "older events are still being indexed by " + name)
          .with("property", name);
    }
    return property;
  }

  Optional<DeclaredProperty> find(DSLContext dsl, UUID tenant, String name) {
    return select(dsl, tenant, EVENT_PROPERTIES.NAME.eq(name), 1).stream().findFirst();
  }

  /** Up to {@code limit} properties by name, after the one with this name. */
  List<DeclaredProperty> list(DSLContext dsl, UUID tenant, String after, int limit) {
    return select(dsl, tenant, EVENT_PROPERTIES.NAME.gt(after), limit);
  }

  /**
   * Declares a property unless it is. From its commit on, every event that is recorded is indexed:
   * the lock waits for the writers that began before and can't see the property.
   */
  DeclaredProperty insert(DSLContext tx, UUID tenant, String name, EventProperty.Type type) {
    Optional<DeclaredProperty> before = find(tx, tenant, name);
    if (before.isPresent()) {
      return before.get();
    }
    tx.fetch(LOCK_PATIENCE);
    tx.fetch(
        "SELECT pg_advisory_xact_lock(hashtextextended('tracking.event_properties/' || {0}, 0))",
        DSL.val(tenant.toString()));
    Optional<DeclaredProperty> declared = find(tx, tenant, name);
    if (declared.isPresent()) {
      return declared.get();
    }
    requireRoom(tx, tenant);
    tx.insertInto(EVENT_PROPERTIES)
        .columns(
            EVENT_PROPERTIES.TENANT_ID,
            EVENT_PROPERTIES.ID,
            EVENT_PROPERTIES.NAME,
            EVENT_PROPERTIES.TYPE,
            EVENT_PROPERTIES.STATE,
            EVENT_PROPERTIES.CREATED_AT)
        .values(
            DSL.val(tenant),
            DSL.val(Ids.next()),
            DSL.val(name),
            DSL.val(type.name()),
            DSL.val(State.INDEXING.name()),
            DSL.field("clock_timestamp()", EVENT_PROPERTIES.CREATED_AT.getDataType()))
        .execute();
    return find(tx, tenant, name).orElseThrow();
  }

  private static void requireRoom(DSLContext tx, UUID tenant) {
    int declared = tx.fetchCount(EVENT_PROPERTIES, EVENT_PROPERTIES.TENANT_ID.eq(tenant));
    if (declared >= MAX_PROPERTIES) {
      throw ServiceException.of(
              Code.FAILED_PRECONDITION,
              ErrorReason.PROPERTY_LIMIT,
              "the tenant has " + MAX_PROPERTIES + " declared properties, and that is the most")
          .with("max", String.valueOf(MAX_PROPERTIES));
    }
  }

  /** The tenants that have properties by which older events are not indexed yet. */
  List<UUID> tenantsToIndex(DSLContext system) {
    return system.fetch("SELECT * FROM tracking.tenants_to_index()").getValues(0, UUID.class);
  }

  /** The tenant's properties by which older events are not indexed yet. */
  List<DeclaredProperty> listIndexing(DSLContext dsl, UUID tenant) {
    return select(dsl, tenant, EVENT_PROPERTIES.STATE.eq(State.INDEXING.name()), MAX_PROPERTIES);
  }

  /**
   * Indexes the next of the older events by a property, which is ready when there are no more.
   * Servers that index by the same property take turns and go on where the other one got to.
   *
   * @return whether it is ready
   */
  boolean indexNext(DSLContext tx, UUID tenant, DeclaredProperty property) {
    tx.fetch(LOCK_PATIENCE);
    Optional<Cursor> from = lockCursor(tx, tenant, property.id());
    if (from.isEmpty()) {
      return true;
    }
    Optional<Cursor> end = indexFrom(tx, tenant, property, from.get());
    end.ifPresentOrElse(
        cursor -> setCursor(tx, tenant, property.id(), cursor),
        () -> setReady(tx, tenant, property.id()));
    return end.isEmpty();
  }

  /** Empty if the property is ready. The lock leaves those alone who write its values. */
  private static Optional<Cursor> lockCursor(DSLContext tx, UUID tenant, UUID id) {
    return tx.select(EVENT_PROPERTIES.INDEXED_TO, EVENT_PROPERTIES.INDEXED_TO_ID)
        .from(EVENT_PROPERTIES)
        .where(isProperty(tenant, id), EVENT_PROPERTIES.STATE.eq(State.INDEXING.name()))
        .forNoKeyUpdate()
        .fetchOptional(row -> new Cursor(row.value1(), row.value2()));
  }

  /** Gives the last of the events that were indexed; empty when all have been. */
  private static Optional<Cursor> indexFrom(
      DSLContext tx, UUID tenant, DeclaredProperty property, Cursor from) {
    var end =
        tx.fetchOptional(
            """
            WITH chunk AS (
              SELECT id, occurred_at, recorded_at, event_data
                FROM tracking.behavioral_events
               WHERE tenant_id = {0} AND (recorded_at, id) > ({1}, {2})
                 AND recorded_at <= (SELECT created_at FROM tracking.event_properties
                   WHERE tenant_id = {0} AND id = {4})
               ORDER BY recorded_at, id LIMIT {3}
            ), indexed AS (
              INSERT INTO tracking.event_property_values (tenant_id, property_id, event_id,
                occurred_at, recorded_at, text_value, number_value, boolean_value)
              SELECT {0}, {4}, id, occurred_at, recorded_at, v.*
                FROM chunk,
                  tracking.typed_value({5}, event_data #> string_to_array({6}, '.')) v
              ON CONFLICT DO NOTHING
            )
            SELECT recorded_at, id FROM chunk ORDER BY recorded_at DESC, id DESC LIMIT 1
            """,
            DSL.val(tenant),
            DSL.val(from.recordedAt(), EVENT_PROPERTIES.INDEXED_TO.getDataType()),
            DSL.val(from.eventId()),
            DSL.val(CHUNK),
            DSL.val(property.id()),
            DSL.val(property.type().name()),
            DSL.val(property.proto().getName()));
    return end.map(row -> new Cursor(row.get(0, Instant.class), row.get(1, UUID.class)));
  }

  private static void setCursor(DSLContext tx, UUID tenant, UUID id, Cursor cursor) {
    tx.update(EVENT_PROPERTIES)
        .set(EVENT_PROPERTIES.INDEXED_TO, cursor.recordedAt())
        .set(EVENT_PROPERTIES.INDEXED_TO_ID, cursor.eventId())
        .where(isProperty(tenant, id))
        .execute();
  }

  private static void setReady(DSLContext tx, UUID tenant, UUID id) {
    tx.update(EVENT_PROPERTIES)
        .set(EVENT_PROPERTIES.STATE, State.READY.name())
        .where(isProperty(tenant, id))
        .execute();
  }

  private static Condition isProperty(UUID tenant, UUID id) {
    return EVENT_PROPERTIES.TENANT_ID.eq(tenant).and(EVENT_PROPERTIES.ID.eq(id));
  }

  private static List<DeclaredProperty> select(
      DSLContext dsl, UUID tenant, Condition condition, int limit) {
    return dsl.select(
            EVENT_PROPERTIES.ID,
            EVENT_PROPERTIES.NAME,
            EVENT_PROPERTIES.TYPE,
            EVENT_PROPERTIES.STATE,
            EVENT_PROPERTIES.CREATED_AT)
        .from(EVENT_PROPERTIES)
        .where(EVENT_PROPERTIES.TENANT_ID.eq(tenant), condition)
        .orderBy(EVENT_PROPERTIES.NAME)
        .limit(limit)
        .fetch(PropertyStore::read);
  }

  private static DeclaredProperty read(Record5<UUID, String, String, String, Instant> row) {
    EventProperty.Type type = EventProperty.Type.valueOf(row.value3());
    return new DeclaredProperty(
        row.value1(),
        type,
        EventProperty.newBuilder()
            .setName(row.value2())
            .setType(type)
            .setState(State.valueOf(row.value4()))
            .setCreatedAt(Times.proto(row.value5()))
            .build());
  }
}
