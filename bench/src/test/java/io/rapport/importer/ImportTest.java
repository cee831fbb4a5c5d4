package io.rapport.importer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.ServerCredentials;
import io.grpc.TlsServerCredentials;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.UUID;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ImportTest {
  private static final int EVENTS = 20_000;

  @TempDir Path directory = Path.of("");
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private Server server = Grpc.newServerBuilderForPort(0, plain()).build();

  @AfterEach
  void stop() {
    server.shutdownNow();
  }

  @Test
  void importsACompressedFile() throws IOException {
    Path file = Files.write(directory.resolve("events.gz"), packed());

    assertThat(run(serve(plain()), file.toString())).isZero();

    assertThat(out.toString(UTF_8)).startsWith("{\"read\":20000,\"accepted\":20000,");
    assertThat(err.toString(UTF_8)).isEmpty();
  }

  @Test
  void saysWhereACompressedFileIsCutOffAndWhatIsIn() throws IOException {
    byte[] whole = packed();
    Path file =
        Files.write(directory.resolve("cut.gz"), Arrays.copyOf(whole, whole.length * 3 / 4));

    assertThat(run(serve(plain()), file.toString())).isEqualTo(1);

    String summary = out.toString(UTF_8);
    int read = Integer.parseInt(summary.replaceFirst("\\{\"read\":(\\d+),(?s).*", "$1"));
    assertThat(read).isBetween(1, EVENTS - 1);
    assertThat(summary).contains("\"accepted\":" + read + ",");
    assertThat(err.toString(UTF_8))
        .startsWith("import: " + file + ": cut off: ")
        .contains("read up to line " + read + ",")
        .hasLineCount(1);
  }

  @Test
  void saysWhereACompressedFileIsDamagedAndWhatIsIn() throws IOException {
    byte[] damaged = packed();
    Arrays.fill(damaged, damaged.length / 2, damaged.length / 2 + 100, (byte) 0xff);
    Path file = Files.write(directory.resolve("damaged.gz"), damaged);

    assertThat(run(serve(plain()), file.toString())).isEqualTo(1);

    // What is decoded from the damage on is no JSON; the sum at the end shows that it is damage.
    assertThat(out.toString(UTF_8)).startsWith("{\"read\":").doesNotContain("\"accepted\":0,");
    assertThat(err.toString(UTF_8).lines().toList())
        .last(STRING)
        .startsWith("import: " + file + ": can't be read: ")
        .contains("; read up to line ");
  }

  @Test
  void takesNoEmptyFileForACompressedOne() throws IOException {
    Path file = Files.write(directory.resolve("empty.gz"), new byte[0]);

    assertThat(run(serve(plain()), file.toString())).isEqualTo(1);

    assertThat(out.toString(UTF_8)).startsWith("{\"read\":0,\"accepted\":0,");
    assertThat(err.toString(UTF_8)).contains(file + ": ");
  }

  @Test
  @Timeout(60)
  void saysSoonThatItCannotConnectAndInTheEndGivesUp() throws IOException {
    String target = "127.0.0.1:" + closedPort();
    Path file = Files.writeString(directory.resolve("events"), line());

    assertThat(run(target, "--patience", "12", file.toString())).isEqualTo(1);

    String why = "can't reach " + target + ": Connection refused";
    assertThat(err.toString(UTF_8).lines())
        .containsExactly(
            "import: " + why + "; still trying",
            "import: stopped near line 1, 1 events undecided: " + why);
    assertThat(out.toString(UTF_8)).startsWith("{\"read\":1,\"accepted\":0,");
  }

  @Test
  @Timeout(60)
  void goesOnWhenTheServiceComes() throws Exception {
    int port = closedPort();
    Path file = Files.writeString(directory.resolve("events"), line());
    Thread later = Thread.ofPlatform().start(() -> serveAfter(5, port));

    assertThat(run("127.0.0.1:" + port, file.toString())).isZero();

    later.join();
    assertThat(err.toString(UTF_8)).contains("still trying");
    assertThat(out.toString(UTF_8)).startsWith("{\"read\":1,\"accepted\":1,");
  }

  @Test
  void trustsTheCertificatesThatItIsTold() throws Exception {
    Pem own = Pem.make(directory, "own");
    Pem other = Pem.make(directory, "other");
    String target =
        serve(TlsServerCredentials.create(own.certificate().toFile(), own.key().toFile()));
    Path file = Files.writeString(directory.resolve("events"), line());

    assertThat(run(target, "--trust", own.certificate().toString(), file.toString())).isZero();
    assertThat(out.toString(UTF_8)).contains("\"accepted\":1,");

    String stranger = other.certificate().toString();
    assertThat(run(target, "--patience", "0", "--trust", stranger, file.toString())).isEqualTo(1);
    assertThat(err.toString(UTF_8)).contains("can't reach " + target + ": ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          /nowhere/at/all            | 2 | no such file: /nowhere/at/all
          /                          | 2 | a directory, not a file: /
          --trust /nowhere FILE      | 2 | no such file: /nowhere
          --token-file /nowhere FILE | 2 | no such file: /nowhere
          --trust FILE --plaintext FILE | 2 | --trust is for TLS, which --plaintext is not
          --trust FILE FILE          | 1 | no certificate in PEM: FILE
          --patience -1 FILE         | 2 | --patience must be 0 or more: -1
          --nonsense FILE            | 2 | Unknown option: '--nonsense'
          --plaintext                | 2 | Missing required parameter: 'FILE'
          """)
  void saysInOneLineWhatIsWrong(String arguments, int status, String line) throws IOException {
    String file = Files.writeString(directory.resolve("events"), line()).toString();

    assertThat(run(arguments.replace("FILE", file).split(" "))).isEqualTo(status);

    String expected = line.contains("'FILE'") ? line : line.replace("FILE", file);
    assertThat(err.toString(UTF_8)).isEqualTo("import: " + expected + "\n");
  }

  private int run(String target, String... arguments) {
    String[] all = Arrays.copyOf(new String[] {"--target", target}, arguments.length + 2);
    System.arraycopy(arguments, 0, all, 2, arguments.length);
    return run(all);
  }

  private int run(String[] arguments) {
    var command =
        Import.commandLine(new PrintStream(out, true, UTF_8), new PrintStream(err, true, UTF_8));
    command.setErr(new PrintWriter(err, true, UTF_8));
    return command.execute(arguments);
  }

  private String serve(ServerCredentials credentials) throws IOException {
    server = serve(0, credentials);
    return "127.0.0.1:" + server.getPort();
  }

  private static Server serve(int port, ServerCredentials credentials) throws IOException {
    return Grpc.newServerBuilderForPort(port, credentials)
        .addService(new TakingService())
        .build()
        .start();
  }

  private void serveAfter(int seconds, int port) {
    try {
      Thread.sleep(seconds * 1000L);
      server = serve(port, plain());
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static ServerCredentials plain() {
    return InsecureServerCredentials.create();
  }

  private static int closedPort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static byte[] packed() throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
      for (int i = 0; i < EVENTS; i++) {
        gzip.write(line().getBytes(UTF_8));
      }
    }
    return packed.toByteArray();
  }

  private static String line() {
    return "{\"event_id\":\"%s\",\"user\":\"ada\",\"event_type\":\"commit\"}\n"
        .formatted(UUID.randomUUID());
  }
}
