package io.rapport.platform.watch;

import static io.rapport.db.generated.platform.Tables.CHANGE_LOG;

import io.rapport.platform.Change.Op;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Table;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** What there is of a kind whose entities are the rows of a table, in the order of their ids. */
public final class PresentRowsStore implements InitialState {
  private final String kind;
  private final Table<?> table;
  private final Columns columns;

  /**
   * Where the table has what a change tells.
   *
   * @param user whom an entity is about; null if it is about nobody
   * @param revision null if entities have none
   */
  public record Columns(
      Field<UUID> tenant,
      Field<UUID> id,
      @Nullable Field<UUID> user,
      @Nullable Field<Long> revision,
      Field<Instant> since) {}

  public PresentRowsStore(String kind, Table<?> table, Columns columns) {
    this.kind = kind;
    this.table = table;
    this.columns = columns;
  }

  @Override
  public String kind() {
    return kind;
  }

  @Override
  public List<LoggedChange> list(
      DSLContext dsl,
      UUID tenant,
      Selection selection,
      long position,
      @Nullable Point after,
      int limit) {
    Field<UUID> user = columns.user() == null ? DSL.inline(null, UUID.class) : columns.user();
    Field<Long> revision = columns.revision() == null ? DSL.inline(0L) : columns.revision();
    return dsl.select(columns.id(), user, revision, columns.since())
        .from(table)
        .where(columns.tenant().eq(tenant), isSelected(selection), wasThere(tenant, position))
        .and(after == null ? DSL.noCondition() : columns.id().gt(after.id()))
        .orderBy(columns.id())
        .limit(limit)
        .fetch(row ->
            new LoggedChange(
                Place.after(position),
                kind,
                LoggedChange.PRESENT,
                row.value1(),
                row.value2(),
                null,
                row.value3(),
                row.value4()));
  }

  private Condition isSelected(Selection selection) {
    Condition selected = DSL.noCondition();
    if (!selection.types().isEmpty()) {
      selected = DSL.falseCondition(); // which only events have
    } else if (selection.users() != null) {
      selected =
          columns.user() == null ? DSL.falseCondition() : columns.user().in(selection.users());
    }
    return selection.entity() == null
        ? selected
        : selected.and(columns.id().eq(selection.entity()));
  }

  private Condition wasThere(UUID tenant, long position) {
    return DSL.notExists(
        DSL.selectOne()
            .from(CHANGE_LOG)
            .where(
                CHANGE_LOG.TENANT_ID.eq(tenant),
                CHANGE_LOG.POSITION.gt(position),
                CHANGE_LOG.KIND.eq(kind),
                CHANGE_LOG.OP.eq(Op.CREATED.name()),
                CHANGE_LOG.ENTITY_ID.eq(columns.id())));
  }
}
