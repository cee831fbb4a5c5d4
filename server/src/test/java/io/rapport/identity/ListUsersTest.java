package io.rapport.identity;

import static io.rapport.identity.Users.ada;
import static io.rapport.identity.Users.mask;
import static io.rapport.identity.Users.withEmail;
import static io.rapport.server.Given.eventOf;
import static io.rapport.server.Given.identity;
import static org.assertj.core.api.Assertions.assertThat;

import io.rapport.identity.v1.DeleteUserRequest;
import io.rapport.identity.v1.ListUsersRequest;
import io.rapport.identity.v1.ListUsersRequest.Order;
import io.rapport.identity.v1.ListUsersResponse;
import io.rapport.identity.v1.User;
import io.rapport.identity.v1.User.Role;
import io.rapport.identity.v1.UserFilter;
import io.rapport.platform.v1.IdFilter;
import io.rapport.platform.v1.TextFilter;
import io.rapport.platform.v1.TimeFilter;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class ListUsersTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private final Users users = new Users(rapport);

  @Test
  void walksPagesInEachOrder() {
    List<User> batch = new ArrayList<>();
    for (int i = 0; i < 25; i++) {
      batch.add(withEmail("u" + i).build());
    }
    users.upsert(batch); // all at one instant: the id decides
    users.create(withEmail("last"));

    List<String> newest = walk(Order.NEWEST_FIRST, 10);
    List<String> oldest = walk(Order.OLDEST_FIRST, 7);

    assertThat(newest).hasSize(26).doesNotHaveDuplicates();
    assertThat(newest.getFirst()).isEqualTo("last@example.org");
    Collections.reverse(oldest);
    assertThat(oldest).isEqualTo(newest);
    assertThat(walk(Order.ORDER_UNSPECIFIED, 1000)).isEqualTo(newest);
  }

  private List<String> walk(Order order, int size) {
    List<String> emails = new ArrayList<>();
    ListUsersRequest.Builder request =
        ListUsersRequest.newBuilder().setOrder(order).setPageSize(size).setReadMask(mask("email"));
    ListUsersResponse page;
    do {
      page = users.stub().listUsers(request.build());
      page.getUsersList().forEach(user -> emails.add(user.getEmail()));
      request.setPageToken(page.getNextPageToken());
    } while (!page.getNextPageToken().isEmpty());
    return emails;
  }

  @Test
  void refusesATokenOfAnotherList() {
    users.upsert(List.of(withEmail("a").build(), withEmail("b").build()));
    ListUsersRequest.Builder request = ListUsersRequest.newBuilder().setPageSize(1);
    String token = users.stub().listUsers(request.build()).getNextPageToken();

    Told told =
        Told.by(() ->
            users
                .stub()
                .listUsers(request.setPageToken(token).setOrder(Order.OLDEST_FIRST).build()));

    assertThat(told.reason()).isEqualTo("PAGE_TOKEN_MISMATCH");
  }

  @Test
  void filters() {
    User admin = users.create(withEmail("Anna").setRole(Role.ADMIN).setIsAdmin(true));
    User view = users.create(withEmail("andreas").setRole(Role.VIEW));
    User other = users.create(withEmail("bob").setAuthProvider(User.AuthProvider.OKTA));

    assertThat(list(filter().setEmail(prefix("AN")))).containsExactly(view, admin);
    assertThat(list(filter().setEmail(prefix("andr")))).containsExactly(view);
    assertThat(list(filter().setEmail(values("BOB@example.org", "x")))).containsExactly(other);
    assertThat(list(filter().addRole(Role.ADMIN).addRole(Role.VIEW))).containsExactly(view, admin);
    assertThat(list(filter().setIsAdmin(true))).containsExactly(admin);
    assertThat(list(filter().setIsAdmin(false))).containsExactly(other, view);
    assertThat(list(filter().addAuthProvider(User.AuthProvider.OKTA))).containsExactly(other);
    assertThat(list(filter().setId(IdFilter.newBuilder().addValues(view.getId()))))
        .containsExactly(view);
    assertThat(list(filter().setCreatedAt(TimeFilter.newBuilder().setFrom(other.getCreatedAt()))))
        .containsExactly(other);
    assertThat(list(filter().setCreatedAt(TimeFilter.newBuilder().setTo(other.getCreatedAt()))))
        .containsExactly(view, admin);
    assertThat(list(filter().setIsAdmin(true).addRole(Role.VIEW))).isEmpty();
  }

  @Test
  void refusesAFilterThatIsNone() {
    Told id = Told.by(() -> list(filter().setId(IdFilter.newBuilder().addValues("x"))));
    Told time =
        Told.by(() ->
            list(
                filter()
                    .setCreatedAt(
                        TimeFilter.newBuilder()
                            .setFrom(com.google.protobuf.Timestamp.newBuilder().setNanos(-1)))));

    assertThat(id.fields()).containsExactly("filter.id.values[0]");
    assertThat(time.fields()).containsExactly("filter.created_at.from");
  }

  @Test
  void hidesWhoWasDeleted() {
    User user = users.create(ada());
    users.stub().deleteUser(DeleteUserRequest.newBuilder().setId(user.getId()).build());

    assertThat(list(filter())).isEmpty();
    assertThat(
            users
                .stub()
                .listUsers(ListUsersRequest.newBuilder().setShowInactive(true).build())
                .getUsersList())
        .extracting(User::getId)
        .containsExactly(user.getId());
  }

  @Test
  void showsAliasesIdentitiesAndActivityAsGetDoes() {
    User user = users.create(ada());
    rapport
        .client()
        .events()
        .track(eventOf("device").setOccurredAt(Given.time("2026-03-04T05:06:07Z")).build());
    rapport.client().users().link(user.getId(), identity("device"));

    for (User listed : list(filter())) {
      assertThat(listed).isEqualTo(users.get(listed.getId()));
      assertThat(listed.getLastActivityAt()).isEqualTo(Given.time("2026-03-04T05:06:07Z"));
      assertThat(listed.getIdentitiesList()).containsExactly(identity("device"));
    }
    assertThat(list(filter())).hasSize(2);
    assertThat(users.get(user.getId()).getAliasesCount()).isEqualTo(1);
  }

  private static UserFilter.Builder filter() {
    return UserFilter.newBuilder();
  }

  private static TextFilter.Builder prefix(String prefix) {
    return TextFilter.newBuilder().setPrefix(prefix);
  }

  private static TextFilter.Builder values(String... values) {
    return TextFilter.newBuilder().addAllValues(List.of(values));
  }

  private List<User> list(UserFilter.Builder filter) {
    return users
        .stub()
        .listUsers(ListUsersRequest.newBuilder().setFilter(filter).build())
        .getUsersList();
  }
}
