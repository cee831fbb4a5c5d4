package io.rapport.client;

import io.rapport.identity.v1.GetUserRequest;
import io.rapport.identity.v1.Identity;
import io.rapport.identity.v1.LinkIdentityRequest;
import io.rapport.identity.v1.User;
import io.rapport.identity.v1.UserServiceGrpc;
import java.util.Optional;

/**
 * The users of the tenant and the names that other systems know them by. Every method may throw a
 * {@link RapportException}.
 */
public final class UsersClient {
  private final Calls calls;
  private final Rpc<GetUserRequest, User> get;
  private final Rpc<LinkIdentityRequest, User> link;

  UsersClient(Calls calls) {
    this.calls = calls;
    this.get = calls.rpc(UserServiceGrpc.getGetUserMethod());
    this.link = calls.rpc(UserServiceGrpc.getLinkIdentityMethod());
  }

  /** The user with this UUID; empty if there is none. */
  public Optional<User> get(String id) {
    return get(GetUserRequest.newBuilder().setId(id).build());
  }

  /** The user whom another system calls so; empty if there is none. */
  public Optional<User> get(Identity identity) {
    return get(GetUserRequest.newBuilder().setIdentity(identity).build());
  }

  /**
   * Says that an identity belongs to a user; saying it again changes nothing. A user that the
   * identity had of its own becomes an alias of this one.
   *
   * @return the user with the identity; if {@code userId} is an alias, the user behind it
   * @throws NotFoundException if the user is not there
   */
  public User link(String userId, Identity identity) {
    return calls.call(
        link, LinkIdentityRequest.newBuilder().setUserId(userId).setIdentity(identity).build());
  }

  private Optional<User> get(GetUserRequest request) {
    try {
      return Optional.of(calls.call(get, request));
    } catch (NotFoundException absent) {
      return Optional.empty();
    }
  }
}
