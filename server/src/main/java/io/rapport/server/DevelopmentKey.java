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
import io.rapport.db.LocalPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.text.ParseException;

/** The key that signs tokens in development, kept beside the local database. */
final class DevelopmentKey {
  private static final String ID = "development";

  private final ECKey key;
  private final Path jwks;

  private DevelopmentKey(ECKey key, Path jwks) {
    this.key = key;
    this.jwks = jwks;
  }

  /** The key of a directory; makes it if there is none. */
  static DevelopmentKey in(Path directory) {
    Path secret = directory.resolve("development-key.json");
    Path jwks = directory.resolve("development-jwks.json");
    LocalPostgres.requireOurs(directory);
    try {
      Files.createDirectories(directory);
      if (!Files.exists(secret)) {
        write(new ECKeyGenerator(Curve.P_256).keyID(ID).generate(), secret);
      }
      ECKey key = ECKey.parse(Files.readString(secret));
      Files.writeString(jwks, new JWKSet(key.toPublicJWK()).toString());
      return new DevelopmentKey(key, jwks);
    } catch (IOException e) {
      throw new UncheckedIOException("no key can be kept in " + directory, e);
    } catch (JOSEException | ParseException e) {
      throw new IllegalStateException("no key: " + secret, e);
    }
  }

  private static void write(ECKey key, Path file) throws IOException {
    Path half = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(half);
    Files.createFile(
        half, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(half, key.toJSONString());
    Files.move(half, file);
  }

  /** The file with the public half, which a server trusts. */
  Path jwks() {
    return jwks;
  }

  String sign(JWTClaimsSet claims) {
    try {
      JWSHeader header = new JWSHeader.Builder(JWSAlgorithm.ES256).keyID(ID).build();
      SignedJWT token = new SignedJWT(header, claims);
      token.sign(new ECDSASigner(key));
      return token.serialize();
    } catch (JOSEException e) {
      throw new IllegalStateException("the token can't be signed", e);
    }
  }
}
