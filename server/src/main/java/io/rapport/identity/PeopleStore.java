package io.rapport.identity;

import static io.rapport.db.generated.identity.Tables.USERS;
import static io.rapport.db.generated.platform.Tables.CHANGE_LOG;

import io.rapport.platform.Change.Op;
import io.rapport.platform.watch.InitialState;
import io.rapport.platform.watch.LoggedChange;
import io.rapport.platform.watch.People;
import io.rapport.platform.watch.Place;
import io.rapport.platform.watch.Selection;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** Users as watches ask for them. */
final class PeopleStore implements People, InitialState {
  private final UserStore users = new UserStore();

  @Override
  public Set<UUID> person(DSLContext dsl, UUID tenant, UUID user) {
    return users.person(dsl, tenant, user);
  }

  @Override
  public boolean mayChange(String kind, String op) {
    return kind.equals(UserStore.KIND) && op.equals(Op.UPDATED.name());
  }

  @Override
  public String kind() {
    return UserStore.KIND;
  }

  @Override
  public List<LoggedChange> list(
      DSLContext dsl,
      UUID tenant,
      Selection selection,
      long position,
      @Nullable Point after,
      int limit) {
    Condition selected = USERS.TENANT_ID.eq(tenant).and(wasThere(tenant, position));
    if (after != null) {
      selected = selected.and(USERS.ID.gt(after.id()));
    }
    if (selection.users() != null) {
      selected = selected.and(USERS.ID.in(selection.users()));
    }
    if (selection.entity() != null) {
      selected = selected.and(USERS.ID.eq(selection.entity()));
    }
    return dsl.select(USERS.ID, USERS.CREATED_AT)
        .from(USERS)
        .where(selected)
        .orderBy(USERS.ID)
        .limit(limit)
        .fetch(row ->
            new LoggedChange(
                Place.after(position),
                UserStore.KIND,
                LoggedChange.PRESENT,
                row.value1(),
                row.value1(),
                null,
                0,
                row.value2()));
  }

  /** The subquery doesn't depend on the row, so it is made a hash once. */
  private static Condition wasThere(UUID tenant, long position) {
    return USERS.ID.notIn(
        DSL.select(CHANGE_LOG.ENTITY_ID)
            .from(CHANGE_LOG)
            .where(
                CHANGE_LOG.TENANT_ID.eq(tenant),
                CHANGE_LOG.POSITION.gt(position),
                CHANGE_LOG.KIND.eq(UserStore.KIND),
                CHANGE_LOG.OP.eq(Op.CREATED.name()),
                CHANGE_LOG.ENTITY_ID.isNotNull()));
  }
}
