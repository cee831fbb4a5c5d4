package io.rapport.bench;

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
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.UUID;

/** Makes tenants, and the tokens to call for them. */
public final class Tenants {
  private static final Duration VALID = Duration.ofDays(1);
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private final ECKey key;

  /** A tenant and a token with the rights to write, read and watch its events. */
  public record Tenant(UUID id, String token) {
    /** Calls over a channel for this tenant. */
    Channel over(Channel channel) {
      Metadata headers = new Metadata();
      headers.put(AUTHORIZATION, "Bearer " + token);
      return ClientInterceptors.intercept(
          channel, MetadataUtils.newAttachHeadersInterceptor(headers));
    }
  }

  public Tenants() throws JOSEException {
    this.key = new ECKeyGenerator(Curve.P_256).keyID("bench").generate();
  }

  /** What the server must trust. */
  public String jwks() {
    return new JWKSet(key.toPublicJWK()).toString();
  }

  public List<Tenant> make(Connection admin, int count) throws SQLException, JOSEException {
    List<Tenant> tenants = new ArrayList<>();
    try (PreparedStatement insert =
        admin.prepareStatement(
            "INSERT INTO identity.tenants (id, display_name, secret)"
                + " VALUES (?, ?, sha256(gen_random_uuid()::text::bytea))")) {
      for (int i = 0; i < count; i++) {
        UUID id = UUID.randomUUID();
        insert.setObject(1, id);
        insert.setString(2, "bench " + id);
        insert.executeUpdate();
        tenants.add(
            new Tenant(
                id,
                token(
                    id,
                    "bench",
                    "tracking.read tracking.write caching.read caching.write versioning.read"
                        + " versioning.write versioning.train versioning.promote"
                        + " monitoring.read monitoring.write delivery.read delivery.write"
                        + " embedding.read embedding.write search.read identity.read identity.write"
                        + " changes.read")));
      }
    }
    return tenants;
  }

  /**
   * @param scope the rights, parted by blanks
   */
  public String token(UUID tenant, String subject, String scope) throws JOSEException {
    JWTClaimsSet claims =
        new JWTClaimsSet.Builder()
            .subject(subject)
            .claim("tenant", tenant.toString())
            .claim("scope", scope)
            .expirationTime(Date.from(Instant.now().plus(VALID)))
            .build();
    JWSHeader header = new JWSHeader.Builder(JWSAlgorithm.ES256).keyID("bench").build();
    SignedJWT token = new SignedJWT(header, claims);
    token.sign(new ECDSASigner(key));
    return token.serialize();
  }
}
