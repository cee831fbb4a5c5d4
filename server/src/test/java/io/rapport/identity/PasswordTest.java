package io.rapport.identity;

import static io.rapport.identity.Users.ada;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.rpc.Code;
import io.rapport.identity.v1.DeleteUserRequest;
import io.rapport.identity.v1.SetPasswordRequest;
import io.rapport.identity.v1.User;
import io.rapport.identity.v1.VerifyPasswordRequest;
import io.rapport.identity.v1.VerifyPasswordResponse;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class PasswordTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final String PASSWORD = "Analytical1";

  private final Users users = new Users(rapport);

  @Test
  void verifiesByIdAndByEmail() {
    User user = users.create(ada());
    String etag = set(user.getId(), PASSWORD);

    assertThat(etag).isEqualTo(users.get(user.getId()).getEtag()).isEqualTo("\"2\"");
    assertThat(verify(byId(user.getId()), PASSWORD).getUserId()).isEqualTo(user.getId());
    assertThat(verify(byEmail("ADA@example.org"), PASSWORD).getUserId()).isEqualTo(user.getId());
  }

  @Test
  void answersAllThatIsWrongAlike() {
    User user = users.create(ada());
    users.create(Users.withEmail("none"));
    User deleted = users.create(Users.withEmail("deleted"));
    set(user.getId(), PASSWORD);
    set(deleted.getId(), PASSWORD);
    users.stub().deleteUser(DeleteUserRequest.newBuilder().setId(deleted.getId()).build());

    VerifyPasswordResponse no = VerifyPasswordResponse.getDefaultInstance();

    assertThat(verify(byEmail("ada@example.org"), "Analytical2")).isEqualTo(no);
    assertThat(verify(byEmail("nobody@example.org"), PASSWORD)).isEqualTo(no);
    assertThat(verify(byEmail("none@example.org"), PASSWORD)).isEqualTo(no);
    assertThat(verify(byEmail("deleted@example.org"), PASSWORD)).isEqualTo(no);
    assertThat(verify(byId(Given.id()), PASSWORD)).isEqualTo(no);
    assertThat(verify(byId(user.getId()), PASSWORD).getVerified()).isTrue();
  }

  @Test
  void refusesAnotherPasswordUnderTheSameRequestId() {
    SetPasswordRequest request =
        SetPasswordRequest.newBuilder()
            .setUserId(users.create(ada()).getId())
            .setPassword(PASSWORD)
            .setRequestId(Given.id())
            .build();
    SetPasswordRequest other = request.toBuilder().setPassword("Difference2").build();

    String etag = users.stub().setPassword(request).getEtag();

    assertThat(users.stub().setPassword(request).getEtag()).isEqualTo(etag);
    assertThat(Told.by(() -> users.stub().setPassword(other)).reason())
        .isEqualTo("REQUEST_ID_REUSED");
  }

  @Test
  void replacesAPassword() {
    User user = users.create(ada());
    set(user.getId(), PASSWORD);
    set(user.getId(), "Difference2");

    assertThat(verify(byId(user.getId()), PASSWORD).getVerified()).isFalse();
    assertThat(verify(byId(user.getId()), "Difference2").getVerified()).isTrue();
  }

  @Test
  void keepsAnArgon2idHashThatOthersCanRead() {
    User user = users.create(ada());
    set(user.getId(), PASSWORD);

    String hash =
        rapport
            .sql()
            .fetchSingle(
                "SELECT password_hash FROM identity.users WHERE id = ?::uuid", user.getId())
            .get(0, String.class);

    assertThat(hash)
        .matches("\\$argon2id\\$v=19\\$m=19456,t=2,p=1\\$[A-Za-z0-9+/]{22}\\$[A-Za-z0-9+/]{43}");
    assertThat(users.get(user.getId()).toString()).doesNotContain("argon2").doesNotContain(hash);
  }

  @Test
  void refusesWeakPasswords() {
    User user = users.create(ada());

    for (String weak : List.of("", "Short1", "nouppercase1", "NoDigitHere")) {
      Told told = Told.by(() -> set(user.getId(), weak));
      assertThat(told.reason()).isEqualTo("INVALID_FIELD");
      assertThat(told.fields()).containsExactly("password");
    }
    assertThat(Told.by(() -> set(Given.id(), PASSWORD)).code()).isEqualTo(Code.NOT_FOUND);
  }

  private String set(String user, String password) {
    return users
        .stub()
        .setPassword(SetPasswordRequest.newBuilder().setUserId(user).setPassword(password).build())
        .getEtag();
  }

  private static VerifyPasswordRequest.Builder byId(String id) {
    return VerifyPasswordRequest.newBuilder().setUserId(id);
  }

  private static VerifyPasswordRequest.Builder byEmail(String email) {
    return VerifyPasswordRequest.newBuilder().setEmail(email);
  }

  private VerifyPasswordResponse verify(VerifyPasswordRequest.Builder who, String password) {
    return users.stub().verifyPassword(who.setPassword(password).build());
  }
}
