package io.rapport.identity;

import static io.rapport.identity.Users.ada;
import static io.rapport.identity.Users.mask;
import static io.rapport.identity.Users.withEmail;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import com.google.rpc.Code;
import io.grpc.StatusRuntimeException;
import io.rapport.identity.v1.CreateUserRequest;
import io.rapport.identity.v1.DeleteUserRequest;
import io.rapport.identity.v1.GetUserRequest;
import io.rapport.identity.v1.UpdateUserRequest;
import io.rapport.identity.v1.UpsertUserRequest;
import io.rapport.identity.v1.UpsertUserResponse;
import io.rapport.identity.v1.User;
import io.rapport.identity.v1.User.Role;
import io.rapport.identity.v1.User.ThemeMode;
import io.rapport.platform.v1.UpsertOutcome;
import io.rapport.platform.v1.UpsertOutcome.Result;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The standard methods that write, as users have them. */
class UserWritesTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private final Users users = new Users(rapport);

  @Test
  void createsAUserWithDefaults() {
    User made = users.create(ada());

    assertThat(made.getId()).isNotEmpty();
    assertThat(made.getEtag()).isEqualTo("\"1\"");
    assertThat(made.getRole()).isEqualTo(Role.USER);
    assertThat(made.getThemeMode()).isEqualTo(ThemeMode.LIGHT);
    assertThat(made.getActive()).isTrue();
    assertThat(made.hasIsAdmin()).isTrue();
    assertThat(made.getIsAdmin()).isFalse();
    assertThat(made.hasCreatedAt()).isTrue();
    assertThat(made.hasLastLoginAt()).isFalse();
    assertThat(users.get(made.getId())).isEqualTo(made);
  }

  @Test
  void keepsEveryField() {
    User.Builder whole =
        ada()
            .setId(Given.id())
            .setLastName("Lovelace")
            .setPhoneNumber("+44 20 7946 0000")
            .setDateOfBirth("1815-12-10")
            .setRole(Role.VIEW)
            .setIsAdmin(true)
            .setAuthProvider(User.AuthProvider.OKTA)
            .setOktaUserId("00u1")
            .setThemeMode(ThemeMode.DARK)
            .setHighContrastMode(true)
            .setReduceMotion(true)
            .setColorblindSafePalette(true)
            .setAccessibilityLevel(User.AccessibilityLevel.AAA)
            .setProfileImageFilename("ada.png")
            .setOnboardingCompleted(true)
            .setActive(true);

    User made = users.create(whole);

    User.Builder sent = made.toBuilder().clearCreatedAt().clearLastUpdatedAt().clearEtag();
    assertThat(sent.build()).isEqualTo(whole.build());
  }

  @Test
  void namesTheKeyOfAUserWhoIsThere() {
    User made = users.create(ada().setOktaUserId("00u1"));

    Told email = Told.by(() -> users.create(withEmail("ADA")));
    Told okta = Told.by(() -> users.create(withEmail("b").setOktaUserId("00u1")));
    Told id = Told.by(() -> users.create(withEmail("c").setId(made.getId())));

    assertThat(email.code()).isEqualTo(Code.ALREADY_EXISTS);
    assertThat(email.reason()).isEqualTo("RESOURCE_EXISTS");
    assertThat(email.metadata())
        .containsOnly(entry("kind", "user"), entry("key", "email"), entry("field", "user.email"));
    assertThat(okta.metadata()).contains(entry("key", "okta_user_id"));
    assertThat(id.metadata()).contains(entry("key", "id"));
  }

  @Test
  void findsByEmailWhateverItsCase() {
    User made = users.create(ada());

    for (String email : List.of("ada@example.org", "ADA@Example.ORG")) {
      assertThat(users.stub().getUser(GetUserRequest.newBuilder().setEmail(email).build()))
          .isEqualTo(made);
    }
    Told none =
        Told.by(() ->
            users.stub().getUser(GetUserRequest.newBuilder().setEmail("da@example.org").build()));
    assertThat(none.metadata()).containsOnly(entry("kind", "user"), entry("by", "email"));
  }

  @Test
  void returnsOnlyWhatTheReadMaskNames() {
    User made = users.create(ada());
    GetUserRequest.Builder request = GetUserRequest.newBuilder().setId(made.getId());

    User read = users.stub().getUser(request.setReadMask(mask("email", "etag")).build());
    Told unknown =
        Told.by(() -> users.stub().getUser(request.setReadMask(mask("email", "x")).build()));

    assertThat(read)
        .isEqualTo(User.newBuilder().setEmail("ada@example.org").setEtag("\"1\"").build());
    assertThat(unknown.fields()).containsExactly("read_mask.paths[1]");
  }

  @Test
  void changesWhatIsSetOrNamed() {
    User made = users.create(ada().setLastName("Lovelace"));

    User set = users.update(user(made).setFirstName("Augusta"));
    User cleared = users.update(user(set), "last_name");

    assertThat(set.getFirstName()).isEqualTo("Augusta");
    assertThat(set.getLastName()).isEqualTo("Lovelace");
    assertThat(set.getEtag()).isEqualTo("\"2\"");
    assertThat(cleared.getLastName()).isEmpty();
    assertThat(cleared.getFirstName()).isEqualTo("Augusta");
  }

  @Test
  void replacesAllByAStar() {
    User made = users.create(ada().setLastName("Lovelace").setRole(Role.ADMIN).setIsAdmin(true));

    User replaced = users.update(user(made).setEmail("a@example.org"), "*");

    assertThat(replaced.getEmail()).isEqualTo("a@example.org");
    assertThat(replaced.getFirstName()).isEmpty();
    assertThat(replaced.getLastName()).isEmpty();
    assertThat(replaced.getRole()).isEqualTo(Role.USER);
    assertThat(replaced.getIsAdmin()).isFalse();
    assertThat(replaced.getCreatedAt()).isEqualTo(made.getCreatedAt());
  }

  @Test
  void passesOverWhatCallersCannotSet() {
    User made = users.create(ada());

    User same =
        users.update(
            user(made).setAliasOf(Given.id()).setLastLoginAt(Given.time("2026-01-01T00:00:00Z")),
            "alias_of",
            "last_login_at",
            "id");

    assertThat(same).isEqualTo(made);
  }

  @Test
  void refusesAnUnknownPath() {
    User made = users.create(ada());

    Told told = Told.by(() -> users.update(user(made), "email", "identities.subject"));

    assertThat(told.reason()).isEqualTo("INVALID_FIELD");
    assertThat(told.fields()).containsExactly("update_mask.paths[1]");
  }

  @Test
  void wantsTheCurrentEtag() {
    User made = users.create(ada());
    users.update(user(made).setFirstName("Augusta"));

    Told stale = Told.by(() -> users.update(user(made).setFirstName("A")));
    Told none = Told.by(() -> users.update(user(made).clearEtag().setFirstName("A")));

    assertThat(stale.code()).isEqualTo(Code.ABORTED);
    assertThat(stale.reason()).isEqualTo("ETAG_MISMATCH");
    assertThat(stale.metadata()).contains(entry("etag", "\"2\""));
    assertThat(none.fields()).containsExactly("user.etag");
    assertThat(users.get(made.getId()).getFirstName()).isEqualTo("Augusta");
  }

  @Test
  void writesNothingIfNothingChanges() {
    User made = users.create(ada());
    long before = changes();
    String version = version(made);

    assertThat(users.update(made.toBuilder())).isEqualTo(made);
    assertThat(users.update(made.toBuilder(), "*")).isEqualTo(made);
    assertThat(users.upsert(List.of(ada().build())).getFirst().getResult())
        .isEqualTo(Result.UNCHANGED);

    assertThat(changes()).isEqualTo(before);
    assertThat(version(made)).isEqualTo(version);
  }

  @Test
  void losesNoUpdateOfManyAtOnce() throws Exception {
    User made = users.create(ada().setProfileImageFilename("0"));
    int each = 10;

    try (ExecutorService threads = Executors.newFixedThreadPool(6)) {
      List<Future<?>> counting = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        counting.add(threads.submit(() -> count(made.getId(), each)));
      }
      for (Future<?> it : counting) {
        it.get();
      }
    }

    User counted = users.get(made.getId());
    assertThat(counted.getProfileImageFilename()).isEqualTo(String.valueOf(6 * each));
    assertThat(counted.getEtag()).isEqualTo("\"" + (6 * each + 1) + "\"");
  }

  /** Adds to a number, again and again whenever another was faster. */
  private void count(String id, int times) {
    int done = 0;
    while (done < times) {
      User read = users.get(id);
      int next = Integer.parseInt(read.getProfileImageFilename()) + 1;
      try {
        users.update(user(read).setProfileImageFilename(String.valueOf(next)));
        done++;
      } catch (StatusRuntimeException e) {
        assertThat(Told.of(e).reason()).isEqualTo("ETAG_MISMATCH");
      }
    }
  }

  @Test
  void upsertsInOneBatchAndInOrder() {
    users.create(withEmail("same").setFirstName("S"));
    users.create(withEmail("other").setFirstName("O").setLastName("kept"));

    List<UpsertOutcome> outcomes =
        users.upsert(
            List.of(
                withEmail("new").setFirstName("N").build(),
                withEmail("SAME").setEmail("same@example.org").setFirstName("S").build(),
                withEmail("other").setFirstName("P").build()));

    assertThat(outcomes)
        .extracting(UpsertOutcome::getResult)
        .containsExactly(Result.CREATED, Result.UNCHANGED, Result.UPDATED);
    assertThat(outcomes)
        .extracting(UpsertOutcome::getEtag)
        .containsExactly("\"1\"", "\"1\"", "\"2\"");
    User updated = users.get(outcomes.get(2).getId());
    assertThat(updated.getFirstName()).isEqualTo("P");
    assertThat(updated.getLastName()).isEqualTo("kept");
    assertThat(users.get(outcomes.get(0).getId()).getRole()).isEqualTo(Role.USER);
  }

  @Test
  void keepsWhatAnItemLeavesUnsetThatAnotherSets() {
    users.create(ada().setRole(Role.ADMIN).setLastName("Lovelace"));
    users.create(withEmail("b").setRole(Role.ADMIN));

    List<UpsertOutcome> outcomes =
        users.upsert(
            List.of(
                withEmail("b").setRole(Role.VIEW).setLastName("B").build(),
                ada().setFirstName("Augusta").build(),
                withEmail("c").build(),
                withEmail("d").setIsAdmin(true).build()));

    assertThat(outcomes)
        .extracting(UpsertOutcome::getResult)
        .containsExactly(Result.UPDATED, Result.UPDATED, Result.CREATED, Result.CREATED);
    User changed = users.get(outcomes.get(1).getId());
    assertThat(changed.getRole()).isEqualTo(Role.ADMIN);
    assertThat(changed.getLastName()).isEqualTo("Lovelace");
    assertThat(changed.getFirstName()).isEqualTo("Augusta");
    assertThat(users.get(outcomes.get(0).getId()).getRole()).isEqualTo(Role.VIEW);
    assertThat(users.get(outcomes.get(3).getId()).getIsAdmin()).isTrue();
  }

  @Test
  void clearsWhatTheMaskOfAnUpsertNames() {
    users.create(ada().setLastName("Lovelace").setRole(Role.ADMIN));

    List<UpsertOutcome> outcomes = users.upsert(List.of(ada().build()), "last_name", "role");

    User updated = users.get(outcomes.getFirst().getId());
    assertThat(updated.getLastName()).isEmpty();
    assertThat(updated.getRole()).isEqualTo(Role.USER);
  }

  @Test
  void logsWhatABatchChangedAndNothingElse() {
    users.create(withEmail("same"));
    long before = changes();

    users.upsert(List.of(withEmail("new").build(), withEmail("same").build()));

    assertThat(changes()).isEqualTo(before + 1);
    var entry =
        rapport
            .sql()
            .fetchSingle(
                "SELECT kind, op, entity_id, user_id, revision FROM platform.change_log"
                    + " WHERE tenant_id = ? ORDER BY position DESC LIMIT 1",
                rapport.tenant());
    assertThat(entry.get("kind")).isEqualTo("identity.user");
    assertThat(entry.get("op")).isEqualTo("CREATED");
    assertThat(entry.get("user_id")).isEqualTo(entry.get("entity_id"));
    assertThat(entry.get("revision")).isEqualTo(1L);
  }

  @Test
  void refusesTheSameKeyTwiceInABatch() {
    List<User> batch =
        List.of(withEmail("a").build(), withEmail("b").build(), withEmail("A").build());

    Told told = Told.by(() -> users.upsert(batch));

    assertThat(told.reason()).isEqualTo("INVALID_FIELD");
    assertThat(told.fields()).containsExactly("users[0]", "users[2]");
    assertThat(count("identity.users")).isZero();
  }

  @Test
  void namesTheItemThatAConstraintRefuses() {
    users.create(withEmail("x").setOktaUserId("00u1"));

    Told told =
        Told.by(() ->
            users.upsert(
                List.of(withEmail("a").build(), withEmail("b").setOktaUserId("00u1").build())));

    assertThat(told.reason()).isEqualTo("RESOURCE_EXISTS");
    assertThat(told.metadata()).contains(entry("field", "users[1].okta_user_id"));
    assertThat(count("identity.users")).isEqualTo(1);
  }

  @Test
  void wantsTheKeyOfAnUpsert() {
    Told told =
        Told.by(() ->
            users.upsert(
                List.of(withEmail("a").build(), User.newBuilder().setFirstName("x").build())));

    assertThat(told.fields()).containsExactly("users[1].email");
  }

  @Test
  void makesOneUserOfAHundredUpsertsAtOnce() throws Exception {
    List<UpsertUserResponse> answers = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<UpsertUserResponse>> calls = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        User user = ada().setFirstName("n" + i % 10).build();
        calls.add(threads.submit(() -> upsertWhenFree(user)));
      }
      for (Future<UpsertUserResponse> call : calls) {
        answers.add(call.get());
      }
    }

    String id = answers.getFirst().getUser().getId();
    assertThat(answers).extracting(it -> it.getUser().getId()).containsOnly(id);
    assertThat(answers).filteredOn(it -> it.getResult() == Result.CREATED).hasSize(1);
    long updated = answers.stream().filter(it -> it.getResult() == Result.UPDATED).count();
    assertThat(users.get(id).getEtag()).isEqualTo("\"" + (1 + updated) + "\"");
    assertThat(count("identity.users")).isEqualTo(1);
  }

  private UpsertUserResponse upsertWhenFree(User user) {
    while (true) {
      try {
        return users.stub().upsertUser(UpsertUserRequest.newBuilder().setUser(user).build());
      } catch (StatusRuntimeException e) {
        assertThat(Told.of(e).code()).isEqualTo(Code.UNAVAILABLE);
      }
    }
  }

  @Test
  void upsertsTheSameBatchesFromManyAtOnce() throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<List<UpsertOutcome>>> calls = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        String name = "n" + i;
        List<User> batch = new ArrayList<>();
        for (int k = 0; k < 50; k++) {
          batch.add(withEmail("k" + (k * (i + 1)) % 101).setFirstName(name).build());
        }
        List<User> distinct = batch.stream().distinct().toList();
        calls.add(threads.submit(() -> upsertUntilDone(distinct)));
      }
      for (Future<List<UpsertOutcome>> call : calls) {
        assertThat(call.get()).extracting(UpsertOutcome::getResult).doesNotContainNull();
      }
    }

    assertThat(
            rapport
                .sql()
                .fetchValue(
                    "SELECT count(*) = count(DISTINCT email_key) FROM identity.users"
                        + " WHERE tenant_id = ?",
                    rapport.tenant()))
        .isEqualTo(true);
  }

  private List<UpsertOutcome> upsertUntilDone(List<User> batch) {
    while (true) {
      try {
        return users.upsert(batch);
      } catch (StatusRuntimeException e) {
        assertThat(Told.of(e).reason()).isEqualTo("TX_CONFLICT");
      }
    }
  }

  @Test
  void deletesSoftlyAndAgain() {
    User made = users.create(ada());
    DeleteUserRequest request = DeleteUserRequest.newBuilder().setId(made.getId()).build();

    users.stub().deleteUser(request);
    long after = changes();
    users.stub().deleteUser(request);

    User deleted = users.get(made.getId());
    assertThat(deleted.getActive()).isFalse();
    assertThat(deleted.getEtag()).isEqualTo("\"2\"");
    assertThat(changes()).isEqualTo(after);
    assertThat(users.update(user(deleted).setActive(true)).getActive()).isTrue();
  }

  @Test
  void deletesNothingUnderAStaleEtagOrThatIsNotThere() {
    User made = users.create(ada());
    users.update(user(made).setFirstName("A"));

    DeleteUserRequest.Builder request = DeleteUserRequest.newBuilder().setId(made.getId());
    Told stale = Told.by(() -> users.stub().deleteUser(request.setEtag(made.getEtag()).build()));
    Told absent = Told.by(() -> users.stub().deleteUser(request.setId(Given.id()).build()));

    assertThat(stale.reason()).isEqualTo("ETAG_MISMATCH");
    assertThat(absent.code()).isEqualTo(Code.NOT_FOUND);
    assertThat(users.get(made.getId()).getActive()).isTrue();
  }

  @Test
  void doesNothingIfOnlyAskedToCheck() {
    User made = users.create(ada());

    var create = CreateUserRequest.newBuilder().setUser(withEmail("b")).setValidateOnly(true);
    var update =
        UpdateUserRequest.newBuilder().setUser(user(made).setFirstName("B")).setValidateOnly(true);

    assertThat(users.stub().createUser(create.build()).getEmail()).isEqualTo("b@example.org");
    assertThat(users.stub().updateUser(update.build()).getFirstName()).isEqualTo("B");
    Told exists = Told.by(() -> users.stub().createUser(create.setUser(ada()).build()));
    assertThat(exists.reason()).isEqualTo("RESOURCE_EXISTS");
    assertThat(count("identity.users")).isEqualTo(1);
    assertThat(users.get(made.getId())).isEqualTo(made);
  }

  @Test
  void answersARepeatedRequestAsBefore() {
    CreateUserRequest request =
        CreateUserRequest.newBuilder().setUser(ada()).setRequestId(Given.id()).build();

    User first = users.stub().createUser(request);

    assertThat(users.stub().createUser(request)).isEqualTo(first);
    assertThat(count("identity.users")).isEqualTo(1);
  }

  @Test
  void refusesBadValuesByTheirPath() {
    assertThat(Told.by(() -> users.create(ada().setDateOfBirth("2026-02-30"))).fields())
        .containsExactly("user.date_of_birth");
    assertThat(Told.by(() -> users.create(ada().setEmail("nobody"))).fields())
        .containsExactly("user.email");
    assertThat(Told.by(() -> users.create(ada().setFirstName("x".repeat(101)))).fields())
        .containsExactly("user.first_name");
    assertThat(Told.by(() -> users.create(ada().setId("x"))).fields()).containsExactly("user.id");
    assertThat(Told.by(() -> users.create(ada().setRoleValue(9))).fields())
        .containsExactly("user.role");
  }

  private static User.Builder user(User read) {
    return User.newBuilder().setId(read.getId()).setEtag(read.getEtag());
  }

  private static long changes() {
    return count("platform.change_log");
  }

  private static long count(String table) {
    return rapport
        .sql()
        .fetchSingle("SELECT count(*) FROM " + table + " WHERE tenant_id = ?", rapport.tenant())
        .get(0, Long.class);
  }

  /** Changes with each new version of the row. */
  private static String version(User user) {
    return rapport
        .sql()
        .fetchSingle(
            "SELECT xmin::text || ctid::text FROM identity.users WHERE id = ?::uuid", user.getId())
        .get(0, String.class);
  }
}
