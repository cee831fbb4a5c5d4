package io.rapport.tracking.event;

import static io.rapport.db.generated.platform.Tables.CHANGE_LOG;
import static io.rapport.db.generated.tracking.Tables.BEHAVIORAL_EVENTS;

import io.rapport.platform.ChangeSubscriber;
import io.rapport.platform.watch.EventSource;
import io.rapport.platform.watch.InitialState;
import io.rapport.platform.watch.LoggedChange;
import io.rapport.platform.watch.Place;
import io.rapport.platform.watch.Selection;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Param;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** Events as watches ask for them: which there are, not what is in them. */
final class WatchedEventStore implements EventSource, InitialState {
  private static final String RECORDED = "RECORDED";

  /** Each entry's events lie together in the index by recorded_at and id. */
  private static final String READ =
      """
      SELECT c.position, c.ordinal, e.id, e.user_id, e.event_type, e.recorded_at
        FROM unnest({1}::bigint[], {2}::integer[], {3}::timestamptz[], {4}::bigint[], {5}::uuid[])
          AS c (position, ordinal, recorded_at, batch, after)
       CROSS JOIN LATERAL (
         SELECT id, user_id, event_type, recorded_at FROM tracking.behavioral_events b
          WHERE b.tenant_id = {0} AND b.recorded_at = c.recorded_at AND b.batch = c.batch
            AND (c.after IS NULL OR b.id > c.after)
            AND ({6} IS NULL OR b.user_id = ANY ({6}))
            AND ({7} IS NULL OR b.event_type = ANY ({7}))
            AND ({8}::uuid IS NULL OR b.id = {8})
          ORDER BY b.id LIMIT {9}) e
       ORDER BY c.position, c.ordinal, e.id LIMIT {9}
      """;

  @Override
  public String kind() {
    return ChangeSubscriber.EVENT;
  }

  @Override
  public List<LoggedChange> read(
      DSLContext dsl, UUID tenant, List<Entry> entries, Selection selection, int limit) {
    return dsl.fetch(
            READ,
            DSL.val(tenant),
            DSL.val(entries.stream().map(Entry::position).toArray(Long[]::new)),
            DSL.val(entries.stream().map(Entry::ordinal).toArray(Integer[]::new)),
            DSL.val(
                entries.stream()
                    .map(entry -> entry.recordedAt().atOffset(ZoneOffset.UTC).toString())
                    .toArray(String[]::new)),
            DSL.val(entries.stream().map(Entry::batch).toArray(Long[]::new)),
            DSL.val(entries.stream().map(Entry::after).toArray(UUID[]::new)),
            users(selection),
            types(selection),
            DSL.val(selection.entity(), UUID.class),
            DSL.val(limit))
        .map(row ->
            change(
                row,
                new Place(
                    row.get(0, Long.class), row.get(1, Integer.class), row.get(2, UUID.class))));
  }

  private static LoggedChange change(Record row, Place place) {
    return new LoggedChange(
        place,
        ChangeSubscriber.EVENT,
        RECORDED,
        row.get(2, UUID.class),
        row.get(3, UUID.class),
        row.get(4, String.class).intern(),
        0,
        row.get(5, Instant.class));
  }

  private static Param<UUID[]> users(Selection selection) {
    Collection<UUID> users = selection.users();
    return DSL.val(users == null ? null : users.toArray(UUID[]::new), UUID[].class);
  }

  private static Param<String[]> types(Selection selection) {
    return DSL.val(
        selection.types().isEmpty() ? null : selection.types().toArray(String[]::new),
        String[].class);
  }

  @Override
  public List<LoggedChange> list(
      DSLContext dsl,
      UUID tenant,
      Selection selection,
      long position,
      @Nullable Point after,
      int limit) {
    return dsl.select(
            BEHAVIORAL_EVENTS.ID,
            BEHAVIORAL_EVENTS.USER_ID,
            BEHAVIORAL_EVENTS.EVENT_TYPE,
            BEHAVIORAL_EVENTS.RECORDED_AT)
        .from(BEHAVIORAL_EVENTS)
        .where(isSelected(tenant, selection))
        .and(
            after == null
                ? DSL.noCondition()
                : DSL.row(BEHAVIORAL_EVENTS.RECORDED_AT, BEHAVIORAL_EVENTS.ID)
                    .gt(after.at(), after.id()))
        .and(wasThere(tenant, position))
        .orderBy(BEHAVIORAL_EVENTS.RECORDED_AT, BEHAVIORAL_EVENTS.ID)
        .limit(limit)
        .fetch(row ->
            new LoggedChange(
                Place.after(position),
                ChangeSubscriber.EVENT,
                LoggedChange.PRESENT,
                row.value1(),
                row.value2(),
                row.value3(),
                0,
                row.value4()));
  }

  private static Condition isSelected(UUID tenant, Selection selection) {
    Condition selected = BEHAVIORAL_EVENTS.TENANT_ID.eq(tenant);
    if (selection.users() != null) {
      selected = selected.and(BEHAVIORAL_EVENTS.USER_ID.eq(DSL.any(users(selection))));
    }
    if (!selection.types().isEmpty()) {
      selected = selected.and(BEHAVIORAL_EVENTS.EVENT_TYPE.eq(DSL.any(types(selection))));
    }
    return selection.entity() == null
        ? selected
        : selected.and(BEHAVIORAL_EVENTS.ID.eq(selection.entity()));
  }

  private static Condition wasThere(UUID tenant, long position) {
    return DSL.notExists(
        DSL.selectOne()
            .from(CHANGE_LOG)
            .where(
                CHANGE_LOG.TENANT_ID.eq(tenant),
                CHANGE_LOG.POSITION.gt(position),
                CHANGE_LOG.KIND.eq(ChangeSubscriber.EVENT),
                CHANGE_LOG.BATCH.eq(BEHAVIORAL_EVENTS.BATCH)));
  }
}
