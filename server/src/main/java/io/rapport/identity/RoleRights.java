package io.rapport.identity;

import io.rapport.identity.v1.User.Role;
import java.util.List;
import java.util.Set;

/** What roles may do where no permission says otherwise. */
final class RoleRights {
  static final List<String> RESOURCES =
      List.of(
          "etl_jobs",
          "orchestrator",
          "dashboards",
          "logs",
          "settings",
          "users",
          "integrations",
          "admin_panel",
          "log_download");
  static final List<String> ACTIONS = List.of("read", "execute", "delete", "admin");

  private static final String READ = "read";
  private static final Set<String> VIEW = Set.of("etl_jobs", "orchestrator", "dashboards", "logs");

  private RoleRights() {}

  static boolean may(Role role, String resource, String action) {
    return switch (role) {
      case ADMIN -> true;
      case USER ->
          action.equals(READ) && (VIEW.contains(resource) || resource.equals("integrations"));
      case VIEW -> action.equals(READ) && VIEW.contains(resource);
      case ROLE_UNSPECIFIED, UNRECOGNIZED -> false;
    };
  }
}
