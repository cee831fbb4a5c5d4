package io.rapport.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import com.nimbusds.jwt.SignedJWT;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status.Code;
import io.grpc.health.v1.HealthCheckRequest;
import io.rapport.platform.Contract;
import io.rapport.tracking.v1.GetEventRequest;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who is let in. A caller that is let in is told that the event is not there. */
class AuthenticationTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final String LET_IN = "RESOURCE_NOT_FOUND";
  private static final String GET_EVENT = "rapport.tracking.v1.EventService/GetEvent";
  private static final Duration LIFE = Duration.ofHours(1);
  private static final Duration LEEWAY = Duration.ofSeconds(60);
  private static final RapportServer strict = serve(Map.of());
  private static final ManagedChannel channel = Wire.open(strict.port());

  private static RapportServer serve(Map<String, String> variables) {
    Map<String, String> all = new java.util.HashMap<>(variables);
    all.put("RAPPORT_DEVELOPMENT", "false");
    return rapport.serve(all);
  }

  @AfterAll
  static void stop() {
    channel.shutdownNow();
    strict.close();
  }

  @Test
  void letsACallerWithAGoodTokenIn() {
    assertThat(reason(good().build())).isEqualTo(LET_IN);
  }

  @Test
  void refusesACallWithoutToken() {
    Wire.Ending ending = get(channel, new Metadata());

    assertThat(ending.code()).isEqualTo(Code.UNAUTHENTICATED);
    assertThat(ending.reason()).isEqualTo("TOKEN_MISSING");
  }

  @Test
  void answersHealthWithoutToken() {
    byte[] request = HealthCheckRequest.getDefaultInstance().toByteArray();

    assertThat(Wire.call(channel, "grpc.health.v1.Health/Check", request).code())
        .isEqualTo(Code.OK);
  }

  @Test
  void refusesATokenThatIsNotSigned() {
    assertThat(reasonOf(new PlainJWT(good().build()).serialize())).isEqualTo("TOKEN_INVALID");
  }

  @Test
  void refusesThePublicKeyAsASharedSecret() throws Exception {
    ECKey key = rapport.tokens().key();
    JWSHeader header = new JWSHeader.Builder(JWSAlgorithm.HS256).keyID("test").build();
    for (byte[] secret :
        List.of(
            key.toECPublicKey().getEncoded(),
            key.toPublicJWK().toJSONString().getBytes(StandardCharsets.UTF_8))) {
      String token = sign(header, good().build(), new MACSigner(secret));

      assertThat(reasonOf(token)).isEqualTo("TOKEN_INVALID");
    }
  }

  @Test
  void refusesAnotherKeyUnderAKnownId() throws Exception {
    assertThat(reasonOf(sign(es256("test"), good().build(), new ECDSASigner(key("test")))))
        .isEqualTo("TOKEN_INVALID");
  }

  @ParameterizedTest
  @ValueSource(strings = {"other", "../../../etc/passwd", "file:///dev/zero", "' or 1=1 --"})
  void refusesAnUnknownKey(String id) throws Exception {
    assertThat(reasonOf(sign(es256(id), good().build(), new ECDSASigner(key(id)))))
        .isEqualTo("TOKEN_INVALID");
  }

  @Test
  void doesNotTakeTheKeyFromTheToken() throws Exception {
    ECKey own = key("test");
    JWSHeader header =
        new JWSHeader.Builder(JWSAlgorithm.ES256)
            .keyID("test")
            .jwk(own.toPublicJWK())
            .jwkURL(URI.create("http://127.0.0.1:1/jwks"))
            .build();

    assertThat(reasonOf(sign(header, good().build(), new ECDSASigner(own))))
        .isEqualTo("TOKEN_INVALID");
  }

  @Test
  void refusesATokenThatWasChanged() {
    String token = rapport.tokens().sign(good().build());
    String[] parts = token.split("\\.", -1);
    String other = rapport.tokens().sign(good().subject("other").build()).split("\\.", -1)[1];

    assertThat(reasonOf(parts[0] + "." + other + "." + parts[2])).isEqualTo("TOKEN_INVALID");
  }

  @Test
  void letsATokenInForAMinuteAfterItsEnd() {
    String token = rapport.tokens().sign(good().build());
    rapport.clock().forward(LIFE.plus(LEEWAY).minusSeconds(10));

    assertThat(reasonOf(token)).isEqualTo(LET_IN);
  }

  @Test
  void refusesATokenLongerAfterItsEndAlsoWhenItIsKnown() {
    String fresh = rapport.tokens().sign(good().build());
    String known = rapport.tokens().sign(good().jwtID("known").build());
    assertThat(reasonOf(known)).isEqualTo(LET_IN);
    rapport.clock().forward(LIFE.plus(LEEWAY).plusSeconds(10));

    assertThat(reasonOf(fresh)).isEqualTo("TOKEN_EXPIRED");
    assertThat(reasonOf(known)).isEqualTo("TOKEN_EXPIRED");
  }

  @Test
  void refusesATokenBeforeItsTimeBeyondTheLeeway() {
    assertThat(reason(good().notBeforeTime(in(LEEWAY.plusSeconds(10))).build()))
        .isEqualTo("TOKEN_INVALID");
    assertThat(reason(good().notBeforeTime(in(LEEWAY.minusSeconds(10))).build())).isEqualTo(LET_IN);
  }

  @Test
  void refusesATokenWithoutEndSubjectOrTenant() {
    assertThat(reason(good().expirationTime(null).build())).isEqualTo("TOKEN_INVALID");
    assertThat(reason(good().subject(null).build())).isEqualTo("TOKEN_INVALID");
    assertThat(reason(good().claim("tenant", null).build())).isEqualTo("TOKEN_INVALID");
  }

  static List<Object> noTenants() {
    return List.of("", "x", "1-1-1-1-1", 7, List.of("x"), Map.of("id", "x"), "\0".repeat(36));
  }

  @ParameterizedTest
  @MethodSource("noTenants")
  void refusesATenantThatIsNoUuid(Object tenant) {
    assertThat(reason(good().claim("tenant", tenant).build())).isEqualTo("TOKEN_INVALID");
  }

  @Test
  void refusesRightsThatAreNoText() {
    assertThat(reason(good().claim("scope", List.of("tracking.read")).build()))
        .isEqualTo("TOKEN_INVALID");
  }

  @Test
  void refusesATenantThatIsNotThere() {
    Wire.Ending ending =
        get(channel, bearer(rapport.tokens().of(UUID.randomUUID(), Tokens.ALL_RIGHTS)));

    assertThat(ending.code()).isEqualTo(Code.PERMISSION_DENIED);
    assertThat(ending.reason()).isEqualTo("TENANT_UNKNOWN");
  }

  @Test
  void refusesTwoAuthorizationsWhicheverComesLast() {
    String token = "Bearer " + rapport.tokens().sign(good().build());

    assertThat(get(channel, Wire.authorization(token, "Bearer x")).reason())
        .isEqualTo("TOKEN_INVALID");
    assertThat(get(channel, Wire.authorization("Bearer x", token)).reason())
        .isEqualTo("TOKEN_INVALID");
    assertThat(get(channel, Wire.authorization(token, token)).reason()).isEqualTo("TOKEN_INVALID");
  }

  static List<String> garbage() {
    String header =
        Base64.getUrlEncoder()
            .withoutPadding()
            .encodeToString(
                "{\"alg\":\"ES256\",\"kid\":\"test\"}".getBytes(StandardCharsets.UTF_8));
    String deep =
        Base64.getUrlEncoder()
            .withoutPadding()
            .encodeToString(("{\"a\":" + "[".repeat(4000)).getBytes(StandardCharsets.UTF_8));
    return List.of(
        "Bearer",
        "Bearer ",
        "Basic dGVzdDp0ZXN0",
        "Bearer x",
        "Bearer .",
        "Bearer ..",
        "Bearer ....",
        "Bearer a.b.c",
        "Bearer null",
        "Bearer {}",
        "Bearer " + header + ".e30.AAAA",
        "Bearer " + header + "." + "A".repeat(5000) + ".AAAA",
        "Bearer " + deep + ".e30.AAAA",
        "Bearer " + "x".repeat(7000));
  }

  @ParameterizedTest
  @MethodSource("garbage")
  void refusesGarbage(String header) {
    Wire.Ending ending = get(channel, Wire.authorization(header));

    assertThat(ending.code()).isEqualTo(Code.UNAUTHENTICATED);
    assertThat(ending.reason()).isEqualTo("TOKEN_INVALID");
  }

  @Test
  void everyRpcNeedsItsRightAndNoOther() {
    int rpcs = 0;
    for (ServiceDescriptor service : Contract.load().services()) {
      for (MethodDescriptor rpc : service.getMethods()) {
        String right = Contract.right(rpc).orElseThrow();
        String others =
            Arrays.stream(Tokens.ALL_RIGHTS.split(" "))
                .filter(it -> !it.equals(right))
                .collect(Collectors.joining(" "));
        String method = service.getFullName() + "/" + rpc.getName();

        Wire.Ending without = call(method, rapport.tokens().of(rapport.tenant(), others));
        Wire.Ending with = call(method, rapport.tokens().of(rapport.tenant(), right));

        assertThat(without.code()).as(method).isEqualTo(Code.PERMISSION_DENIED);
        assertThat(without.reason()).as(method).isEqualTo("RIGHT_MISSING");
        assertThat(without.info().orElseThrow().getMetadataMap()).containsEntry("right", right);
        assertThat(with.reason()).as(method).isNotEqualTo("RIGHT_MISSING");
        rpcs++;
      }
    }
    assertThat(rpcs).isGreaterThanOrEqualTo(14);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "tracking", "tracking.readx", "TRACKING.READ", "tracking.*"})
  void takesRightsToTheLetter(String scope) {
    assertThat(reasonOf(rapport.tokens().of(rapport.tenant(), scope))).isEqualTo("RIGHT_MISSING");
  }

  @Test
  void refusesAnotherIssuerOrAudience() {
    try (RapportServer server =
        serve(Map.of("RAPPORT_TOKEN_ISSUER", "https://id", "RAPPORT_TOKEN_AUDIENCE", "rapport"))) {
      ManagedChannel own = Wire.open(server.port());

      assertThat(reason(own, good().issuer("https://id").audience("rapport").build()))
          .isEqualTo(LET_IN);
      assertThat(reason(own, good().issuer("https://other").audience("rapport").build()))
          .isEqualTo("TOKEN_INVALID");
      assertThat(reason(own, good().issuer("https://id").audience("other").build()))
          .isEqualTo("TOKEN_INVALID");
      assertThat(reason(own, good().build())).isEqualTo("TOKEN_INVALID");
      own.shutdownNow();
    }
  }

  @Test
  void followsItsKeyFileWithoutARestart(@TempDir Path directory) throws Exception {
    ECKey old = key("old");
    ECKey next = key("next");
    Path file = directory.resolve("jwks.json");
    write(file, new JWKSet(old.toPublicJWK()).toString());
    try (RapportServer server = serve(Map.of("RAPPORT_JWKS_FILE", file.toString()))) {
      ManagedChannel own = Wire.open(server.port());
      assertThat(signedBy(old, own)).isEqualTo(LET_IN);
      assertThat(signedBy(next, own)).isEqualTo("TOKEN_INVALID");

      write(file, new JWKSet(next.toPublicJWK()).toString());

      assertThat(signedBy(next, own)).isEqualTo(LET_IN);
      assertThat(signedBy(old, own)).isEqualTo("TOKEN_INVALID");
      own.shutdownNow();
    }
  }

  @Test
  void keepsTheKeysWhenTheFileBreaks(@TempDir Path directory) throws Exception {
    ECKey key = key("kept");
    Path file = directory.resolve("jwks.json");
    String good = new JWKSet(key.toPublicJWK()).toString();
    write(file, good);
    try (RapportServer server = serve(Map.of("RAPPORT_JWKS_FILE", file.toString()))) {
      ManagedChannel own = Wire.open(server.port());
      for (String broken :
          List.of("", "null", "[]", "{", "{}", "{\"keys\":null}", "{\"keys\":[7]}", "x", "\0")) {
        write(file, broken);
        assertThat(signedBy(key, own)).as(broken).isEqualTo(LET_IN);
      }
      Files.delete(file);
      assertThat(signedBy(key, own)).isEqualTo(LET_IN);
      own.shutdownNow();
    }
  }

  /** Each time with another token, so that none is known from before. */
  private static String signedBy(ECKey key, ManagedChannel to) throws JOSEException {
    JWTClaimsSet claims = good().jwtID(UUID.randomUUID().toString()).build();
    return get(to, bearer(sign(es256(key.getKeyID()), claims, new ECDSASigner(key)))).reason();
  }

  private static void write(Path file, String text) throws IOException {
    FileTime before =
        Files.exists(file) ? Files.getLastModifiedTime(file) : FileTime.from(Instant.EPOCH);
    Files.writeString(file, text);
    Files.setLastModifiedTime(file, FileTime.from(before.toInstant().plusSeconds(1)));
  }

  private static Date in(Duration time) {
    return Date.from(Instant.now().plus(time));
  }

  private static JWTClaimsSet.Builder good() {
    return Tokens.claims(rapport.tenant(), Tokens.ALL_RIGHTS, LIFE);
  }

  private static ECKey key(String id) throws JOSEException {
    return new ECKeyGenerator(Curve.P_256).keyID(id).generate();
  }

  private static JWSHeader es256(String keyId) {
    return new JWSHeader.Builder(JWSAlgorithm.ES256).keyID(keyId).build();
  }

  private static String sign(JWSHeader header, JWTClaimsSet claims, JWSSigner signer)
      throws JOSEException {
    SignedJWT jwt = new SignedJWT(header, claims);
    jwt.sign(signer);
    return jwt.serialize();
  }

  private static String reason(JWTClaimsSet claims) {
    return reason(channel, claims);
  }

  private static String reason(ManagedChannel to, JWTClaimsSet claims) {
    return get(to, bearer(rapport.tokens().sign(claims))).reason();
  }

  private static String reasonOf(String token) {
    return get(channel, bearer(token)).reason();
  }

  private static Metadata bearer(String token) {
    return Wire.authorization("Bearer " + token);
  }

  private static Wire.Ending get(ManagedChannel to, Metadata headers) {
    byte[] request =
        GetEventRequest.newBuilder().setId(UUID.randomUUID().toString()).build().toByteArray();
    return Wire.call(to, GET_EVENT, headers, CallOptions.DEFAULT, request);
  }

  private static Wire.Ending call(String method, String token) {
    return Wire.call(channel, method, bearer(token), CallOptions.DEFAULT, new byte[0]);
  }
}
