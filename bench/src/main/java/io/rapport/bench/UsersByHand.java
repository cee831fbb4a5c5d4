package io.rapport.bench;

import static io.rapport.db.generated.identity.Tables.USERS;

import com.google.protobuf.Message;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.rapport.identity.UserStore;
import io.rapport.identity.v1.BatchUpsertUsersRequest;
import io.rapport.identity.v1.BatchUpsertUsersResponse;
import io.rapport.identity.v1.GetUserRequest;
import io.rapport.identity.v1.User;
import io.rapport.identity.v1.UserServiceGrpc;
import io.rapport.platform.Caller;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.Etags;
import io.rapport.platform.Ids;
import io.rapport.platform.Rpcs;
import io.rapport.platform.Rpcs.ServiceBuilder;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.Times;
import io.rapport.platform.Transaction;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.v1.UpsertOutcome;
import io.rapport.platform.v1.UpsertOutcome.Result;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** GetUser and BatchUpsertUsers as one writes them by hand for users alone. */
final class UsersByHand {
  private static final String UPSERT =
      """
      INSERT INTO identity.users AS u
        (tenant_id, id, email, first_name, last_name, phone_number, role)
      SELECT {0}, id, email, first_name, last_name, phone_number, role
        FROM unnest({1}::uuid[], {2}::text[], {3}::text[], {4}::text[], {5}::text[], {6}::text[])
          AS i (id, email, first_name, last_name, phone_number, role)
       ORDER BY lower(email)
      ON CONFLICT (tenant_id, email_key) DO UPDATE
        SET first_name = excluded.first_name, last_name = excluded.last_name,
            phone_number = excluded.phone_number, role = excluded.role,
            revision = u.revision + 1, last_updated_at = now()
        WHERE (u.first_name, u.last_name, u.phone_number, u.role) IS DISTINCT FROM
          (excluded.first_name, excluded.last_name, excluded.phone_number, excluded.role)
      RETURNING id, revision, email_key, xmax = 0
      """;

  private final TenantDb db;
  private final UnitOfWork work;
  private final UserStore users = new UserStore();

  UsersByHand(TenantDb db, UnitOfWork work) {
    this.db = db;
    this.work = work;
  }

  /** The service; it refuses its other methods. */
  ServerServiceDefinition bind(Rpcs rpcs) {
    ServiceBuilder service =
        rpcs.service(UserServiceGrpc.getServiceDescriptor())
            .unary(UserServiceGrpc.getGetUserMethod(), this::get)
            .bulk(
                UserServiceGrpc.getBatchUpsertUsersMethod(),
                (request, reply) -> reply.send(upsert(request)));
    service.missing().forEach(method -> refuse(service, method));
    return service.build();
  }

  @SuppressWarnings("unchecked")
  private static void refuse(ServiceBuilder service, MethodDescriptor<?, ?> method) {
    service.unary(
        (MethodDescriptor<Message, Message>) method,
        request -> {
          throw new UnsupportedOperationException(method.getFullMethodName());
        });
  }

  private User get(GetUserRequest request) {
    UUID tenant = Caller.currentTenant().id();
    UUID id = UUID.fromString(request.getId());
    return db.read(
        tenant,
        dsl -> {
          User.Builder user = read(dsl, tenant, id);
          users.complete(dsl, tenant, Map.of(id, user), field -> true);
          return user.build();
        });
  }

  private static User.Builder read(DSLContext dsl, UUID tenant, UUID id) {
    return dsl.select(
            USERS.ID,
            USERS.CREATED_AT,
            USERS.REVISION,
            USERS.LAST_UPDATED_AT,
            USERS.ACTIVE,
            USERS.EMAIL,
            USERS.FIRST_NAME,
            USERS.LAST_NAME,
            USERS.PHONE_NUMBER,
            USERS.DATE_OF_BIRTH,
            USERS.ROLE,
            USERS.IS_ADMIN,
            USERS.AUTH_PROVIDER,
            USERS.OKTA_USER_ID,
            USERS.THEME_MODE,
            USERS.HIGH_CONTRAST_MODE,
            USERS.REDUCE_MOTION,
            USERS.COLORBLIND_SAFE_PALETTE,
            USERS.ACCESSIBILITY_LEVEL,
            USERS.PROFILE_IMAGE_FILENAME,
            USERS.ONBOARDING_COMPLETED,
            USERS.LAST_LOGIN_AT)
        .from(USERS)
        .where(USERS.TENANT_ID.eq(tenant), USERS.ID.eq(id))
        .fetchOptional(UsersByHand::toProto)
        .orElseThrow(() -> ServiceException.notFound("user", id.toString()));
  }

