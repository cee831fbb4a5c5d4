package io.rapport.platform;

import java.util.Optional;
import java.util.UUID;

/** Knows the tenants. */
public interface TenantDirectory {
  Optional<Caller.Tenant> find(UUID id);
}
