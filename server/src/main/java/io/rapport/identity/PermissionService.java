package io.rapport.identity;

import io.grpc.ServerServiceDefinition;
import io.rapport.identity.PermissionStore.Right;
import io.rapport.identity.PermissionStore.Standing;
import io.rapport.identity.v1.CheckPermissionRequest;
import io.rapport.identity.v1.CheckPermissionResponse;
import io.rapport.identity.v1.EffectivePermission;
import io.rapport.identity.v1.EffectivePermission.Source;
import io.rapport.identity.v1.ListEffectivePermissionsRequest;
import io.rapport.identity.v1.ListEffectivePermissionsResponse;
import io.rapport.identity.v1.UserPermission;
import io.rapport.identity.v1.UserPermissionServiceGrpc;
import io.rapport.platform.Caller;
import io.rapport.platform.NamePage;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.resource.Resource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/** Says what users may: by their permissions, else by their role. */
final class PermissionService {
  private final TenantDb db;
  private final UserStore users;
  private final Resource<UserPermission> resource;
  private final PermissionStore permissions = new PermissionStore();

  PermissionService(TenantDb db, UserStore users, Resource<UserPermission> resource) {
    this.db = db;
    this.users = users;
    this.resource = resource;
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return resource.serve(
        rpcs.service(UserPermissionServiceGrpc.getServiceDescriptor())
            .unary(UserPermissionServiceGrpc.getCheckPermissionMethod(), this::checkPermission)
            .unary(
                UserPermissionServiceGrpc.getListEffectivePermissionsMethod(),
                this::listEffectivePermissions));
  }

  private CheckPermissionResponse checkPermission(CheckPermissionRequest request) {
    UUID tenant = Caller.currentTenant().id();
    Right right = new Right(request.getResource(), request.getAction());
    EffectivePermission permission =
        db.read(
            tenant,
            dsl -> {
              UUID user = users.behind(dsl, tenant, UUID.fromString(request.getUserId()));
              Standing standing = standing(dsl, tenant, user, request.getUserId());
              Optional<Boolean> own = permissions.permission(dsl, tenant, user, right);
              return effective(standing, right, own.orElse(null));
            });
    return CheckPermissionResponse.newBuilder().setPermission(permission).build();
  }

  private Standing standing(DSLContext dsl, UUID tenant, UUID user, String asked) {
    return permissions
        .standing(dsl, tenant, user)
        .orElseThrow(() -> ServiceException.notFound("user", asked));
  }

  /**
   * Whether a user may do something.
   *
   * @param own whether a permission of the user grants it; null if there is none
   */
  static EffectivePermission effective(Standing user, Right right, @Nullable Boolean own) {
    if (!user.active()) {
      return permission(right, false, Source.INACTIVE);
    }
    if (user.admin()) {
      return permission(right, true, Source.ADMINISTRATOR);
    }
    return own == null
        ? permission(
            right, RoleRights.may(user.role(), right.resource(), right.action()), Source.ROLE)
        : permission(right, own, Source.PERMISSION);
  }

  private static EffectivePermission permission(Right right, boolean granted, Source source) {
    return EffectivePermission.newBuilder()
        .setResource(right.resource())
        .setAction(right.action())
        .setGranted(granted)
        .setSource(source)
        .build();
  }

  private ListEffectivePermissionsResponse listEffectivePermissions(
      ListEffectivePermissionsRequest request) {
    NamePage<EffectivePermission> page =
        new NamePage<>(
            ListEffectivePermissionsRequest.newBuilder().setUserId(request.getUserId()).build(),
            request.getPageSize(),
            request.getPageToken(),
            it -> name(new Right(it.getResource(), it.getAction())));
    List<EffectivePermission> found =
        all(request.getUserId()).tailMap(page.after()).entrySet().stream()
            .filter(it -> !it.getKey().equals(page.after()))
            .limit(page.limit())
            .map(Map.Entry::getValue)
            .toList();
    return ListEffectivePermissionsResponse.newBuilder()
        .addAllPermissions(page.items(found))
        .setNextPageToken(page.nextToken(found))
        .build();
  }

  /** All that roles know of and that the user has a permission for, by name. */
  private SortedMap<String, EffectivePermission> all(String id) {
    UUID tenant = Caller.currentTenant().id();
    return db.read(
        tenant,
        dsl -> {
          UUID user = users.behind(dsl, tenant, UUID.fromString(id));
          Standing standing = standing(dsl, tenant, user, id);
          Map<Right, Boolean> own = permissions.permissions(dsl, tenant, user);
          SortedMap<String, EffectivePermission> all = new TreeMap<>();
          for (String resource : RoleRights.RESOURCES) {
            for (String action : RoleRights.ACTIONS) {
              Right right = new Right(resource, action);
              all.put(name(right), effective(standing, right, own.get(right)));
            }
          }
          own.forEach(
              (right, granted) -> all.put(name(right), effective(standing, right, granted)));
          return all;
        });
  }

  private static String name(Right right) {
    return right.resource() + '\n' + right.action();
  }
}
