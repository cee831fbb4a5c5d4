package io.rapport.identity;

import io.rapport.platform.Change.Op;
import io.rapport.platform.watch.People;
import java.util.Set;
import java.util.UUID;
import org.jooq.DSLContext;

/** Users as watches ask for them. */
final class PeopleStore implements People {
  private final UserStore users = new UserStore();

  @Override
  public Set<UUID> person(DSLContext dsl, UUID tenant, UUID user) {
    return users.person(dsl, tenant, user);
  }

  @Override
  public boolean mayChange(String kind, String op) {
    return kind.equals(UserStore.KIND) && op.equals(Op.UPDATED.name());
  }
}
