package io.rapport.identity;

import com.google.protobuf.FieldMask;
import io.grpc.ServerServiceDefinition;
import io.rapport.identity.v1.GetUserRequest;
import io.rapport.identity.v1.Identity;
import io.rapport.identity.v1.LinkIdentityRequest;
import io.rapport.identity.v1.SetPasswordRequest;
import io.rapport.identity.v1.SetPasswordResponse;
import io.rapport.identity.v1.User;
import io.rapport.identity.v1.UserServiceGrpc;
import io.rapport.identity.v1.VerifyPasswordRequest;
import io.rapport.identity.v1.VerifyPasswordResponse;
import io.rapport.platform.Caller;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.Etags;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.Transaction;
import io.rapport.platform.Turns;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.resource.Resource;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** The RPCs of users that are more than data. */
final class UserService {
  private static final FieldMask ID = FieldMask.newBuilder().addPaths("id").build();

  private final TenantDb db;
  private final UnitOfWork work;
  private final UserStore users;
  private final Resource<User> resource;
  private final Passwords passwords = new Passwords();
  private final Turns links = new Turns();

  UserService(TenantDb db, UnitOfWork work, UserStore users, Resource<User> resource) {
    this.db = db;
    this.work = work;
    this.users = users;
    this.resource = resource.completedBy(users::complete);
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return resource.serve(
        rpcs.service(UserServiceGrpc.getServiceDescriptor())
            .unary(UserServiceGrpc.getGetUserMethod(), this::getUser)
            .unary(UserServiceGrpc.getLinkIdentityMethod(), this::linkIdentity)
            .unary(UserServiceGrpc.getSetPasswordMethod(), this::setPassword)
            .unary(UserServiceGrpc.getVerifyPasswordMethod(), this::verifyPassword));
  }

  private User getUser(GetUserRequest request) {
    return find(request).orElseThrow(() -> notFound(request));
  }

  private Optional<User> find(GetUserRequest request) {
    return switch (request.getKeyCase()) {
      case ID -> resource.find(UUID.fromString(request.getId()), request.getReadMask());
      case EMAIL -> resource.findByKey(request.getReadMask(), request.getEmail());
      case IDENTITY -> {
        UUID tenant = Caller.currentTenant().id();
        Optional<UUID> id = db.read(tenant, tx -> users.find(tx, tenant, request.getIdentity()));
        yield id.flatMap(it -> resource.find(it, request.getReadMask()));
      }
      case KEY_NOT_SET -> Optional.empty();
    };
  }

  private static ServiceException notFound(GetUserRequest request) {
    return request.hasId()
        ? ServiceException.notFound("user", request.getId())
        : ServiceException.notFound("user") // without what says who someone is
            .with("by", request.hasEmail() ? "email" : "identity");
  }

  private User linkIdentity(LinkIdentityRequest request) {
    UUID tenant = Caller.currentTenant().id();
    UUID id = UUID.fromString(request.getUserId());
    return links.take(
        tenant,
        () -> work.write(request, User.parser(), tx -> link(tx, request.getIdentity(), id)));
  }

  private User link(Transaction tx, Identity identity, UUID id) {
    users.lockAliases(tx.dsl(), tx.tenant());
    if (users.existing(tx.dsl(), tx.tenant(), Set.of(id)).isEmpty()) {
      throw ServiceException.notFound("user", id.toString());
    }
    UUID user = users.behind(tx.dsl(), tx.tenant(), id);
    if (join(tx, identity, user)) {
      changed(tx, user, users.touch(tx.dsl(), tx.tenant(), user));
    }
    return resource.get(tx, user);
  }

  private static void changed(Transaction tx, UUID user, long revision) {
    tx.changed(new Change(UserStore.KIND, Op.UPDATED, user, user, revision));
  }

  /**
   * A new identity is linked to the user; the user of a known one becomes its alias.
   *
   * @return whether that changed anything
   */
  private boolean join(Transaction tx, Identity identity, UUID user) {
    Optional<UUID> link = users.link(tx.dsl(), tx.tenant(), identity, user);
    if (link.isPresent()) {
      tx.changed(new Change(UserStore.LINK_KIND, Op.CREATED, link.get(), user, 1));
      return true;
    }
    UUID linked = users.find(tx.dsl(), tx.tenant(), identity).orElse(user);
    UUID other = users.behind(tx.dsl(), tx.tenant(), linked);
    if (other.equals(user)) {
      return false;
    }
    users.alias(tx.dsl(), tx.tenant(), other, user);
    changed(tx, other, users.touch(tx.dsl(), tx.tenant(), other));
    return true;
  }

  /** Hashes before the transaction begins: the digest of the request mustn't tell the password. */
  private SetPasswordResponse setPassword(SetPasswordRequest request) {
    PasswordRule.require(request.getPassword(), "password");
    UUID user = UUID.fromString(request.getUserId());
    String hash = passwords.hash(request.getPassword());
    return work.write(
        request.toBuilder().setPassword(fingerprint(request)).build(),
        SetPasswordResponse.parser(),
        tx -> {
          long revision =
              users
                  .setPasswordHash(tx.dsl(), tx.tenant(), user, hash)
                  .orElseThrow(() -> ServiceException.notFound("user", user.toString()));
          changed(tx, user, revision);
          return SetPasswordResponse.newBuilder().setEtag(Etags.of(revision)).build();
        });
  }

  /** As hard to guess the password from as its hash is; needed only to know the request again. */
  private String fingerprint(SetPasswordRequest request) {
    return request.getRequestId().isEmpty()
        ? ""
        : passwords.fingerprint(request.getPassword(), request.getRequestId());
  }

  private VerifyPasswordResponse verifyPassword(VerifyPasswordRequest request) {
    UUID tenant = Caller.currentTenant().id();
    Optional<UUID> user = user(request);
    Optional<String> hash =
        user.flatMap(id -> db.read(tenant, tx -> users.passwordHash(tx, tenant, id)));
    boolean verified = passwords.matches(request.getPassword(), hash.orElse(null));
    return VerifyPasswordResponse.newBuilder()
        .setVerified(verified)
        .setUserId(verified ? user.map(UUID::toString).orElse("") : "")
        .build();
  }

  private Optional<UUID> user(VerifyPasswordRequest request) {
    return request.hasEmail()
        ? resource.findByKey(ID, request.getEmail()).map(it -> UUID.fromString(it.getId()))
        : Optional.of(UUID.fromString(request.getUserId()));
  }
}
