package io.rapport.identity;

import static io.rapport.identity.Users.ada;
import static io.rapport.server.Given.eventOf;
import static io.rapport.server.Given.identity;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import com.google.rpc.Code;
import io.rapport.identity.v1.CheckPermissionRequest;
import io.rapport.identity.v1.CreateUserPermissionRequest;
import io.rapport.identity.v1.DeleteUserPermissionRequest;
import io.rapport.identity.v1.DeleteUserRequest;
import io.rapport.identity.v1.EffectivePermission;
import io.rapport.identity.v1.EffectivePermission.Source;
import io.rapport.identity.v1.GetUserPermissionRequest;
import io.rapport.identity.v1.ListEffectivePermissionsRequest;
import io.rapport.identity.v1.ListEffectivePermissionsResponse;
import io.rapport.identity.v1.UpdateUserPermissionRequest;
import io.rapport.identity.v1.User;
import io.rapport.identity.v1.User.Role;
import io.rapport.identity.v1.UserPermission;
import io.rapport.identity.v1.UserPermissionKey;
import io.rapport.identity.v1.UserPermissionServiceGrpc;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class PermissionTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private final Users users = new Users(rapport);

  @Test
  void goesByTheRole() {
    User admin = users.create(ada().setRole(Role.ADMIN));
    User user = users.create(Users.withEmail("user"));
    User view = users.create(Users.withEmail("view").setRole(Role.VIEW));

    assertThat(granted(admin, "admin_panel", "delete")).isTrue();
    assertThat(granted(admin, "anything", "else")).isTrue();
    assertThat(granted(user, "integrations", "read")).isTrue();
    assertThat(granted(user, "integrations", "execute")).isFalse();
    assertThat(granted(view, "logs", "read")).isTrue();
    assertThat(granted(view, "integrations", "read")).isFalse();
    assertThat(check(view, "logs", "read").getSource()).isEqualTo(Source.ROLE);
  }

  @Test
  void goesByAPermissionBeforeTheRole() {
    User user = users.create(ada());
    create(permission(user, "admin_panel", "read"));
    create(permission(user, "logs", "read").setGranted(false));

    assertThat(granted(user, "admin_panel", "read")).isTrue();
    assertThat(granted(user, "logs", "read")).isFalse();
    assertThat(check(user, "logs", "read").getSource()).isEqualTo(Source.PERMISSION);
  }

  @Test
  void letsAnAdministratorDoEverything() {
    User user = users.create(ada().setIsAdmin(true));
    create(permission(user, "logs", "read").setGranted(false));

    assertThat(granted(user, "logs", "read")).isTrue();
    assertThat(check(user, "logs", "read").getSource()).isEqualTo(Source.ADMINISTRATOR);
  }

  @Test
  void letsNobodyDoAnythingWhoIsNotActive() {
    User user = users.create(ada().setIsAdmin(true));
    users.stub().deleteUser(DeleteUserRequest.newBuilder().setId(user.getId()).build());

    assertThat(check(user, "logs", "read").getGranted()).isFalse();
    assertThat(check(user, "logs", "read").getSource()).isEqualTo(Source.INACTIVE);
  }

  @Test
  void forgetsADeletedPermission() {
    User user = users.create(ada());
    UserPermission made = create(permission(user, "logs", "read").setGranted(false));
    DeleteUserPermissionRequest.Builder request =
        DeleteUserPermissionRequest.newBuilder().setId(made.getId());

    stub().deleteUserPermission(request.build());

    assertThat(granted(user, "logs", "read")).isTrue();
    stub().deleteUserPermission(request.setHard(true).build());
    assertThat(
            Told.by(() ->
                    stub()
                        .getUserPermission(
                            GetUserPermissionRequest.newBuilder().setId(made.getId()).build()))
                .code())
        .isEqualTo(Code.NOT_FOUND);
  }

  @Test
  void meansTheUserBehindAnAlias() {
    User user = users.create(ada().setIsAdmin(true));
    rapport.client().events().track(eventOf("device").build());
    String device = rapport.client().users().get(identity("device")).orElseThrow().getId();
    rapport.client().users().link(user.getId(), identity("device"));

    assertThat(granted(User.newBuilder().setId(device).build(), "logs", "admin")).isTrue();
  }

  @Test
  void listsAllInPages() {
    User user = users.create(ada());
    create(permission(user, "zebra", "ride"));
    ListEffectivePermissionsRequest.Builder request =
        ListEffectivePermissionsRequest.newBuilder().setUserId(user.getId()).setPageSize(10);

    List<EffectivePermission> all = new ArrayList<>();
    ListEffectivePermissionsResponse page;
    do {
      page = stub().listEffectivePermissions(request.build());
      all.addAll(page.getPermissionsList());
      request.setPageToken(page.getNextPageToken());
    } while (!page.getNextPageToken().isEmpty());

    assertThat(all).hasSize(37).doesNotHaveDuplicates();
    assertThat(all).filteredOn(EffectivePermission::getGranted).hasSize(6);
    assertThat(all)
        .contains(
            EffectivePermission.newBuilder()
                .setResource("zebra")
                .setAction("ride")
                .setGranted(true)
                .setSource(Source.PERMISSION)
                .build());
  }

  @Test
  void findsByItsNaturalKey() {
    User user = users.create(ada());
    UserPermission made = create(permission(user, "logs", "read"));
    UserPermissionKey.Builder key =
        UserPermissionKey.newBuilder()
            .setUserId(user.getId())
            .setResource("logs")
            .setAction("read");

    assertThat(get(key)).isEqualTo(made);
    assertThat(Told.by(() -> get(key.setAction("write"))).code()).isEqualTo(Code.NOT_FOUND);
  }

  private static UserPermission get(UserPermissionKey.Builder key) {
    return stub()
        .getUserPermission(GetUserPermissionRequest.newBuilder().setNaturalKey(key).build());
  }

  @Test
  void namesTheUserWhoIsNotThere() {
    User nobody = User.newBuilder().setId(Given.id()).build();

    Told told = Told.by(() -> create(permission(nobody, "logs", "read")));

    assertThat(told.code()).isEqualTo(Code.NOT_FOUND);
    assertThat(told.reason()).isEqualTo("RESOURCE_NOT_FOUND");
    assertThat(told.metadata())
        .containsOnly(entry("kind", "user"), entry("field", "user_permission.user_id"));
    assertThat(Told.by(() -> check(nobody, "logs", "read")).code()).isEqualTo(Code.NOT_FOUND);
  }

  @Test
  void wantsRequiredFieldsAndKeepsImmutableOnes() {
    User user = users.create(ada());
    UserPermission made = create(permission(user, "logs", "read"));

    Told missing = Told.by(() -> create(permission(user, "", "read")));
    Told moved = Told.by(() -> update(made.toBuilder().setAction("write")));
    UserPermission same = update(made.toBuilder().setGranted(false));

    assertThat(missing.fields()).containsExactly("user_permission.resource");
    assertThat(moved.fields()).containsExactly("user_permission.action");
    assertThat(same.getGranted()).isFalse();
    assertThat(same.getAction()).isEqualTo("read");
  }

  @Test
  void logsWhomAPermissionIsAbout() {
    User user = users.create(ada());
    UserPermission made = create(permission(user, "logs", "read"));

    var entry =
        rapport
            .sql()
            .fetchSingle(
                "SELECT kind, op, entity_id::text, user_id::text FROM platform.change_log"
                    + " WHERE tenant_id = ? ORDER BY position DESC LIMIT 1",
                rapport.tenant());
    assertThat(entry.intoList())
        .containsExactly("identity.user_permission", "CREATED", made.getId(), user.getId());
  }

  private static UserPermissionServiceGrpc.UserPermissionServiceBlockingStub stub() {
    return UserPermissionServiceGrpc.newBlockingStub(rapport.channel());
  }

  private static UserPermission.Builder permission(User user, String resource, String action) {
    return UserPermission.newBuilder()
        .setUserId(user.getId())
        .setResource(resource)
        .setAction(action);
  }

  private static UserPermission create(UserPermission.Builder permission) {
    return stub()
        .createUserPermission(
            CreateUserPermissionRequest.newBuilder().setUserPermission(permission).build());
  }

  private static UserPermission update(UserPermission.Builder permission) {
    return stub()
        .updateUserPermission(
            UpdateUserPermissionRequest.newBuilder().setUserPermission(permission).build());
  }

  private static boolean granted(User user, String resource, String action) {
    return check(user, resource, action).getGranted();
  }

  private static EffectivePermission check(User user, String resource, String action) {
    return stub()
        .checkPermission(
            CheckPermissionRequest.newBuilder()
                .setUserId(user.getId())
                .setResource(resource)
                .setAction(action)
                .build())
        .getPermission();
  }
}
