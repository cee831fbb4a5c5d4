package io.rapport.client;

import com.google.protobuf.Empty;
import com.google.protobuf.FieldMask;
import io.rapport.identity.v1.BatchUpsertUsersRequest;
import io.rapport.identity.v1.BatchUpsertUsersResponse;
import io.rapport.identity.v1.CreateUserRequest;
import io.rapport.identity.v1.DeleteUserRequest;
import io.rapport.identity.v1.GetUserRequest;
import io.rapport.identity.v1.Identity;
import io.rapport.identity.v1.LinkIdentityRequest;
import io.rapport.identity.v1.ListUsersRequest;
import io.rapport.identity.v1.ListUsersResponse;
import io.rapport.identity.v1.SetPasswordRequest;
import io.rapport.identity.v1.SetPasswordResponse;
import io.rapport.identity.v1.UpdateUserRequest;
import io.rapport.identity.v1.UpsertUserRequest;
import io.rapport.identity.v1.UpsertUserResponse;
import io.rapport.identity.v1.User;
import io.rapport.identity.v1.UserServiceGrpc;
import io.rapport.identity.v1.VerifyPasswordRequest;
import io.rapport.identity.v1.VerifyPasswordResponse;
import io.rapport.platform.v1.UpsertOutcome;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The users of the tenant and the names that other systems know them by. Every method may throw a
 * {@link RapportException}.
 */
public final class UsersClient {
  private final Calls calls;
  private final Rpc<GetUserRequest, User> get;
  private final Rpc<ListUsersRequest, ListUsersResponse> list;
  private final Rpc<CreateUserRequest, User> create;
  private final Rpc<UpdateUserRequest, User> update;
  private final Rpc<UpsertUserRequest, UpsertUserResponse> upsert;
  private final Rpc<BatchUpsertUsersRequest, BatchUpsertUsersResponse> upsertAll;
  private final Rpc<DeleteUserRequest, Empty> delete;
  private final Rpc<LinkIdentityRequest, User> link;
  private final Rpc<SetPasswordRequest, SetPasswordResponse> setPassword;
  private final Rpc<VerifyPasswordRequest, VerifyPasswordResponse> verifyPassword;

  UsersClient(Calls calls) {
    this.calls = calls;
    this.get = calls.rpc(UserServiceGrpc.getGetUserMethod());
    this.list = calls.rpc(UserServiceGrpc.getListUsersMethod());
    this.create = calls.rpc(UserServiceGrpc.getCreateUserMethod());
    this.update = calls.rpc(UserServiceGrpc.getUpdateUserMethod());
    this.upsert = calls.rpc(UserServiceGrpc.getUpsertUserMethod());
    this.upsertAll = calls.batch(UserServiceGrpc.getBatchUpsertUsersMethod());
    this.delete = calls.rpc(UserServiceGrpc.getDeleteUserMethod());
    this.link = calls.rpc(UserServiceGrpc.getLinkIdentityMethod());
    this.setPassword = calls.rpc(UserServiceGrpc.getSetPasswordMethod());
    this.verifyPassword = calls.rpc(UserServiceGrpc.getVerifyPasswordMethod());
  }

  /** The user with this UUID; empty if there is none. */
  public Optional<User> get(String id) {
    return get(GetUserRequest.newBuilder().setId(id).build());
  }

  /** The user whom another system calls so; empty if there is none. */
  public Optional<User> get(Identity identity) {
    return get(GetUserRequest.newBuilder().setIdentity(identity).build());
  }

  /** The user with this email address, whatever its case; empty if there is none. */
  public Optional<User> byEmail(String email) {
    return get(GetUserRequest.newBuilder().setEmail(email).build());
  }

  private Optional<User> get(GetUserRequest request) {
    try {
      return Optional.of(calls.call(get, request));
    } catch (NotFoundException absent) {
      return Optional.empty();
    }
  }

  /**
   * The users that pass the request's filter, in its order, fetched page by page as the stream is
   * read.
   */
  public Stream<User> list(ListUsersRequest request) {
    return Pages.stream(
        request.getPageToken(),
        token -> {
          ListUsersResponse page =
              calls.call(list, request.toBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getUsersList(), page.getNextPageToken());
        });
  }

  /**
   * Makes a user.
   *
   * @throws AlreadyExistsException if one with its id or another key is there
   */
  public User create(User user) {
    return calls.call(create, CreateUserRequest.newBuilder().setUser(user).build());
  }

  /**
   * Changes fields of a user, which must carry the etag that was read.
   *
   * @param paths the fields to change; none: all that are set; {@code *}: all
   * @throws AbortedException with reason ETAG_MISMATCH if it has changed since it was read
   */
  public User update(User user, String... paths) {
    return calls.call(
        update, UpdateUserRequest.newBuilder().setUser(user).setUpdateMask(mask(paths)).build());
  }

  /**
   * Lets a user be there as it is sent, found by its natural key. What isn't set stays as it is.
   */
  public User upsert(User user) {
    return calls.call(upsert, UpsertUserRequest.newBuilder().setUser(user).build()).getUser();
  }

  /**
   * The same for up to 1,000: all or none.
   *
   * @return what became of each, in their order
   */
  public List<UpsertOutcome> upsert(Iterable<User> users) {
    return calls
        .call(upsertAll, BatchUpsertUsersRequest.newBuilder().addAllUsers(users).build())
        .getOutcomesList();
  }

  /**
   * Makes a user inactive; doing it again changes nothing.
   *
   * @throws NotFoundException if it is not there
   */
  public void delete(String id) {
    calls.call(delete, DeleteUserRequest.newBuilder().setId(id).build());
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

  /**
   * Gives a user a password.
   *
   * @param password 8 to 200 characters, a digit and an upper-case letter among them
   * @throws NotFoundException if the user is not there
   */
  public void setPassword(String userId, String password) {
    calls.call(
        setPassword,
        SetPasswordRequest.newBuilder().setUserId(userId).setPassword(password).build());
  }

  /** The UUID of the active user with this email address, if the password is theirs. */
  public Optional<String> verifyPassword(String email, String password) {
    VerifyPasswordResponse answer =
        calls.call(
            verifyPassword,
            VerifyPasswordRequest.newBuilder().setEmail(email).setPassword(password).build());
    return Optional.of(answer.getUserId()).filter(id -> answer.getVerified());
  }

  private static FieldMask mask(String... paths) {
    return FieldMask.newBuilder().addAllPaths(List.of(paths)).build();
  }
}
