package io.rapport.identity;

import io.grpc.ServerServiceDefinition;
import io.rapport.identity.v1.CreateTenantRequest;
import io.rapport.identity.v1.GetTenantRequest;
import io.rapport.identity.v1.ListTenantsRequest;
import io.rapport.identity.v1.ListTenantsResponse;
import io.rapport.identity.v1.Tenant;
import io.rapport.identity.v1.TenantServiceGrpc;
import io.rapport.platform.Caller;
import io.rapport.platform.PageTokens;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Uuids;
import java.nio.charset.StandardCharsets;
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
    Caller.Tenant caller = Caller.currentTenant();
    ListTenantsRequest arguments = ListTenantsRequest.getDefaultInstance();
    int size = PageTokens.size(request.getPageSize());
    String after =
        PageTokens.decode(caller, arguments, request.getPageToken())
            .map(cursor -> new String(cursor, StandardCharsets.UTF_8))
            .orElse(null);

    List<Tenant> found = tenants.list(after, size + 1);

    ListTenantsResponse.Builder page =
        ListTenantsResponse.newBuilder().addAllTenants(found.stream().limit(size).toList());
    if (found.size() > size) {
      byte[] last = found.get(size - 1).getDisplayName().getBytes(StandardCharsets.UTF_8);
      page.setNextPageToken(PageTokens.encode(caller, arguments, last));
    }
    return page.build();
  }

  private Tenant createTenant(CreateTenantRequest request) {
    if (request.getValidateOnly()) {
      return request.getTenant();
    }
    Tenant tenant = request.getTenant();
    return tenants.insert(Uuids.parse(tenant.getId()), tenant.getDisplayName());
  }
}
