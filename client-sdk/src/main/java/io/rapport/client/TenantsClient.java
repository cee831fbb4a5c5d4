package io.rapport.client;

import com.google.protobuf.FieldMask;
import io.rapport.identity.v1.CreateTenantRequest;
import io.rapport.identity.v1.GetTenantRequest;
import io.rapport.identity.v1.ListTenantsRequest;
import io.rapport.identity.v1.ListTenantsResponse;
import io.rapport.identity.v1.Tenant;
import io.rapport.identity.v1.TenantServiceGrpc;
import io.rapport.identity.v1.UpdateTenantRequest;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Makes, shows and changes tenants, for operators. Every method may throw a {@link
 * RapportException}.
 */
public final class TenantsClient {
  private final Calls calls;
  private final Rpc<GetTenantRequest, Tenant> get;
  private final Rpc<ListTenantsRequest, ListTenantsResponse> list;
  private final Rpc<CreateTenantRequest, Tenant> create;
  private final Rpc<UpdateTenantRequest, Tenant> update;

  TenantsClient(Calls calls) {
    this.calls = calls;
    this.get = calls.rpc(TenantServiceGrpc.getGetTenantMethod());
    this.list = calls.rpc(TenantServiceGrpc.getListTenantsMethod());
    this.create = calls.rpc(TenantServiceGrpc.getCreateTenantMethod());
    this.update = calls.rpc(TenantServiceGrpc.getUpdateTenantMethod());
  }

  /** The tenant with this UUID; empty if there is none. */
  public Optional<Tenant> get(String id) {
    try {
      return Optional.of(calls.call(get, GetTenantRequest.newBuilder().setId(id).build()));
    } catch (NotFoundException absent) {
      return Optional.empty();
    }
  }

  /** The tenants, by name, fetched page by page as the stream is read. */
  public Stream<Tenant> list() {
    return Pages.stream(
        "",
        token -> {
          ListTenantsResponse page =
              calls.call(list, ListTenantsRequest.newBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getTenantsList(), page.getNextPageToken());
        });
  }

  /**
   * Makes a tenant, with a new id if it has none.
   *
   * @return the tenant; the one that is there if id and name are the same
   * @throws AlreadyExistsException if the id has another name, or another tenant the name
   */
  public Tenant create(Tenant tenant) {
    Tenant identified =
        tenant.getId().isEmpty() ? tenant.toBuilder().setId(EventIds.next()).build() : tenant;
    return calls.call(create, CreateTenantRequest.newBuilder().setTenant(identified).build());
  }

  /**
   * Changes fields of a tenant, which must carry the etag that was read.
   *
   * @param paths the fields to change; none: all that are set; {@code *}: all
   * @throws AbortedException with reason ETAG_MISMATCH if it has changed since it was read
   * @throws AlreadyExistsException if another tenant has the name
   */
  public Tenant update(Tenant tenant, String... paths) {
    return calls.call(
        update,
        UpdateTenantRequest.newBuilder()
            .setTenant(tenant)
            .setUpdateMask(FieldMask.newBuilder().addAllPaths(List.of(paths)))
            .build());
  }
}
