package io.rapport.identity;

import static io.rapport.server.Given.eventOf;
import static io.rapport.server.Given.identity;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import com.google.rpc.Code;
import io.rapport.client.RapportClient;
import io.rapport.identity.v1.GetUserRequest;
import io.rapport.identity.v1.Identity;
import io.rapport.identity.v1.LinkIdentityRequest;
import io.rapport.identity.v1.User;
import io.rapport.identity.v1.UserServiceGrpc;
import io.rapport.server.Given;
import io.rapport.server.Locks;
import io.rapport.server.Rapport;
import io.rapport.server.RapportServer;
import io.rapport.server.Tokens;
import io.rapport.server.Told;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class LinkIdentityTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  @Test
  void linksANewIdentity() {
    String ada = user("ada");

    User linked = link(ada, identity("okta-ada"));

    assertThat(linked.getId()).isEqualTo(ada);
    assertThat(linked.getIdentitiesList()).containsExactly(identity("ada"), identity("okta-ada"));
    assertThat(linked.getAliasesList()).isEmpty();
    assertThat(get("okta-ada").getId()).isEqualTo(ada);
  }

  @Test
  void makesTheUserOfAKnownIdentityAnAlias() {
    String ada = user("ada");
    String device = user("device");

    User linked = link(ada, identity("device"));

    assertThat(linked.getAliasesList()).containsExactly(device);
    assertThat(linked.getIdentitiesList()).containsExactly(identity("ada"), identity("device"));
    assertThat(linked.getAliasOf()).isEmpty();
    assertThat(get("device").getId()).isEqualTo(device);
    assertThat(get("device").getAliasOf()).isEqualTo(ada);
  }

  @Test
  void changesNothingWhenSaidAgain() {
    String ada = user("ada");
    user("device");
    User first = link(ada, identity("device"));

    assertThat(link(ada, identity("device"))).isEqualTo(first);
    assertThat(link(ada, identity("ada"))).isEqualTo(first);
  }

  @Test
  void flattensAliasesOfAliases() {
    String a = user("a");
    String b = user("b");
    String c = user("c");
    link(b, identity("a"));

    User linked = link(c, identity("b"));

    assertThat(linked.getAliasesList()).containsExactlyInAnyOrder(a, b);
    assertThat(get("a").getAliasOf()).isEqualTo(c);
    assertThat(get("b").getAliasOf()).isEqualTo(c);
  }

  @Test
  void meansTheUserBehindAnAlias() {
    String a = user("a");
    String b = user("b");
    String c = user("c");
    link(b, identity("a"));

    User linked = link(a, identity("c"));

    assertThat(linked.getId()).isEqualTo(b);
    assertThat(linked.getAliasesList()).containsExactlyInAnyOrder(a, c);
    assertThat(link(a, identity("b"))).isEqualTo(linked);
  }

  /** Both are held up where each has looked for aliases and not yet committed its own. */
  @Test
  void formsNoCycleWhenTwoServersLinkTwoToEachOtherAtOnce() throws Exception {
    String a = user("a");
    String b = user("b");

    try (RapportServer server = rapport.serve(Map.of());
        RapportClient other = rapport.clientOf(server);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<User>> calls = new ArrayList<>();
      rapport
          .sql()
          .transaction(tx -> {
            tx.dsl()
                .fetch(
                    "SELECT FROM identity.users WHERE tenant_id = ? FOR UPDATE", rapport.tenant());
            calls.add(threads.submit(() -> link(a, identity("b"))));
            calls.add(threads.submit(() -> other.users().link(b, identity("a"))));
            new Locks(tx.dsl()).awaitWaiting(2);
          });
      for (Future<User> call : calls) {
        assertThat(call.get().getAliasOf()).isEmpty();
      }
    }

    List<String> aliasOf = List.of(get("a").getAliasOf(), get("b").getAliasOf());
    assertThat(aliasOf).containsOnlyOnce("");
  }

  @Test
  void waitsWithoutTheConnectionsThatOthersNeed() throws Exception {
    String ada = user("ada");

    String token = rapport.tokens().of(rapport.newTenant(), Tokens.ALL_RIGHTS);
    var other = UserServiceGrpc.newBlockingStub(rapport.channel(token));
    GetUserRequest nobody = GetUserRequest.newBuilder().setId(Given.id()).build();

    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<User>> calls = new ArrayList<>();
      rapport
          .sql()
          .transaction(tx -> {
            tx.dsl()
                .fetch(
                    "SELECT FROM identity.users WHERE tenant_id = ? FOR UPDATE", rapport.tenant());
            for (int i = 0; i < 36; i++) {
              String subject = "x" + i;
              calls.add(threads.submit(() -> link(ada, identity(subject))));
            }
            new Locks(tx.dsl()).awaitWaiting(1);
            for (int i = 0; i < 50; i++) {
              assertThat(Told.by(() -> other.getUser(nobody)).code()).isEqualTo(Code.NOT_FOUND);
            }
          });
      for (Future<User> call : calls) {
        assertLinkedOrToRepeat(call);
      }
    }
  }

  private static void assertLinkedOrToRepeat(Future<User> call) throws InterruptedException {
    try {
      call.get();
    } catch (ExecutionException e) {
      assertThat(Told.of(e).reason()).isIn("LOCK_TIMEOUT", "OVERLOADED");
    }
  }

  @Test
  void letsManyCallersLinkAtOnce() throws Exception {
    String ada = user("ada");

    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<User>> calls = new ArrayList<>();
      for (int i = 0; i < 36; i++) {
        String subject = "x" + i;
        calls.add(threads.submit(() -> link(ada, identity(subject))));
      }
      for (Future<User> call : calls) {
        assertThat(call.get().getId()).isEqualTo(ada);
      }
    }

    assertThat(get("ada").getIdentitiesList()).hasSize(37);
  }

  @Test
  void refusesAUserWhoIsNotThere() {
    String absent = Given.id();
    String theirs;
    try (RapportClient other = rapport.clientOf(rapport.newTenant())) {
      other.events().track(eventOf("theirs").build());
      theirs = other.users().get(identity("theirs")).orElseThrow().getId();
    }

    Told forAbsent = Told.by(() -> link(absent, identity("x")));
    Told forTheirs = Told.by(() -> link(theirs, identity("x")));

    assertThat(forAbsent.code()).isEqualTo(Code.NOT_FOUND);
    assertThat(forAbsent.reason()).isEqualTo("RESOURCE_NOT_FOUND");
    assertThat(forTheirs.status().toString().replace(theirs, absent))
        .isEqualTo(forAbsent.status().toString());
    assertThat(rapport.client().users().get(identity("x"))).isEmpty();
  }

  @Test
  void linksNothingIfOnlyAskedToCheck() {
    String ada = user("ada");
    LinkIdentityRequest.Builder request =
        LinkIdentityRequest.newBuilder()
            .setUserId(ada)
            .setIdentity(identity("x"))
            .setValidateOnly(true);

    assertThat(stub().linkIdentity(request.build()).getId()).isEqualTo(ada);

    assertThat(rapport.client().users().get(identity("x"))).isEmpty();
    assertThat(Told.by(() -> stub().linkIdentity(request.setUserId(Given.id()).build())).code())
        .isEqualTo(Code.NOT_FOUND);
  }

  @Test
  void answersAsIfAndChangesNothingIfOnlyAskedToCheck() {
    String device = user("device");
    User ada = link(user("ada"), identity("device"));

    User checked =
        stub()
            .linkIdentity(
                LinkIdentityRequest.newBuilder()
                    .setUserId(device)
                    .setIdentity(identity("x"))
                    .setValidateOnly(true)
                    .build());

    assertThat(checked.getIdentitiesList())
        .isEqualTo(ada.toBuilder().addIdentities(identity("x")).getIdentitiesList());
    assertThat(checked.getAliasesList()).isEqualTo(ada.getAliasesList());
    assertThat(checked.getEtag()).isNotEqualTo(ada.getEtag());
    assertThat(get("ada")).isEqualTo(ada);
  }

  @Test
  void refusesBadIdentities() {
    String ada = user("ada");
    Identity.Builder good = identity("x").toBuilder();

    for (Identity.Builder bad :
        List.of(
            good.clone().clearProvider(),
            good.clone().setProvider("Okta"),
            good.clone().setProvider("a".repeat(51)),
            good.clone().clearSubject(),
            good.clone().setSubject("x".repeat(256)))) {
      Told told = Told.by(() -> link(ada, bad.build()));
      assertThat(told.reason()).isEqualTo("INVALID_FIELD");
      assertThat(told.fields()).allMatch(it -> it.startsWith("identity."));
    }
    Told nul = Told.by(() -> link(ada, good.setSubject("a\0").build()));
    assertThat(nul.reason()).isEqualTo("TEXT_NUL");
    assertThat(Told.by(() -> link("x", identity("x"))).fields()).containsExactly("user_id");
  }

  @Test
  void findsAUserByExactlyItsIdentity() {
    user("ada");

    assertThat(get("ada").getIdentitiesList()).containsExactly(identity("ada"));
    for (String other : List.of("Ada", "ada ", "a", "аda", "ad%")) {
      assertThat(rapport.client().users().get(identity(other))).isEmpty();
    }
    GetUserRequest none = GetUserRequest.getDefaultInstance();
    assertThat(Told.by(() -> stub().getUser(none)).reason()).isEqualTo("INVALID_FIELD");
  }

  @Test
  void namesWhatWasAskedForIfThereIsNoSuchUser() {
    String absent = Given.id();
    GetUserRequest byId = GetUserRequest.newBuilder().setId(absent).build();
    GetUserRequest byIdentity = GetUserRequest.newBuilder().setIdentity(identity("x")).build();

    assertThat(Told.by(() -> stub().getUser(byId)).metadata())
        .containsOnly(entry("kind", "user"), entry("id", absent));
    assertThat(Told.by(() -> stub().getUser(byIdentity)).metadata())
        .containsOnly(entry("kind", "user"), entry("by", "identity"));
  }

  private static UserServiceGrpc.UserServiceBlockingStub stub() {
    return UserServiceGrpc.newBlockingStub(rapport.channel());
  }

  private static User link(String user, Identity identity) {
    return stub()
        .linkIdentity(
            LinkIdentityRequest.newBuilder().setUserId(user).setIdentity(identity).build());
  }

  private static User get(String subject) {
    return rapport.client().users().get(identity(subject)).orElseThrow();
  }

  /** A user who has done something. */
  private static String user(String subject) {
    rapport.client().events().track(eventOf(subject).build());
    return get(subject).getId();
  }
}
