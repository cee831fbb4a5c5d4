package io.rapport.identity;

import static io.rapport.db.generated.identity.Tables.USERS;
import static io.rapport.db.generated.identity.Tables.USER_PERMISSIONS;

import io.rapport.identity.v1.User.Role;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;

/** What users may, in PostgreSQL. */
final class PermissionStore {
  /** What decides about a user where no permission does. */
  record Standing(Role role, boolean admin, boolean active) {}

  /** Something that may be done. */
  record Right(String resource, String action) {}

  Optional<Standing> standing(DSLContext dsl, UUID tenant, UUID user) {
    return dsl.select(USERS.ROLE, USERS.IS_ADMIN, USERS.ACTIVE)
        .from(USERS)
        .where(USERS.TENANT_ID.eq(tenant), USERS.ID.eq(user))
        .fetchOptional(row -> new Standing(Role.valueOf(row.value1()), row.value2(), row.value3()));
  }

  /** The user's permissions that hold, and whether they grant. */
  Map<Right, Boolean> permissions(DSLContext dsl, UUID tenant, UUID user) {
    return permissions(dsl, tenant, user, DSL.noCondition());
  }

  Optional<Boolean> permission(DSLContext dsl, UUID tenant, UUID user, Right right) {
    return Optional.ofNullable(
        permissions(
                dsl,
                tenant,
                user,
                USER_PERMISSIONS
                    .RESOURCE
                    .eq(right.resource())
                    .and(USER_PERMISSIONS.ACTION.eq(right.action())))
            .get(right));
  }

  private static Map<Right, Boolean> permissions(
      DSLContext dsl, UUID tenant, UUID user, Condition condition) {
    Map<Right, Boolean> found = new HashMap<>();
    dsl.select(USER_PERMISSIONS.RESOURCE, USER_PERMISSIONS.ACTION, USER_PERMISSIONS.GRANTED)
        .from(USER_PERMISSIONS)
        .where(
            USER_PERMISSIONS.TENANT_ID.eq(tenant),
            USER_PERMISSIONS.USER_ID.eq(user),
            USER_PERMISSIONS.ACTIVE.isTrue(),
            condition)
        .forEach(row -> found.put(new Right(row.value1(), row.value2()), row.value3()));
    return found;
  }
}
