package io.rapport.platform;

import java.time.Instant;
import java.util.Set;
import java.util.UUID;

/** Tells what a token says, if it can be trusted. */
public interface TokenVerifier {
  /** What a token says. */
  record Claims(UUID tenant, String subject, Set<String> rights, Instant expiresAt) {}

  /** Throws UNAUTHENTICATED if the token can't be trusted. */
  Claims verify(String token);
}
