package io.rapport.identity;

import static io.rapport.server.Given.id;

import com.google.protobuf.FieldMask;
import io.rapport.identity.v1.BatchUpsertUsersRequest;
import io.rapport.identity.v1.CreateUserRequest;
import io.rapport.identity.v1.GetUserRequest;
import io.rapport.identity.v1.UpdateUserRequest;
import io.rapport.identity.v1.User;
import io.rapport.identity.v1.UserServiceGrpc;
import io.rapport.platform.v1.UpsertOutcome;
import io.rapport.server.Rapport;
import java.util.List;

/** Calls about users, as a test makes them. */
record Users(Rapport rapport) {
  static User.Builder ada() {
    return User.newBuilder().setEmail("ada@example.org").setFirstName("Ada");
  }

  static User.Builder withEmail(String name) {
    return User.newBuilder().setEmail(name + "@example.org");
  }

  static FieldMask mask(String... paths) {
    return FieldMask.newBuilder().addAllPaths(List.of(paths)).build();
  }

  UserServiceGrpc.UserServiceBlockingStub stub() {
    return UserServiceGrpc.newBlockingStub(rapport.channel());
  }

  User create(User.Builder user) {
    return stub()
        .createUser(CreateUserRequest.newBuilder().setUser(user).setRequestId(id()).build());
  }

  User get(String id) {
    return stub().getUser(GetUserRequest.newBuilder().setId(id).build());
  }

  User update(User.Builder user, String... paths) {
    return stub()
        .updateUser(
            UpdateUserRequest.newBuilder().setUser(user).setUpdateMask(mask(paths)).build());
  }

  List<UpsertOutcome> upsert(List<User> users, String... paths) {
    return stub()
        .batchUpsertUsers(
            BatchUpsertUsersRequest.newBuilder()
                .addAllUsers(users)
                .setUpdateMask(mask(paths))
                .build())
        .getOutcomesList();
  }
}
