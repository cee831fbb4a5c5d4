package io.rapport.identity;

import static org.assertj.core.api.Assertions.assertThat;

import io.rapport.identity.v1.ListTenantsRequest;
import io.rapport.identity.v1.ListTenantsResponse;
import io.rapport.identity.v1.Tenant;
import io.rapport.identity.v1.TenantServiceGrpc;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Other tests' tenants are listed too. */
class ListTenantsTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  /** A last page is full if each has one. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void pagesThemByName(int size) {
    List<String> made = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      made.add(rapport.newTenant().toString());
    }

    List<Tenant> listed = new ArrayList<>();
    ListTenantsRequest.Builder request = ListTenantsRequest.newBuilder().setPageSize(size);
    ListTenantsResponse page;
    do {
      page = list(request);
      assertThat(page.getTenantsCount()).isBetween(1, size);
      listed.addAll(page.getTenantsList());
      request.setPageToken(page.getNextPageToken());
    } while (!page.getNextPageToken().isEmpty());

    assertThat(listed)
        .extracting(Tenant::getId)
        .contains(rapport.tenant().toString())
        .containsAll(made)
        .doesNotHaveDuplicates();
    assertThat(listed).extracting(Tenant::getDisplayName).containsExactlyElementsOf(byName());
  }

  private static List<String> byName() {
    return rapport
        .sql()
        .fetch("SELECT display_name FROM identity.tenants ORDER BY display_name")
        .getValues(0, String.class);
  }

  @Test
  void refusesBadPages() {
    var negative = ListTenantsRequest.newBuilder().setPageSize(-1);
    var forged = ListTenantsRequest.newBuilder().setPageToken("AAAA");

    assertThat(Told.by(() -> list(negative)).fields()).containsExactly("page_size");
    assertThat(Told.by(() -> list(forged)).reason()).isEqualTo("PAGE_TOKEN_INVALID");
  }

  private static ListTenantsResponse list(ListTenantsRequest.Builder request) {
    return stub().listTenants(request.build());
  }

  private static TenantServiceGrpc.TenantServiceBlockingStub stub() {
    return TenantServiceGrpc.newBlockingStub(rapport.channel());
  }
}
