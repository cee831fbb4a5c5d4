package io.rapport.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status.Code;
import io.grpc.health.v1.HealthCheckRequest;
import io.rapport.tracking.v1.CountEventsRequest;
import java.io.IOException;
import java.net.SocketException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A peer that resets streams for the sake of it is cut off; one that misses deadlines is not. */
class ResetLimitTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final int FLOOD = 20_000;
  private static final int HONEST = 600;
  private static final int TOO_MANY = 11; // ENHANCE_YOUR_CALM

  @Test
  void cutsAPeerThatResetsThousandsOfStreams() throws IOException {
    int goaway = -1;
    try (RawHttp2 raw = new RawHttp2(rapport.port())) {
      raw.preface();
      for (int i = 0; i < FLOOD; i++) {
        int stream = 2 * i + 1;
        raw.headers(stream, 0, RawHttp2.call("/rapport.tracking.v1.EventService/GetEvent"));
        raw.frame(RawHttp2.RST_STREAM, 0, stream, new byte[] {0, 0, 0, 8});
      }
      goaway = goaway(raw);
    } catch (SocketException cut) {
      goaway = TOO_MANY;
    }

    assertThat(goaway).isEqualTo(TOO_MANY);
    byte[] health = HealthCheckRequest.getDefaultInstance().toByteArray();
    assertThat(Wire.call(rapport.channel(), "grpc.health.v1.Health/Check", health).code())
        .isEqualTo(Code.OK);
  }

  private static int goaway(RawHttp2 raw) throws IOException {
    while (true) {
      RawHttp2.Frame frame = raw.read();
      if (frame.type() == RawHttp2.GOAWAY) {
        return frame.payload().byteAt(7);
      }
    }
  }

  @Test
  void toleratesACallerThatMissesItsDeadlines() throws Exception {
    byte[] all = CountEventsRequest.getDefaultInstance().toByteArray();
    List<CompletableFuture<Wire.Ending>> calls = new ArrayList<>();
    try (RapportServer server = rapport.serve(Map.of("RAPPORT_MAX_CALLS", "10000"));
        Connection admin =
            DriverManager.getConnection(
                rapport.database().jdbcUrl(),
                rapport.database().user(),
                rapport.database().password());
        Statement statement = admin.createStatement()) {
      ManagedChannel channel = Wire.open(server.port());
      admin.setAutoCommit(false);
      statement.execute("lock table tracking.behavioral_events in access exclusive mode");
      for (int i = 0; i < HONEST; i++) {
        calls.add(
            CompletableFuture.supplyAsync(
                () ->
                    Wire.call(
                        channel,
                        "rapport.tracking.v1.EventService/CountEvents",
                        new Metadata(),
                        CallOptions.DEFAULT.withDeadlineAfter(100, TimeUnit.MILLISECONDS),
                        all),
                Thread::startVirtualThread));
      }
      List<Wire.Ending> endings = calls.stream().map(CompletableFuture::join).toList();

      assertThat(endings).extracting(Wire.Ending::code).containsOnly(Code.DEADLINE_EXCEEDED);
      admin.rollback();
      channel.shutdownNow();
    }
  }
}
