package io.rapport.identity;

import io.grpc.ServerServiceDefinition;
import io.rapport.identity.v1.IdentityLink;
import io.rapport.identity.v1.IdentityLinkServiceGrpc;
import io.rapport.identity.v1.SignIn;
import io.rapport.identity.v1.SystemSetting;
import io.rapport.identity.v1.SystemSettingServiceGrpc;
import io.rapport.identity.v1.Tenant;
import io.rapport.identity.v1.User;
import io.rapport.identity.v1.UserPermission;
import io.rapport.platform.ChangeSubscriber;
import io.rapport.platform.Rpcs;
import io.rapport.platform.TenantDb;
import io.rapport.platform.TenantDirectory;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.resource.Resources;
import io.rapport.platform.watch.InitialState;
import io.rapport.platform.watch.People;
import java.time.Clock;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/** Builds what belongs to identity. */
public final class IdentityFeature {
  private final TenantDb system;
  private final UnitOfWork systemWork;
  private final TenantStore tenants;
  private final TenantDb db;
  private final UnitOfWork work;
  private final Resources resources;
  private final Clock clock;
  private final UserStore users;

  /**
   * @param system the database as the system role sees it
   * @param systemWork writes as that role
   */
  public IdentityFeature(
      TenantDb db,
      UnitOfWork work,
      TenantDb system,
      UnitOfWork systemWork,
      UserStore users,
      Clock clock) {
    this.system = system;
    this.systemWork = systemWork;
    this.tenants = new TenantStore(system);
    this.db = db;
    this.work = work;
    this.resources = new Resources(db, work);
    this.users = users;
    this.clock = clock;
  }

  public TenantDirectory tenants() {
    return tenants;
  }

  /** Keeps users' last activity. */
  public static ChangeSubscriber activity() {
    return new ActivitySubscriber();
  }

  /** Which users are one person. */
  public static People people() {
    return new PeopleStore();
  }

  /** The entities that are there. */
  public static List<InitialState> initialStates() {
    return Stream.of(
            User.getDefaultInstance(),
            IdentityLink.getDefaultInstance(),
            UserPermission.getDefaultInstance(),
            SignIn.getDefaultInstance(),
            SystemSetting.getDefaultInstance())
        .map(Resources::initialState)
        .toList();
  }

  /** Makes a tenant that must be there, such as the one of development. */
  public void ensureTenant(UUID id, String displayName) {
    Tenant tenant = Tenant.newBuilder().setDisplayName(displayName).build();
    system.write(id, tx -> tenants.insert(tx, id, tenant));
  }

  public List<ServerServiceDefinition> services(Rpcs rpcs) {
    var user = resources.of(User.getDefaultInstance());
    var signIn = resources.of(SignIn.getDefaultInstance());
    var permission = resources.of(UserPermission.getDefaultInstance());
    return List.of(
        new TenantService(systemWork, tenants).bind(rpcs),
        new UserService(db, work, users, user).bind(rpcs),
        new SignInService(db, work, users, signIn, clock).bind(rpcs),
        new PermissionService(db, users, permission).bind(rpcs),
        resources.serve(rpcs, IdentityLinkServiceGrpc.getServiceDescriptor()),
        resources
            .of(SystemSetting.getDefaultInstance())
            .checkedBy(new SettingRule())
            .serve(rpcs.service(SystemSettingServiceGrpc.getServiceDescriptor())));
  }
}