  private static User.Builder toProto(Record row) {
    User.Builder user =
        User.newBuilder()
            .setId(row.get(USERS.ID).toString())
            .setCreatedAt(Times.proto(row.get(USERS.CREATED_AT)))
            .setEtag(Etags.of(row.get(USERS.REVISION)))
            .setLastUpdatedAt(Times.proto(row.get(USERS.LAST_UPDATED_AT)))
            .setActive(row.get(USERS.ACTIVE))
            .setEmail(orEmpty(row.get(USERS.EMAIL)))
            .setFirstName(orEmpty(row.get(USERS.FIRST_NAME)))
            .setLastName(orEmpty(row.get(USERS.LAST_NAME)))
            .setPhoneNumber(orEmpty(row.get(USERS.PHONE_NUMBER)))
            .setDateOfBirth(orEmpty(row.get(USERS.DATE_OF_BIRTH)))
            .setRole(User.Role.valueOf(row.get(USERS.ROLE)))
            .setIsAdmin(row.get(USERS.IS_ADMIN))
            .setAuthProvider(User.AuthProvider.valueOf(row.get(USERS.AUTH_PROVIDER)))
            .setOktaUserId(orEmpty(row.get(USERS.OKTA_USER_ID)))
            .setThemeMode(User.ThemeMode.valueOf(row.get(USERS.THEME_MODE)))
            .setHighContrastMode(row.get(USERS.HIGH_CONTRAST_MODE))
            .setReduceMotion(row.get(USERS.REDUCE_MOTION))
            .setColorblindSafePalette(row.get(USERS.COLORBLIND_SAFE_PALETTE))
            .setAccessibilityLevel(
                User.AccessibilityLevel.valueOf(row.get(USERS.ACCESSIBILITY_LEVEL)))
            .setProfileImageFilename(orEmpty(row.get(USERS.PROFILE_IMAGE_FILENAME)))
            .setOnboardingCompleted(row.get(USERS.ONBOARDING_COMPLETED));
    Instant login = row.get(USERS.LAST_LOGIN_AT);
    return login == null ? user : user.setLastLoginAt(Times.proto(login));
  }

  private static String orEmpty(@Nullable Object value) {
    return value == null ? "" : value.toString();
  }

  private BatchUpsertUsersResponse upsert(BatchUpsertUsersRequest request) {
    return work.write(
        request, BatchUpsertUsersResponse.parser(), tx -> upsert(tx, request.getUsersList()));
  }

  private static BatchUpsertUsersResponse upsert(Transaction tx, List<User> users) {
    Map<String, UpsertOutcome> written = new HashMap<>();
    tx.dsl()
        .fetch(
            UPSERT,
            DSL.val(tx.tenant()),
            DSL.val(users.stream().map(it -> Ids.next()).toArray(UUID[]::new)),
            texts(users, User::getEmail),
            texts(users, User::getFirstName),
            texts(users, User::getLastName),
            texts(users, User::getPhoneNumber),
            texts(users, it -> it.getRole().name()))
        .forEach(row -> written.put(row.get(2, String.class), changed(tx, row)));
    BatchUpsertUsersResponse.Builder answer = BatchUpsertUsersResponse.newBuilder();
    for (User user : users) {
      UpsertOutcome outcome = written.get(user.getEmail().toLowerCase(Locale.ROOT));
      answer.addOutcomes(
          outcome == null
              ? UpsertOutcome.newBuilder().setResult(Result.UNCHANGED).build()
              : outcome);
    }
    return answer.build();
  }

  private static UpsertOutcome changed(Transaction tx, Record row) {
    UUID id = row.get(0, UUID.class);
    long revision = row.get(1, Long.class);
    boolean made = row.get(3, Boolean.class);
    tx.changed(new Change(UserStore.KIND, made ? Op.CREATED : Op.UPDATED, id, id, revision));
    return UpsertOutcome.newBuilder()
        .setResult(made ? Result.CREATED : Result.UPDATED)
        .setId(id.toString())
        .setEtag(Etags.of(revision))
        .build();
  }

  private static Field<?> texts(List<User> users, Function<User, String> text) {
    return DSL.val(users.stream().map(text).toArray(String[]::new));
  }
}
