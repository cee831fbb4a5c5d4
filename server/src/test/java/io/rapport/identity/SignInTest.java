package io.rapport.identity;

import static io.rapport.identity.Users.ada;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Duration;
import com.google.rpc.Code;
import io.rapport.identity.v1.CheckSignInRequest;
import io.rapport.identity.v1.CheckSignInResponse;
import io.rapport.identity.v1.CheckSignInResponse.State;
import io.rapport.identity.v1.DeleteUserRequest;
import io.rapport.identity.v1.ListSignInsRequest;
import io.rapport.identity.v1.SignInFilter;
import io.rapport.identity.v1.SignInRequest;
import io.rapport.identity.v1.SignInResponse;
import io.rapport.identity.v1.SignInServiceGrpc;
import io.rapport.identity.v1.SignOutAllRequest;
import io.rapport.identity.v1.SignOutRequest;
import io.rapport.identity.v1.User;
import io.rapport.platform.v1.IdFilter;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class SignInTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private final Users users = new Users(rapport);

  @Test
  void signsInAndKeepsOnlyTheTokensDigest() throws Exception {
    User user = users.create(ada());

    SignInResponse made = signIn(request(user).setIpAddress("192.0.2.7").setUserAgent("browser"));

    assertThat(made.getToken()).matches("[A-Za-z0-9_-]{43}");
    assertThat(made.getSignIn().getUserId()).isEqualTo(user.getId());
    assertThat(made.getSignIn().getIpAddress()).isEqualTo("192.0.2.7");
    assertThat(made.getSignIn().getActive()).isTrue();
    byte[] digest =
        MessageDigest.getInstance("SHA-256")
            .digest(made.getToken().getBytes(StandardCharsets.US_ASCII));
    assertThat(
            rapport
                .sql()
                .fetchValue(
                    "SELECT token_hash FROM identity.sign_ins WHERE id = ?::uuid",
                    made.getSignIn().getId()))
        .isEqualTo(HexFormat.of().formatHex(digest));
    assertThat(users.get(user.getId()).hasLastLoginAt()).isTrue();
    assertThat(users.get(user.getId()).getEtag()).isEqualTo("\"2\"");
  }

  @Test
  void tellsTheTokenOnce() {
    User user = users.create(ada());
    SignInRequest request = request(user).setRequestId(Given.id()).build();

    SignInResponse first = stub().signIn(request);
    SignInResponse again = stub().signIn(request);

    assertThat(again).isEqualTo(first.toBuilder().clearToken().build());
    assertThat(check(first.getToken()).getState()).isEqualTo(State.VALID);
    assertThat(stub().signIn(request(user).setValidateOnly(true).build()).getToken()).isEmpty();
  }

  @Test
  void saysWhyATokenDoesNotHold() {
    User user = users.create(ada());
    SignInResponse shortly =
        signIn(request(user).setLifetime(Duration.newBuilder().setSeconds(60)));
    SignInResponse revoked = signIn(request(user));
    stub().signOut(SignOutRequest.newBuilder().setToken(revoked.getToken()).build());
    SignInResponse valid = signIn(request(user));

    assertThat(check(shortly.getToken()).getState()).isEqualTo(State.VALID);
    rapport.clock().forward(java.time.Duration.ofSeconds(60));

    assertThat(check(shortly.getToken()).getState()).isEqualTo(State.EXPIRED);
    assertThat(check(revoked.getToken()).getState()).isEqualTo(State.REVOKED);
    assertThat(check("x").getState()).isEqualTo(State.UNKNOWN);
    assertThat(check("x").hasSignIn()).isFalse();
    assertThat(check(valid.getToken()).getSignIn()).isEqualTo(valid.getSignIn());
    users.stub().deleteUser(DeleteUserRequest.newBuilder().setId(user.getId()).build());
    assertThat(check(valid.getToken()).getState()).isEqualTo(State.USER_INACTIVE);
  }

  @Test
  void signsOutOnceAndForAll() {
    User user = users.create(ada());
    SignInResponse one = signIn(request(user));
    SignInResponse two = signIn(request(user));
    SignOutRequest out = SignOutRequest.newBuilder().setId(one.getSignIn().getId()).build();

    assertThat(stub().signOut(out).getSignIn().getActive()).isFalse();
    assertThat(stub().signOut(out).getSignIn().getEtag()).isEqualTo("\"2\"");
    SignOutAllRequest all = SignOutAllRequest.newBuilder().setUserId(user.getId()).build();
    assertThat(stub().signOutAll(all).getCount()).isEqualTo(1);
    assertThat(stub().signOutAll(all).getCount()).isZero();

    assertThat(check(two.getToken()).getState()).isEqualTo(State.REVOKED);
  }

  @Test
  void listsSignInsThatHold() {
    User user = users.create(ada());
    SignInResponse one = signIn(request(user));
    SignInResponse two = signIn(request(user));
    signIn(request(users.create(Users.withEmail("other"))));
    stub().signOut(SignOutRequest.newBuilder().setToken(one.getToken()).build());
    ListSignInsRequest.Builder list =
        ListSignInsRequest.newBuilder()
            .setFilter(
                SignInFilter.newBuilder().setUserId(IdFilter.newBuilder().addValues(user.getId())));

    assertThat(stub().listSignIns(list.build()).getSignInsList()).containsExactly(two.getSignIn());
    assertThat(stub().listSignIns(list.setShowInactive(true).build()).getSignInsList())
        .extracting(it -> it.getId())
        .containsExactly(two.getSignIn().getId(), one.getSignIn().getId());
  }

  @Test
  void signsInNobodyWhoIsNotThereOrNotActive() {
    User user = users.create(ada());
    users.stub().deleteUser(DeleteUserRequest.newBuilder().setId(user.getId()).build());

    assertThat(Told.by(() -> signIn(request(user))).code()).isEqualTo(Code.NOT_FOUND);
    assertThat(
            Told.by(() -> stub().signIn(SignInRequest.newBuilder().setUserId(Given.id()).build()))
                .code())
        .isEqualTo(Code.NOT_FOUND);
    assertThat(Told.by(() -> signIn(request(user).setIpAddress("here"))).fields())
        .containsExactly("ip_address");
  }

  private static SignInServiceGrpc.SignInServiceBlockingStub stub() {
    return SignInServiceGrpc.newBlockingStub(rapport.channel());
  }

  private static SignInRequest.Builder request(User user) {
    return SignInRequest.newBuilder().setUserId(user.getId());
  }

  private static SignInResponse signIn(SignInRequest.Builder request) {
    return stub().signIn(request.build());
  }

  private static CheckSignInResponse check(String token) {
    return stub().checkSignIn(CheckSignInRequest.newBuilder().setToken(token).build());
  }
}
