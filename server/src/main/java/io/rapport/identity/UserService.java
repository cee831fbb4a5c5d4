package io.rapport.identity;

import io.grpc.ServerServiceDefinition;
import io.rapport.identity.v1.GetUserRequest;
import io.rapport.identity.v1.Identity;
import io.rapport.identity.v1.LinkIdentityRequest;
import io.rapport.identity.v1.User;
import io.rapport.identity.v1.UserServiceGrpc;
import io.rapport.platform.Caller;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.Turns;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;

/** The RPCs of users. */
final class UserService {
  private final TenantDb db;
  private final UserStore users;
  private final Turns links = new Turns();

  UserService(TenantDb db, UserStore users) {
    this.db = db;
    this.users = users;
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return rpcs.service(UserServiceGrpc.getServiceDescriptor())
        .unary(UserServiceGrpc.getGetUserMethod(), this::getUser)
        .unary(UserServiceGrpc.getLinkIdentityMethod(), this::linkIdentity)
        .build();
  }

  private User getUser(GetUserRequest request) {
    UUID tenant = Caller.currentTenant().id();
    return db.read(
        tenant,
        tx -> {
          Optional<UUID> id =
              request.hasId()
                  ? Optional.of(UUID.fromString(request.getId()))
                  : users.find(tx, tenant, request.getIdentity());
          return id.flatMap(it -> users.get(tx, tenant, it)).orElseThrow(() -> notFound(request));
        });
  }

  private static ServiceException notFound(GetUserRequest request) {
    return request.hasId()
        ? ServiceException.notFound("user", request.getId())
        : ServiceException.notFound("user").with("by", "identity"); // which says who someone is
  }

  private User linkIdentity(LinkIdentityRequest request) {
    UUID tenant = Caller.currentTenant().id();
    UUID id = UUID.fromString(request.getUserId());
    if (request.getValidateOnly()) {
      return db.read(tenant, tx -> require(tx, tenant, users.behind(tx, tenant, id)));
    }
    return links.take(
        tenant, () -> db.write(tenant, tx -> link(tx, tenant, request.getIdentity(), id)));
  }

  private User link(DSLContext tx, UUID tenant, Identity identity, UUID id) {
    users.lockAliases(tx, tenant);
    require(tx, tenant, id);
    UUID user = users.behind(tx, tenant, id);
    join(tx, tenant, identity, user);
    return require(tx, tenant, user);
  }

  /** A new identity is linked to the user; the user of a known one becomes its alias. */
  private void join(DSLContext tx, UUID tenant, Identity identity, UUID user) {
    if (users.link(tx, tenant, identity, user)) {
      return;
    }
    UUID linked = users.find(tx, tenant, identity).orElse(user);
    UUID other = users.behind(tx, tenant, linked);
    if (!other.equals(user)) {
      users.alias(tx, tenant, other, user);
    }
  }

  private User require(DSLContext tx, UUID tenant, UUID id) {
    return users
        .get(tx, tenant, id)
        .orElseThrow(() -> ServiceException.notFound("user", id.toString()));
  }
}
