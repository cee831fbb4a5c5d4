package io.rapport.identity;

import static org.assertj.core.api.Assertions.assertThat;

import io.rapport.client.RapportException;
import io.rapport.identity.v1.CreateTenantRequest;
import io.rapport.identity.v1.Tenant;
import io.rapport.identity.v1.Tenant.ColorSchemaMode;
import io.rapport.identity.v1.TenantServiceGrpc;
import io.rapport.identity.v1.UpdateTenantRequest;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class UpdateTenantTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  @Test
  void keepsAllThatIsSaidOfATenant() {
    Tenant given =
        Tenant.newBuilder()
            .setDisplayName("made " + Given.id())
            .setWebsite("https://example.org")
            .setAssetsFolder("example")
            .setLogoFilename("example.svg")
            .setColorSchemaMode(ColorSchemaMode.CUSTOM)
            .setActive(false)
            .build();

    Tenant made = rapport.client().tenants().create(given);

    assertThat(said(made)).isEqualTo(given);
    assertThat(rapport.client().tenants().get(made.getId())).contains(made);
  }

  @Test
  void completesWhatIsNotSaid() {
    Tenant made = own();

    assertThat(made.getLogoFilename()).isEqualTo("default-logo.png");
    assertThat(made.getColorSchemaMode()).isEqualTo(ColorSchemaMode.DEFAULT);
    assertThat(made.getActive()).isTrue();
    assertThat(made.getLastUpdatedAt()).isEqualTo(made.getCreatedAt());
  }

  @Test
  void changesWhatIsSet() {
    Tenant made = own();

    Tenant changed =
        rapport
            .client()
            .tenants()
            .update(
                Tenant.newBuilder()
                    .setId(made.getId())
                    .setEtag(made.getEtag())
                    .setWebsite("https://example.org")
                    .build());

    assertThat(changed.getWebsite()).isEqualTo("https://example.org");
    assertThat(changed.getDisplayName()).isEqualTo(made.getDisplayName());
    assertThat(changed.getEtag()).isNotEqualTo(made.getEtag());
    assertThat(rapport.client().tenants().get(made.getId())).contains(changed);
  }

  @Test
  void clearsWhatTheMaskNames() {
    Tenant made = own();
    Tenant changed =
        rapport
            .client()
            .tenants()
            .update(made.toBuilder().setWebsite("a").setLogoFilename("b").build());

    Tenant cleared =
        rapport
            .client()
            .tenants()
            .update(
                changed.toBuilder().clearWebsite().clearLogoFilename().build(),
                "website",
                "logo_filename");

    assertThat(said(cleared)).isEqualTo(said(made));
  }

  @Test
  void changesNothingThatIsSoAlready() {
    Tenant made = own();

    assertThat(rapport.client().tenants().update(made)).isEqualTo(made);
  }

  @Test
  void refusesAStaleEtag() {
    Tenant made = own();
    rapport.client().tenants().update(made.toBuilder().setWebsite("a").build());

    Told told = update(made.toBuilder().setWebsite("b").build());

    assertThat(told.reason()).isEqualTo("ETAG_MISMATCH");
  }

  @Test
  void refusesTheNameOfAnother() {
    Tenant other = rapport.client().tenants().get(rapport.newTenant().toString()).orElseThrow();

    Told told = update(own().toBuilder().setDisplayName(other.getDisplayName()).build());

    assertThat(told.reason()).isEqualTo("RESOURCE_EXISTS");
  }

  @Test
  void namesWhatIsMissing() {
    Tenant made = own();

    assertThat(update(made.toBuilder().clearId().build()).fields()).containsExactly("tenant.id");
    assertThat(update(made.toBuilder().clearEtag().build()).fields())
        .containsExactly("tenant.etag");
    assertThat(update(made.toBuilder().setId(Given.id()).build()).reason())
        .isEqualTo("RESOURCE_NOT_FOUND");
    assertThat(
            Told.by(() ->
                    stub()
                        .createTenant(
                            CreateTenantRequest.newBuilder()
                                .setTenant(Tenant.getDefaultInstance())
                                .build()))
                .fields())
        .containsExactly("tenant.display_name");
  }

  @Test
  void isFoundByNameAndWebsite() {
    rapport.client().tenants().update(own().toBuilder().setWebsite("https://example.org").build());

    assertThat(
            rapport
                .sql()
                .fetchValue(
                    "SELECT content FROM search.documents WHERE kind = 'identity.tenant' AND id = ?",
                    rapport.tenant()))
        .isEqualTo("test " + rapport.tenant() + "\nhttps://example.org");
  }

  private static Tenant own() throws RapportException {
    return rapport.client().tenants().get(rapport.tenant().toString()).orElseThrow();
  }

  private static Told update(Tenant tenant) {
    return Told.by(
        () -> stub().updateTenant(UpdateTenantRequest.newBuilder().setTenant(tenant).build()));
  }

  private static TenantServiceGrpc.TenantServiceBlockingStub stub() {
    return TenantServiceGrpc.newBlockingStub(rapport.channel());
  }

  /** Without what the service adds. */
  private static Tenant said(Tenant tenant) {
    return tenant.toBuilder().clearId().clearCreatedAt().clearLastUpdatedAt().clearEtag().build();
  }
}
