package io.rapport.platform;

import static io.rapport.server.Given.eventOf;
import static io.rapport.server.Given.identity;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.rpc.Code;
import io.grpc.ClientInterceptors;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import io.rapport.client.RapportClient;
import io.rapport.identity.v1.CreateTenantRequest;
import io.rapport.identity.v1.LinkIdentityRequest;
import io.rapport.identity.v1.Tenant;
import io.rapport.identity.v1.TenantServiceGrpc;
import io.rapport.identity.v1.User;
import io.rapport.identity.v1.UserServiceGrpc;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Tokens;
import io.rapport.server.Told;
import io.rapport.tracking.v1.DeclarePropertyRequest;
import io.rapport.tracking.v1.EventProperty;
import io.rapport.tracking.v1.EventPropertyServiceGrpc;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A write that names its request is done once. */
class RequestIdTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private LinkIdentityRequest request = LinkIdentityRequest.getDefaultInstance();

  @BeforeEach
  void makeAUser() {
    rapport.client().events().track(eventOf("ada").build());
    String ada = rapport.client().users().get(identity("ada")).orElseThrow().getId();
    request =
        LinkIdentityRequest.newBuilder()
            .setUserId(ada)
            .setIdentity(identity("phone"))
            .setRequestId(Given.id())
            .build();
  }

  @Test
  void answersTheSameRequestAsItDidTheFirstTime() {
    User first = stub().linkIdentity(request);
    stub().linkIdentity(other());
    Call again = new Call();

    User second = again.stub().linkIdentity(request);

    assertThat(second).isEqualTo(first);
    assertThat(again.trailer("rapport-replayed")).isEqualTo("true");
    assertThat(entries()).isEqualTo(3); // made, and two links
  }

  @Test
  void refusesAnotherRequestUnderTheSameId() {
    stub().linkIdentity(request);

    Told otherPayload =
        Told.by(() -> stub().linkIdentity(request.toBuilder().setIdentity(identity("x")).build()));
    Told otherRpc =
        Told.by(() ->
            EventPropertyServiceGrpc.newBlockingStub(rapport.channel())
                .declareProperty(
                    DeclarePropertyRequest.newBuilder()
                        .setName("a")
                        .setType(EventProperty.Type.STRING)
                        .setRequestId(request.getRequestId())
                        .build()));

    for (Told told : List.of(otherPayload, otherRpc)) {
      assertThat(told.code()).isEqualTo(Code.ALREADY_EXISTS);
      assertThat(told.reason()).isEqualTo("REQUEST_ID_REUSED");
      assertThat(told.metadata()).containsKeys("recorded_digest", "sent_digest");
    }
    assertThat(rapport.client().users().get(identity("x"))).isEmpty();
    assertThat(rapport.client().properties().list()).isEmpty();
  }

  @Test
  void holdsForTenantsToo() {
    TenantServiceGrpc.TenantServiceBlockingStub tenants =
        TenantServiceGrpc.newBlockingStub(rapport.channel());
    CreateTenantRequest create =
        CreateTenantRequest.newBuilder()
            .setTenant(Tenant.newBuilder().setId(Given.id()).setDisplayName("Acme " + Given.id()))
            .setRequestId(Given.id())
            .build();
    CreateTenantRequest other =
        create.toBuilder()
            .setTenant(create.getTenant().toBuilder().setDisplayName("Other " + Given.id()))
            .build();

    Tenant made = tenants.createTenant(create);

    assertThat(tenants.createTenant(create)).isEqualTo(made);
    assertThat(Told.by(() -> tenants.createTenant(other)).reason()).isEqualTo("REQUEST_ID_REUSED");
  }

  @Test
  void leavesTheIdToOtherSubjects() {
    stub().linkIdentity(request);

    String token =
        rapport
            .tokens()
            .sign(
                Tokens.claims(rapport.tenant(), Tokens.ALL_RIGHTS, Duration.ofMinutes(5))
                    .subject("someone-else")
                    .build());
    User theirs =
        UserServiceGrpc.newBlockingStub(rapport.channel(token))
            .linkIdentity(request.toBuilder().setIdentity(identity("tablet")).build());

    assertThat(theirs.getIdentitiesList()).contains(identity("tablet"));
  }

  @Test
  void doesTheWorkOnceHoweverManyAskAtTheSameTime() throws Exception {
    List<Future<User>> calls = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 50; i++) {
        calls.add(threads.submit(() -> stub().linkIdentity(request)));
      }
    }

    for (Future<User> call : calls) {
      assertThat(call.get()).isEqualTo(calls.getFirst().get());
    }
    assertThat(entries()).isEqualTo(2);
  }

  @Test
  void isFreeAgainAfterARefusal() {
    LinkIdentityRequest unknown = request.toBuilder().setUserId(Given.id()).build();
    assertThat(Told.by(() -> stub().linkIdentity(unknown)).code()).isEqualTo(Code.NOT_FOUND);

    assertThat(stub().linkIdentity(request).getIdentitiesList()).contains(identity("phone"));
  }

  @Test
  void numbersCommitsWithoutAGap() {
    Call call = new Call();
    call.stub().linkIdentity(request);
    String first = call.trailer("rapport-position");
    call.stub().linkIdentity(other());
    String second = call.trailer("rapport-position");

    assertThat(second).isGreaterThan(first);
    assertThat(
            rapport
                .sql()
                .fetch(
                    "SELECT DISTINCT position FROM platform.change_log WHERE tenant_id = ?"
                        + " ORDER BY 1",
                    rapport.tenant())
                .intoSet(0, Long.class))
        .containsExactly(1L, 2L, 3L);
  }

  @Test
  void givesEventsTheirCommitsPosition() {
    try (RapportClient client = rapport.clientOf(rapport.tenant())) {
      assertThat(client.position()).isEmpty();

      client.events().track(eventOf("ada").build());

      assertThat(client.position()).isPresent();
      assertThat(client.users().get(identity("ada"))).isPresent();
    }
  }

  @Test
  void refusesAPositionThatItDidNotGive() {
    for (String position : List.of("x", "0000000000000001", "0000000000000001AAAAAAAAAAAA")) {
      Metadata headers = new Metadata();
      headers.put(Metadata.Key.of("rapport-at-least", Metadata.ASCII_STRING_MARSHALLER), position);

      Told told =
          Told.by(() ->
              UserServiceGrpc.newBlockingStub(
                      ClientInterceptors.intercept(
                          rapport.channel(), MetadataUtils.newAttachHeadersInterceptor(headers)))
                  .linkIdentity(request));

      assertThat(told.reason()).as(position).isEqualTo("POSITION_INVALID");
    }
  }

  private LinkIdentityRequest other() {
    return request.toBuilder().setIdentity(identity("desk")).setRequestId(Given.id()).build();
  }

  private static UserServiceGrpc.UserServiceBlockingStub stub() {
    return UserServiceGrpc.newBlockingStub(rapport.channel());
  }

  /** The links' and the user's entries in the log. */
  private static int entries() {
    return rapport
        .sql()
        .fetchCount(
            DSL.table("platform.change_log"),
            DSL.condition("tenant_id = ? AND kind = 'identity.user'", rapport.tenant()));
  }

  /** A stub that keeps the last call's trailers. */
  private static final class Call {
    private final AtomicReference<Metadata> headers = new AtomicReference<>();
    private final AtomicReference<Metadata> trailers = new AtomicReference<>();

    UserServiceGrpc.UserServiceBlockingStub stub() {
      return UserServiceGrpc.newBlockingStub(
          ClientInterceptors.intercept(
              rapport.channel(), MetadataUtils.newCaptureMetadataInterceptor(headers, trailers)));
    }

    String trailer(String key) {
      return String.valueOf(
          trailers.get().get(Metadata.Key.of(key, Metadata.ASCII_STRING_MARSHALLER)));
    }
  }
}
