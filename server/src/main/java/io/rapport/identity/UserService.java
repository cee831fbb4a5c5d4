package io.rapport.identity;

import io.grpc.ServerServiceDefinition;
import io.rapport.identity.v1.GetUserRequest;
import io.rapport.identity.v1.Identity;
import io.rapport.identity.v1.LinkIdentityRequest;
import io.rapport.identity.v1.User;
import io.rapport.identity.v1.UserServiceGrpc;
import io.rapport.platform.Caller;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.Transaction;
import io.rapport.platform.Turns;
import io.rapport.platform.UnitOfWork;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;

/** The RPCs of users. */
final class UserService {
  private final TenantDb db;
  private final UnitOfWork work;
  private final UserStore users;
  private final Turns links = new Turns();

  UserService(TenantDb db, UnitOfWork work, UserStore users) {
    this.db = db;
    this.work = work;
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
    return links.take(
        tenant,
        () -> work.write(request, User.parser(), tx -> link(tx, request.getIdentity(), id)));
  }

  private User link(Transaction tx, Identity identity, UUID id) {
    UUID tenant = tx.tenant();
    users.lockAliases(tx.dsl(), tenant);
    require(tx.dsl(), tenant, id);
    UUID user = users.behind(tx.dsl(), tenant, id);
    if (join(tx.dsl(), tenant, identity, user)) {
      tx.changed(new Change(UserStore.KIND, Op.UPDATED, user, user, 0));
    }
    return require(tx.dsl(), tenant, user);
  }

  /**
   * A new identity is linked to the user; the user of a known one becomes its alias.
   *
   * @return whether that changed anything
   */
  private boolean join(DSLContext tx, UUID tenant, Identity identity, UUID user) {
    if (users.link(tx, tenant, identity, user)) {
      return true;
    }
    UUID linked = users.find(tx, tenant, identity).orElse(user);
    UUID other = users.behind(tx, tenant, linked);
    if (other.equals(user)) {
      return false;
    }
    users.alias(tx, tenant, other, user);
    return true;
  }

  private User require(DSLContext tx, UUID tenant, UUID id) {
    return users
        .get(tx, tenant, id)
        .orElseThrow(() -> ServiceException.notFound("user", id.toString()));
  }
}
