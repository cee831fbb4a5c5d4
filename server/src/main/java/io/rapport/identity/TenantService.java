package io.rapport.identity;

import io.grpc.ServerServiceDefinition;
import io.rapport.identity.v1.CreateTenantRequest;
import io.rapport.identity.v1.GetTenantRequest;
import io.rapport.identity.v1.ListTenantsRequest;
import io.rapport.identity.v1.ListTenantsResponse;
import io.rapport.identity.v1.Tenant;
import io.rapport.identity.v1.TenantServiceGrpc;
import io.rapport.platform.Ids;
import io.rapport.platform.NamePage;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.UnitOfWork;
import java.util.List;
import java.util.UUID;

/** The RPCs of tenants. */
final class TenantService {
  private final UnitOfWork work;
  private final TenantStore tenants;

  /**
   * @param work as the system role
   */
  TenantService(UnitOfWork work, TenantStore tenants) {
    this.work = work;
    this.tenants = tenants;
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return rpcs.service(TenantServiceGrpc.getServiceDescriptor())
        .unary(TenantServiceGrpc.getGetTenantMethod(), this::getTenant)
        .unary(TenantServiceGrpc.getListTenantsMethod(), this::listTenants)
        .unary(TenantServiceGrpc.getCreateTenantMethod(), this::createTenant)
        .build();
  }

  private Tenant getTenant(GetTenantRequest request) {
    return tenants
        .get(UUID.fromString(request.getId()))
        .orElseThrow(() -> ServiceException.notFound("tenant", request.getId()));
  }

  private ListTenantsResponse listTenants(ListTenantsRequest request) {
    NamePage<Tenant> page =
        new NamePage<>(
            ListTenantsRequest.getDefaultInstance(),
            request.getPageSize(),
            request.getPageToken(),
            Tenant::getDisplayName);
    List<Tenant> found = tenants.list(page.after(), page.limit());
    return ListTenantsResponse.newBuilder()
        .addAllTenants(page.items(found))
        .setNextPageToken(page.nextToken(found))
        .build();
  }

  private Tenant createTenant(CreateTenantRequest request) {
    Tenant tenant = request.getTenant();
    String given = tenant.getId().isEmpty() ? request.getRequestId() : tenant.getId();
    UUID id = given.isEmpty() ? Ids.next() : UUID.fromString(given);
    return work.write(
        request, Tenant.parser(), tx -> tenants.insert(tx.dsl(), id, tenant.getDisplayName()));
  }
}
