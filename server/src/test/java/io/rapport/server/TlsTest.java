package io.rapport.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.ChannelCredentials;
import io.grpc.TlsChannelCredentials;
import io.rapport.client.RapportClient;
import io.rapport.client.UnavailableException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class TlsTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  @TempDir static Path directory = Path.of("");
  private static Certificates.Pem own = new Certificates.Pem(Path.of(""), Path.of(""));
  private static Certificates.Pem client = own;
  private static Certificates.Pem stranger = own;

  @BeforeAll
  static void makeCertificates() throws Exception {
    own = Certificates.make(directory, "server");
    client = Certificates.make(directory, "client");
    stranger = Certificates.make(directory, "stranger");
  }

  @Test
  void servesTheSdkThatTrustsItsCertificate() throws IOException {
    try (RapportServer server = rapport.serve(tls());
        InputStream trusted = Files.newInputStream(own.certificate());
        RapportClient sdk = builder(server).tls(trusted).build()) {
      assertLetIn(sdk);
    }
  }

  @Test
  void isRefusedByTheSdkThatTrustsAnother() throws IOException {
    try (RapportServer server = rapport.serve(tls());
        InputStream trusted = Files.newInputStream(stranger.certificate());
        RapportClient sdk = builder(server).tls(trusted).build()) {
      assertRefused(sdk);
    }
  }

  @Test
  void refusesPlainText() {
    try (RapportServer server = rapport.serve(tls());
        RapportClient sdk = builder(server).plaintext().build()) {
      assertRefused(sdk);
    }
  }

  @Test
  void asksForAClientCertificateIfToldTo() throws IOException {
    Map<String, String> mutual =
        Map.of(
            "RAPPORT_TLS_CERTIFICATE", own.certificate().toString(),
            "RAPPORT_TLS_KEY", own.key().toString(),
            "RAPPORT_TLS_CLIENT_CA", client.certificate().toString());
    try (RapportServer server = rapport.serve(mutual)) {
      try (RapportClient known = builder(server).credentials(with(client)).build()) {
        assertLetIn(known);
      }
      try (RapportClient unknown = builder(server).credentials(with(stranger)).build()) {
        assertRefused(unknown);
      }
      try (InputStream trusted = Files.newInputStream(own.certificate());
          RapportClient without = builder(server).tls(trusted).build()) {
        assertRefused(without);
      }
    }
  }

  private static void assertLetIn(RapportClient sdk) {
    assertThat(sdk.events().get(UUID.randomUUID().toString())).isEmpty();
  }

  private static void assertRefused(RapportClient sdk) {
    assertThatThrownBy(() -> sdk.events().get(UUID.randomUUID().toString()))
        .isInstanceOf(UnavailableException.class)
        .satisfies(e -> assertThat(((UnavailableException) e).rawReason()).isEmpty());
  }

  private static Map<String, String> tls() {
    return Map.of(
        "RAPPORT_TLS_CERTIFICATE", own.certificate().toString(),
        "RAPPORT_TLS_KEY", own.key().toString());
  }

  private static ChannelCredentials with(Certificates.Pem pem) throws IOException {
    return TlsChannelCredentials.newBuilder()
        .trustManager(own.certificate().toFile())
        .keyManager(pem.certificate().toFile(), pem.key().toFile())
        .build();
  }

  private static RapportClient.Builder builder(RapportServer server) {
    return RapportClient.builder("127.0.0.1:" + server.port())
        .token(rapport.tokens().of(rapport.tenant(), Tokens.ALL_RIGHTS));
  }
}
