package io.rapport.client;

import com.google.protobuf.Empty;
import com.google.protobuf.FieldMask;
import io.rapport.identity.v1.BatchUpsertUserPermissionsRequest;
import io.rapport.identity.v1.BatchUpsertUserPermissionsResponse;
import io.rapport.identity.v1.CheckPermissionRequest;
import io.rapport.identity.v1.CheckPermissionResponse;
import io.rapport.identity.v1.CreateUserPermissionRequest;
import io.rapport.identity.v1.DeleteUserPermissionRequest;
import io.rapport.identity.v1.EffectivePermission;
import io.rapport.identity.v1.GetUserPermissionRequest;
import io.rapport.identity.v1.ListEffectivePermissionsRequest;
import io.rapport.identity.v1.ListEffectivePermissionsResponse;
import io.rapport.identity.v1.ListUserPermissionsRequest;
import io.rapport.identity.v1.ListUserPermissionsResponse;
import io.rapport.identity.v1.UpdateUserPermissionRequest;
import io.rapport.identity.v1.UpsertUserPermissionRequest;
import io.rapport.identity.v1.UpsertUserPermissionResponse;
import io.rapport.identity.v1.UserPermission;
import io.rapport.identity.v1.UserPermissionServiceGrpc;
import io.rapport.platform.v1.UpsertOutcome;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What single users may and may not do. Every method may throw a {@link RapportException}. */
public final class PermissionsClient {
  private final Calls calls;
  private final Rpc<GetUserPermissionRequest, UserPermission> get;
  private final Rpc<ListUserPermissionsRequest, ListUserPermissionsResponse> list;
  private final Rpc<CreateUserPermissionRequest, UserPermission> create;
  private final Rpc<UpdateUserPermissionRequest, UserPermission> update;
  private final Rpc<UpsertUserPermissionRequest, UpsertUserPermissionResponse> upsert;
  private final Rpc<BatchUpsertUserPermissionsRequest, BatchUpsertUserPermissionsResponse>
      upsertAll;
  private final Rpc<DeleteUserPermissionRequest, Empty> delete;
  private final Rpc<CheckPermissionRequest, CheckPermissionResponse> check;
  private final Rpc<ListEffectivePermissionsRequest, ListEffectivePermissionsResponse> effective;

  PermissionsClient(Calls calls) {
    this.calls = calls;
    this.get = calls.rpc(UserPermissionServiceGrpc.getGetUserPermissionMethod());
    this.list = calls.rpc(UserPermissionServiceGrpc.getListUserPermissionsMethod());
    this.create = calls.rpc(UserPermissionServiceGrpc.getCreateUserPermissionMethod());
    this.update = calls.rpc(UserPermissionServiceGrpc.getUpdateUserPermissionMethod());
    this.upsert = calls.rpc(UserPermissionServiceGrpc.getUpsertUserPermissionMethod());
    this.upsertAll = calls.batch(UserPermissionServiceGrpc.getBatchUpsertUserPermissionsMethod());
    this.delete = calls.rpc(UserPermissionServiceGrpc.getDeleteUserPermissionMethod());
    this.check = calls.rpc(UserPermissionServiceGrpc.getCheckPermissionMethod());
    this.effective = calls.rpc(UserPermissionServiceGrpc.getListEffectivePermissionsMethod());
  }

  /** The permission with this UUID; empty if there is none. */
  public Optional<UserPermission> get(String id) {
    return get(GetUserPermissionRequest.newBuilder().setId(id).build());
  }

  private Optional<UserPermission> get(GetUserPermissionRequest request) {
    try {
      return Optional.of(calls.call(get, request));
    } catch (NotFoundException absent) {
      return Optional.empty();
    }
  }

  /**
   * The permissions that pass the request's filter, in its order, fetched page by page as the
   * stream is read.
   */
  public Stream<UserPermission> list(ListUserPermissionsRequest request) {
    return Pages.stream(
        request.getPageToken(),
        token -> {
          ListUserPermissionsResponse page =
              calls.call(list, request.toBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getUserPermissionsList(), page.getNextPageToken());
        });
  }

  /**
   * Makes a permission.
   *
   * @throws AlreadyExistsException if one with its id or another key is there
   */
  public UserPermission create(UserPermission userPermission) {
    return calls.call(
        create, CreateUserPermissionRequest.newBuilder().setUserPermission(userPermission).build());
  }

  /**
   * Changes fields of a permission, which must carry the etag that was read.
   *
   * @param paths the fields to change; none: all that are set; {@code *}: all
   * @throws AbortedException with reason ETAG_MISMATCH if it has changed since it was read
   */
  public UserPermission update(UserPermission userPermission, String... paths) {
    return calls.call(
        update,
        UpdateUserPermissionRequest.newBuilder()
            .setUserPermission(userPermission)
            .setUpdateMask(mask(paths))
            .build());
  }

  /**
   * Lets a permission be there as it is sent, found by its natural key. What isn't set stays as it
   * is.
   */
  public UserPermission upsert(UserPermission userPermission) {
    return calls
        .call(
            upsert,
            UpsertUserPermissionRequest.newBuilder().setUserPermission(userPermission).build())
        .getUserPermission();
  }

  /**
   * The same for up to 1,000: all or none.
   *
   * @return what became of each, in their order
   */
  public List<UpsertOutcome> upsert(Iterable<UserPermission> userPermissions) {
    return calls
        .call(
            upsertAll,
            BatchUpsertUserPermissionsRequest.newBuilder()
                .addAllUserPermissions(userPermissions)
                .build())
        .getOutcomesList();
  }

  /**
   * Makes a permission inactive; doing it again changes nothing.
   *
   * @throws NotFoundException if it is not there
   */
  public void delete(String id) {
    calls.call(delete, DeleteUserPermissionRequest.newBuilder().setId(id).build());
  }

  /**
   * Whether a user may do something, by the user's permissions, else by the role.
   *
   * @throws NotFoundException if the user is not there
   */
  public boolean may(String userId, String resource, String action) {
    CheckPermissionRequest request =
        CheckPermissionRequest.newBuilder()
            .setUserId(userId)
            .setResource(resource)
            .setAction(action)
            .build();
    return calls.call(check, request).getPermission().getGranted();
  }

  /** What a user may and may not, by resource and action, fetched page by page. */
  public Stream<EffectivePermission> effective(String userId) {
    return Pages.stream(
        "",
        token -> {
          ListEffectivePermissionsResponse page =
              calls.call(
                  effective,
                  ListEffectivePermissionsRequest.newBuilder()
                      .setUserId(userId)
                      .setPageToken(token)
                      .build());
          return new Pages.Page<>(page.getPermissionsList(), page.getNextPageToken());
        });
  }

  private static FieldMask mask(String... paths) {
    return FieldMask.newBuilder().addAllPaths(List.of(paths)).build();
  }
}
