package io.rapport.identity;

import io.grpc.ServerServiceDefinition;
import io.grpc.Status.Code;
import io.rapport.identity.v1.CreateTenantRequest;
import io.rapport.identity.v1.GetTenantRequest;
import io.rapport.identity.v1.ListTenantsRequest;
import io.rapport.identity.v1.ListTenantsResponse;
import io.rapport.identity.v1.Tenant;
import io.rapport.identity.v1.TenantServiceGrpc;
import io.rapport.identity.v1.UpdateTenantRequest;
import io.rapport.platform.Ids;
import io.rapport.platform.NamePage;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.v1.ErrorReason;
import java.util.List;
import java.util.UUID;
import org.jooq.DSLContext;

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
        .unary(TenantServiceGrpc.getUpdateTenantMethod(), this::updateTenant)
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
    requireName(tenant);
    String given = tenant.getId().isEmpty() ? request.getRequestId() : tenant.getId();
    UUID id = given.isEmpty() ? Ids.next() : UUID.fromString(given);
    return work.write(request, Tenant.parser(), tx -> tenants.insert(tx.dsl(), id, tenant));
  }

  private static void requireName(Tenant tenant) {
    if (tenant.getDisplayName().isEmpty()) {
      throw invalid("tenant.display_name", "is required");
    }
  }

  private static ServiceException invalid(String field, String description) {
    return ServiceException.invalid(field, ErrorReason.INVALID_FIELD, description);
  }

  private Tenant updateTenant(UpdateTenantRequest request) {
    Tenant tenant = request.getTenant();
    if (tenant.getId().isEmpty()) {
      throw invalid("tenant.id", "is required");
    }
    if (tenant.getEtag().isEmpty()) {
      throw invalid("tenant.etag", "is required: send the one that was read");
    }
    TenantChange change = TenantChange.of(tenant, request.getUpdateMask());
    UUID id = UUID.fromString(tenant.getId());
    return work.write(request, Tenant.parser(), tx -> update(tx.dsl(), id, change));
  }

  private Tenant update(DSLContext tx, UUID id, TenantChange change) {
    Tenant before =
        tenants.lock(tx, id).orElseThrow(() -> ServiceException.notFound("tenant", id.toString()));
    if (!before.getEtag().equals(change.etag())) {
      throw ServiceException.of(
              Code.ABORTED,
              ErrorReason.ETAG_MISMATCH,
              "the tenant has changed since its etag was read")
          .with("kind", "tenant")
          .with("id", id.toString())
          .with("etag", before.getEtag());
    }
    Tenant after = change.on(before);
    requireName(after);
    return after.equals(before) ? before : tenants.update(tx, id, after);
  }
}
