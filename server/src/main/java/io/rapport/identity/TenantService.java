package io.rapport.identity;

import io.grpc.ServerServiceDefinition;
import io.rapport.identity.v1.CreateTenantRequest;
import io.rapport.identity.v1.GetTenantRequest;
import io.rapport.identity.v1.ListTenantsRequest;
import io.rapport.identity.v1.ListTenantsResponse;
import io.rapport.identity.v1.Tenant;
import io.rapport.identity.v1.TenantServiceGrpc;
import io.rapport.platform.NamePage;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Uuids;
import java.util.List;
import java.util.UUID;

/** The RPCs of tenants. */
final class TenantService {
  private final TenantStore tenants;

  TenantService(TenantStore tenants) {
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
    if (request.getValidateOnly()) {
      return request.getTenant();
    }
    Tenant tenant = request.getTenant();
    String id = tenant.getId().isEmpty() ? request.getRequestId() : tenant.getId();
    return tenants.insert(Uuids.parse(id), tenant.getDisplayName());
  }
}
