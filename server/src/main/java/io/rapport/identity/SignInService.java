package io.rapport.identity;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.google.protobuf.FieldMask;
import io.grpc.ServerServiceDefinition;
import io.rapport.identity.v1.CheckSignInRequest;
import io.rapport.identity.v1.CheckSignInResponse;
import io.rapport.identity.v1.CheckSignInResponse.State;
import io.rapport.identity.v1.SignIn;
import io.rapport.identity.v1.SignInRequest;
import io.rapport.identity.v1.SignInResponse;
import io.rapport.identity.v1.SignInServiceGrpc;
import io.rapport.identity.v1.SignOutAllRequest;
import io.rapport.identity.v1.SignOutAllResponse;
import io.rapport.identity.v1.SignOutRequest;
import io.rapport.identity.v1.SignOutResponse;
import io.rapport.platform.Caller;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.Ids;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.Transaction;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.resource.Resource;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Signs users in and out. A token is told once; what is kept is its SHA-256. */
final class SignInService {
  private static final Duration USUAL = Duration.ofHours(24);
  private static final int TOKEN_BYTES = 32;

  private final TenantDb db;
  private final UnitOfWork work;
  private final UserStore users;
  private final Resource<SignIn> resource;
  private final Clock clock;
  private final SignInStore signIns = new SignInStore();
  private final SecureRandom random = new SecureRandom();

  SignInService(
      TenantDb db, UnitOfWork work, UserStore users, Resource<SignIn> resource, Clock clock) {
    this.db = db;
    this.work = work;
    this.users = users;
    this.resource = resource;
    this.clock = clock;
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return resource.serve(
        rpcs.service(SignInServiceGrpc.getServiceDescriptor())
            .unary(SignInServiceGrpc.getSignInMethod(), this::signIn)
            .unary(SignInServiceGrpc.getCheckSignInMethod(), this::checkSignIn)
            .unary(SignInServiceGrpc.getSignOutMethod(), this::signOut)
            .unary(SignInServiceGrpc.getSignOutAllMethod(), this::signOutAll));
  }

  /** The stored answer has no token, so one that is given again has none either. */
  private SignInResponse signIn(SignInRequest request) {
    UUID id = Ids.next();
    String token = newToken();
    SignInResponse answer =
        work.write(
            request,
            SignInResponse.parser(),
            tx -> SignInResponse.newBuilder().setSignIn(signIn(tx, request, id, token)).build());
    boolean made = answer.getSignIn().getId().equals(id.toString()) && !request.getValidateOnly();
    return made ? answer.toBuilder().setToken(token).build() : answer;
  }

  private SignIn signIn(Transaction tx, SignInRequest request, UUID id, String token) {
    UUID user = users.behind(tx.dsl(), tx.tenant(), UUID.fromString(request.getUserId()));
    long revision =
        users
            .signedIn(tx.dsl(), tx.tenant(), user)
            .orElseThrow(() -> ServiceException.notFound("user", request.getUserId()));
    signIns.insert(
        tx.dsl(),
        tx.tenant(),
        new SignInStore.New(
            id,
            user,
            hash(token),
            expiry(request),
            orNull(request.getIpAddress()),
            orNull(request.getUserAgent())));
    tx.changed(new Change(UserStore.KIND, Op.UPDATED, user, user, revision));
    tx.changed(new Change(SignInStore.KIND, Op.CREATED, id, user, 1));
    return resource.get(tx, id);
  }

  private Instant expiry(SignInRequest request) {
    Duration lifetime =
        request.hasLifetime()
            ? Duration.ofSeconds(
                request.getLifetime().getSeconds(), request.getLifetime().getNanos())
            : USUAL;
    return clock.instant().plus(lifetime);
  }

  private static @Nullable String orNull(String text) {
    return text.isEmpty() ? null : text;
  }

  private String newToken() {
    byte[] token = new byte[TOKEN_BYTES];
    random.nextBytes(token);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(token);
  }

  private static String hash(String token) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(token.getBytes(US_ASCII));
      return HexFormat.of().formatHex(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  private CheckSignInResponse checkSignIn(CheckSignInRequest request) {
    UUID tenant = Caller.currentTenant().id();
    Optional<SignInStore.Found> found =
        db.read(tenant, tx -> signIns.find(tx, tenant, hash(request.getToken())));
    CheckSignInResponse.Builder answer =
        CheckSignInResponse.newBuilder().setState(found.map(this::state).orElse(State.UNKNOWN));
    found
        .flatMap(it -> resource.find(it.id(), FieldMask.getDefaultInstance()))
        .ifPresent(answer::setSignIn);
    return answer.build();
  }

  private State state(SignInStore.Found found) {
    if (!found.active()) {
      return State.REVOKED;
    }
    if (!found.expiresAt().isAfter(clock.instant())) {
      return State.EXPIRED;
    }
    return found.userActive() ? State.VALID : State.USER_INACTIVE;
  }

  private SignOutResponse signOut(SignOutRequest request) {
    return work.write(
        request,
        SignOutResponse.parser(),
        tx -> {
          UUID id = request.hasId() ? UUID.fromString(request.getId()) : of(tx, request.getToken());
          resource.deactivate(tx, id);
          return SignOutResponse.newBuilder().setSignIn(resource.get(tx, id)).build();
        });
  }

  private UUID of(Transaction tx, String token) {
    return signIns
        .find(tx.dsl(), tx.tenant(), hash(token))
        .map(SignInStore.Found::id)
        .orElseThrow(() -> ServiceException.notFound("sign_in").with("by", "token"));
  }

  private SignOutAllResponse signOutAll(SignOutAllRequest request) {
    return work.write(
        request,
        SignOutAllResponse.parser(),
        tx -> {
          UUID user = users.behind(tx.dsl(), tx.tenant(), UUID.fromString(request.getUserId()));
          if (users.existing(tx.dsl(), tx.tenant(), List.of(user)).isEmpty()) {
            throw ServiceException.notFound("user", request.getUserId());
          }
          List<SignInStore.Ended> ended = signIns.endAll(tx.dsl(), tx.tenant(), user);
          ended.forEach(it ->
              tx.changed(new Change(SignInStore.KIND, Op.DELETED, it.id(), user, it.revision())));
          return SignOutAllResponse.newBuilder().setCount(ended.size()).build();
        });
  }
}
