package io.rapport.server;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.UUID;

/** Signs tokens that the tests' server trusts. */
public final class Tokens {
  public static final String ALL_RIGHTS =
      "tracking.read tracking.write identity.read identity.write caching.read"
          + " caching.write versioning.read versioning.write versioning.train versioning.promote"
          + " monitoring.read monitoring.write delivery.read delivery.write"
          + " embedding.read embedding.write search.read changes.read inspect operator";

  private final ECKey key;

  Tokens() {
    try {
      key = new ECKeyGenerator(Curve.P_256).keyID("test").generate();
    } catch (JOSEException e) {
      throw new IllegalStateException(e);
    }
  }

  public ECKey key() {
    return key;
  }

  /** Writes the public key where a server can read it. */
  public Path jwks() {
    try {
      Path file = Files.createTempFile("rapport-jwks", ".json");
      Files.writeString(file, new JWKSet(key.toPublicJWK()).toString());
      file.toFile().deleteOnExit();
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public String of(UUID tenant, String scope) {
    return sign(claims(tenant, scope, Duration.ofHours(1)).build());
  }

  public static JWTClaimsSet.Builder claims(UUID tenant, String scope, Duration life) {
    return new JWTClaimsSet.Builder()
        .subject("test")
        .claim("tenant", tenant.toString())
        .claim("scope", scope)
        .expirationTime(Date.from(Instant.now().plus(life)));
  }

  public String sign(JWTClaimsSet claims) {
    try {
      JWSHeader header = new JWSHeader.Builder(JWSAlgorithm.ES256).keyID("test").build();
      SignedJWT jwt = new SignedJWT(header, claims);
      jwt.sign(new ECDSASigner(key));
      return jwt.serialize();
    } catch (JOSEException e) {
      throw new IllegalStateException(e);
    }
  }
}
