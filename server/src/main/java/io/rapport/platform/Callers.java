package io.rapport.platform;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.grpc.Metadata;
import io.grpc.Status.Code;
import io.rapport.platform.v1.ErrorReason;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Tells who calls, from the token that comes with a call. */
public final class Callers {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
  private static final String SCHEME = "Bearer ";

  /** Keys that no header can have. */
  private static final String ANONYMOUS = "\0anonymous";

  private static final String SEVERAL = "\0several";
  private static final int MAX_TOKEN = 8 * 1024;

  /** How long a token is trusted without being looked at again; see docs/caching.md. */
  private static final Duration TRUST = Duration.ofSeconds(30);

  private final Cache<String, Caller> known =
      Caffeine.newBuilder().maximumSize(10_000).expireAfterWrite(TRUST).build();
  private final TokenVerifier verifier;
  private final TenantDirectory tenants;
  private final @Nullable Anonymous anonymous;
  private final Clock clock;

  /** Whom a call without a token is taken for. Only in development, on loopback. */
  public record Anonymous(UUID tenant, Set<String> rights) {}

  public Callers(
      TokenVerifier verifier, TenantDirectory tenants, @Nullable Anonymous anonymous, Clock clock) {
    this.verifier = verifier;
    this.tenants = tenants;
    this.anonymous = anonymous;
    this.clock = clock;
  }

  /** Whether {@link #authenticate} would answer without looking anything up. */
  public boolean knows(Metadata headers) {
    return known.getIfPresent(key(headers)) != null;
  }

  /** The caller; throws UNAUTHENTICATED or PERMISSION_DENIED. */
  public Caller authenticate(Metadata headers) {
    String key = key(headers);
    Caller caller = known.getIfPresent(key);
    if (caller == null) {
      caller = key.equals(ANONYMOUS) ? anonymous() : ofHeader(key);
      known.put(key, caller);
    }
    if (caller.expiresAt().isBefore(clock.instant())) {
      throw unauthenticated(ErrorReason.TOKEN_EXPIRED, "the token's time is over");
    }
    return caller;
  }

  /** What the call says of its caller. Of two tokens, nobody can tell which one is meant. */
  private static String key(Metadata headers) {
    Iterable<String> values = headers.getAll(AUTHORIZATION);
    if (values == null) {
      return ANONYMOUS;
    }
    Iterator<String> value = values.iterator();
    String first = value.next();
    return value.hasNext() ? SEVERAL : first;
  }

  private Caller anonymous() {
    if (anonymous == null) {
      throw unauthenticated(ErrorReason.TOKEN_MISSING, "send a token: authorization: Bearer …");
    }
    return new Caller(tenant(anonymous.tenant()), "development", anonymous.rights(), Instant.MAX);
  }

  private Caller ofHeader(String header) {
    boolean bearer = header.regionMatches(true, 0, SCHEME, 0, SCHEME.length());
    if (!bearer || header.length() > MAX_TOKEN) {
      throw unauthenticated(ErrorReason.TOKEN_INVALID, "the authorization is no bearer token");
    }
    TokenVerifier.Claims claims = verifier.verify(header.substring(SCHEME.length()).trim());
    return new Caller(
        tenant(claims.tenant()), claims.subject(), claims.rights(), claims.expiresAt());
  }

  private Caller.Tenant tenant(UUID id) {
    return tenants
        .find(id)
        .orElseThrow(() ->
            ServiceException.of(
                Code.PERMISSION_DENIED,
                ErrorReason.TENANT_UNKNOWN,
                "the token's tenant is not one of this service"));
  }

  static ServiceException unauthenticated(ErrorReason reason, String message) {
    return ServiceException.of(Code.UNAUTHENTICATED, reason, message);
  }
}
