package io.rapport.platform;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.ImmutableJWKSet;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import com.nimbusds.jwt.proc.ExpiredJWTException;
import io.rapport.platform.v1.ErrorReason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.text.ParseException;
import java.time.Clock;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Trusts JWTs that are signed with a key of a JWKS file. The file is read again when it changed, so
 * keys are rotated without a restart.
 */
public final class JwksVerifier implements TokenVerifier {
  private static final Logger log = LoggerFactory.getLogger(JwksVerifier.class);
  private static final int LEEWAY_SECONDS = 60;

  /** Asymmetric ones only: a public key must never be usable as a shared secret. */
  private static final Set<JWSAlgorithm> ALGORITHMS =
      Set.of(
          JWSAlgorithm.ES256,
          JWSAlgorithm.ES384,
          JWSAlgorithm.PS256,
          JWSAlgorithm.PS384,
          JWSAlgorithm.RS256,
          JWSAlgorithm.RS384);

  private final Path file;
  private final @Nullable String issuer;
  private final @Nullable String audience;
  private final Clock clock;
  private volatile Keys keys;

  private record Keys(FileTime changed, DefaultJWTProcessor<SecurityContext> processor) {}

  public JwksVerifier(Path file, @Nullable String issuer, @Nullable String audience, Clock clock) {
    this.file = file;
    this.issuer = issuer;
    this.audience = audience;
    this.clock = clock;
    this.keys = read();
  }

  @Override
  public Claims verify(String token) {
    try {
      return claims(current().processor().process(token, null));
    } catch (ExpiredJWTException e) {
      throw Callers.unauthenticated(ErrorReason.TOKEN_EXPIRED, "the token's time is over");
    } catch (ParseException | BadJOSEException | JOSEException | IllegalArgumentException e) {
      throw Callers.unauthenticated(ErrorReason.TOKEN_INVALID, "the token can't be trusted");
    }
  }

  private static Claims claims(JWTClaimsSet claims) throws ParseException {
    String scope = claims.getStringClaim("scope");
    UUID tenant = Uuids.parse(String.valueOf(claims.getStringClaim("tenant")));
    if (tenant == null) {
      throw new ParseException("the tenant is no UUID", 0);
    }
    List<String> rights = scope == null ? List.of() : List.of(scope.trim().split("\\s+"));
    return new Claims(
        tenant,
        claims.getSubject(),
        Set.copyOf(rights),
        claims.getExpirationTime().toInstant().plusSeconds(LEEWAY_SECONDS));
  }

  private Keys current() {
    Keys now = keys;
    try {
      FileTime changed = Files.getLastModifiedTime(file);
      if (!changed.equals(now.changed())) {
        keys = new Keys(changed, now.processor()); // tried once for each change
        now = read();
        keys = now;
      }
    } catch (IOException | UncheckedIOException e) {
      log.warn("the JWKS file can't be read; the keys read before are used on: {}", e.getMessage());
    }
    return now;
  }

  private Keys read() {
    try {
      FileTime changed = Files.getLastModifiedTime(file);
      JWKSet set = JWKSet.parse(Files.readString(file)).toPublicJWKSet();
      return new Keys(changed, processor(set));
    } catch (IOException e) {
      throw new UncheckedIOException("the JWKS file can't be read: " + file, e);
    } catch (ParseException | RuntimeException e) { // such as a file that says only null
      throw new UncheckedIOException(new IOException("no JWKS file: " + file, e));
    }
  }

  private DefaultJWTProcessor<SecurityContext> processor(JWKSet set) {
    DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
    processor.setJWSKeySelector(
        new JWSVerificationKeySelector<>(ALGORITHMS, new ImmutableJWKSet<>(set)));
    processor.setJWTClaimsSetVerifier(claimsVerifier());
    return processor;
  }

  private DefaultJWTClaimsVerifier<SecurityContext> claimsVerifier() {
    JWTClaimsSet.Builder exact = new JWTClaimsSet.Builder();
    if (issuer != null) {
      exact.issuer(issuer);
    }
    Set<String> required = new HashSet<>(Set.of("sub", "exp", "tenant"));
    DefaultJWTClaimsVerifier<SecurityContext> verifier =
        new DefaultJWTClaimsVerifier<>(
            audience == null ? null : Set.of(audience), exact.build(), required, null) {
          @Override
          protected Date currentTime() {
            return Date.from(clock.instant());
          }
        };
    verifier.setMaxClockSkew(LEEWAY_SECONDS);
    return verifier;
  }
}
