package io.rapport.platform;

import io.grpc.Context;
import java.time.Instant;
import java.util.Set;
import java.util.UUID;

/** Who calls, for which tenant, and what it may do until when. */
public record Caller(Tenant tenant, String subject, Set<String> rights, Instant expiresAt) {
  private static final Context.Key<Caller> KEY = Context.key("rapport.caller");

  /** A tenant and the secret that keys its digests and page tokens. */
  public record Tenant(UUID id, TenantSecret secret) {}

  /** The caller of the call that this thread works for. */
  public static Caller current() {
    Caller caller = KEY.get();
    if (caller == null) {
      throw new IllegalStateException("no caller: the work is not part of a call");
    }
    return caller;
  }

  /** Whether this thread works for a call whose caller is known. */
  static boolean isKnown() {
    return KEY.get() != null;
  }

  /** The tenant of the call that this thread works for. */
  public static Tenant currentTenant() {
    return current().tenant();
  }

  Context in(Context context) {
    return context.withValue(KEY, this);
  }

  public boolean may(String right) {
    return rights.contains(right);
  }
}
