package io.rapport.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Codec;
import io.grpc.Compressor;
import io.grpc.CompressorRegistry;
import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.rapport.platform.Contract;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls that no honest client makes: each ends in a defined way, and the server goes on. */
class HostileCallTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final String GET_EVENT = "rapport.tracking.v1.EventService/GetEvent";
  private static final String TRACK_EVENT = "rapport.tracking.v1.EventService/TrackEvent";
  private static final String BATCH = "rapport.tracking.v1.EventService/BatchTrackEvents";
  private static final String INGEST = "rapport.tracking.v1.EventService/IngestEvents";

  /** What takes many messages. */
  private static final Set<String> STREAMS =
      Set.of(
          INGEST,
          "rapport.monitoring.v1.PredictionLogService/StreamPredictions",
          "rapport.search.v1.EmbeddingService/IngestEmbeddings");

  private static final int MIB = 1024 * 1024;

  @AfterEach
  void theServerGoesOn() {
    byte[] request = HealthCheckRequest.getDefaultInstance().toByteArray();

    assertThat(Wire.call(rapport.channel(), "grpc.health.v1.Health/Check", request).code())
        .isEqualTo(Code.OK);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "rapport.tracking.v1.EventService/Nope",
        "rapport.tracking.v1.EventService/getEvent",
        "rapport.tracking.v1.EVENTSERVICE/GetEvent",
        "rapport.tracking.v1.EventService/GetEvent/",
        "rapport.tracking.v1.EventService//GetEvent",
        "/rapport.tracking.v1.EventService/GetEvent",
        "rapport.tracking.v1.EventService%2FGetEvent",
        "rapport.identity.v1.EventService/GetEvent",
        "rapport.tracking.v1.EventService/GetEvent?a=b",
        "rapport.tracking.v1.EventService/../EventService/GetEvent",
        "GetEvent",
        "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
      })
  void refusesAnRpcThatIsNotThere(String path) {
    assertRefused(call(path, new byte[0]), Code.UNIMPLEMENTED, "RPC_UNKNOWN");
  }

  @Test
  void refusesAPathWithoutSlash() throws IOException {
    try (RawHttp2 raw = new RawHttp2(rapport.port())) {
      raw.preface().headers(1, RawHttp2.END_STREAM, RawHttp2.call(GET_EVENT));

      assertThat(raw.answer(1).status()).isEqualTo(code(Code.UNIMPLEMENTED));
    }
  }

  @Test
  void everyRpcRefusesBytesThatAreNoMessage() {
    Map<String, byte[]> broken =
        Map.of(
            "a varint without end", repeat(0xFF, 11),
            "a field cut off", new byte[] {0x0A, 0x7F, 1},
            "a tag cut off", new byte[] {(byte) 0x80},
            "field number 0", new byte[] {0x00, 0x01},
            "an unknown wire type", new byte[] {0x0F},
            "the end of a group that never began", new byte[] {0x0C});
    for (String method : methods()) {
      broken.forEach((what, bytes) -> {
        Wire.Ending ending = call(method, bytes);

        assertThat(ending.code()).as("%s: %s", method, what).isEqualTo(Code.INVALID_ARGUMENT);
        assertThat(ending.reason()).as("%s: %s", method, what).isEqualTo("MESSAGE_MALFORMED");
        assertThat(ending.info().orElseThrow().getDomain()).isEqualTo("rapport");
      });
    }
  }

  @Test
  void everyRpcRefusesAMessageThatIsNestedTooDeeply() {
    for (String method : methods()) {
      Wire.Ending ending = call(method, repeat(0x7B, 10_000));

      assertThat(ending.code()).as(method).isEqualTo(Code.INVALID_ARGUMENT);
      assertThat(ending.reason()).as(method).isEqualTo("JSON_TOO_DEEP");
    }
  }

  @Test
  void everyUnaryRpcTakesExactlyOneMessage() {
    for (String method : methods()) {
      if (!STREAMS.contains(method)) {
        assertRefused(call(method), Code.INVALID_ARGUMENT, "MESSAGE_MALFORMED");
        assertRefused(
            call(method, new byte[0], new byte[0]), Code.INVALID_ARGUMENT, "MESSAGE_MALFORMED");
        assertRefused(
            call(method, new byte[0], new byte[0], new byte[0]),
            Code.INVALID_ARGUMENT,
            "MESSAGE_MALFORMED");
      }
    }
  }

  @Test
  void refusesTextThatIsNoUtf8() {
    assertRefused(
        call(GET_EVENT, new byte[] {0x0A, 0x02, (byte) 0xC3, 0x28}),
        Code.INVALID_ARGUMENT,
        "MESSAGE_MALFORMED");
  }

  /** A wrong wire type makes the field an unknown one, and so the known one is missing. */
  @Test
  void takesAFieldOfTheWrongTypeForAnUnknownOne() {
    assertRefused(call(GET_EVENT, new byte[] {0x08, 0x01}), Code.INVALID_ARGUMENT, "INVALID_FIELD");
  }

  @Test
  void refusesAStructDeeperThanProtobufReads() {
    byte[] struct = new byte[0];
    for (int i = 0; i < 2000; i++) {
      byte[] list = field(6, struct); // Value.list_value
      struct = field(1, list); // ListValue.values
    }
    byte[] entry = concat(field(1, new byte[] {'a'}), field(2, field(6, struct)));
    byte[] event = field(9, field(1, entry)); // Event.data_struct

    assertRefused(call(TRACK_EVENT, field(1, event)), Code.INVALID_ARGUMENT, "JSON_TOO_DEEP");
  }

  @Test
  void namesTheLimitToAMessageThatIsTooLarge() {
    Wire.Ending ending = call(GET_EVENT, field(1, new byte[2 * MIB]));

    assertRefused(ending, Code.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE");
    assertThat(ending.info().orElseThrow().getMetadataMap())
        .containsEntry("max_bytes", String.valueOf(MIB));
    assertRefused(
        call(BATCH, field(1, new byte[5 * MIB])), Code.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE");
    assertRefused(
        call(INGEST, field(2, new byte[5 * MIB])), Code.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE");
  }

  @Test
  void readsNoMessageThatIsFarTooLarge() {
    Wire.Ending ending = call(GET_EVENT, field(1, new byte[9 * MIB]));

    assertThat(ending.code()).isEqualTo(Code.RESOURCE_EXHAUSTED);
  }

  @Test
  void countsACompressedMessageByItsSizeWhenUnpacked() {
    assertRefused(
        compressed(new Codec.Gzip(), field(1, new byte[2 * MIB])),
        Code.RESOURCE_EXHAUSTED,
        "MESSAGE_TOO_LARGE");
  }

  @Test
  void refusesABombBeforeItGoesOff() {
    byte[] bomb = new byte[64 * MIB];

    Wire.Ending ending = compressed(new Codec.Gzip(), bomb);

    assertRefused(ending, Code.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE");
  }

  @Test
  void refusesWhatOnlyPretendsToBeCompressed() {
    assertRefused(
        compressed(new Pretended("gzip"), repeat(7, 100)),
        Code.INVALID_ARGUMENT,
        "MESSAGE_MALFORMED");
  }

  @Test
  void refusesAnUnknownCompression() {
    assertThat(compressed(new Pretended("zip9000"), new byte[10]).code())
        .isEqualTo(Code.UNIMPLEMENTED);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0n", "-1S", "x", "", "99999999999S", "1", "S", "1X"})
  void endsACallWithAStrangeDeadline(String timeout) throws IOException {
    try (RawHttp2 raw = new RawHttp2(rapport.port())) {
      Map<String, String> fields = RawHttp2.call("/" + GET_EVENT);
      fields.put("grpc-timeout", timeout);
      raw.preface().headers(1, 0, fields);
      raw.frame(RawHttp2.DATA, RawHttp2.END_STREAM, 1, RawHttp2.message(0, 0, new byte[0]));

      RawHttp2.Answer answer = raw.answer(1);

      assertThat(answer.connectionClosed()).isFalse();
      if (!answer.reset()) {
        assertThat(answer.status()).isNotIn("", code(Code.UNKNOWN), code(Code.OK));
      }
    }
  }

  @Test
  void endsACallWhoseFramesLie() throws IOException {
    List<byte[]> lies =
        List.of(
            RawHttp2.message(0, 100, new byte[3]),
            RawHttp2.message(0, -1, new byte[3]),
            RawHttp2.message(1, 3, new byte[3]),
            RawHttp2.message(0xFF, 3, new byte[3]),
            new byte[] {0, 0});
    for (byte[] lie : lies) {
      try (RawHttp2 raw = new RawHttp2(rapport.port())) {
        raw.preface().headers(1, 0, RawHttp2.call("/" + GET_EVENT));
        raw.frame(RawHttp2.DATA, RawHttp2.END_STREAM, 1, lie);

        RawHttp2.Answer answer = raw.answer(1);

        assertThat(answer.connectionClosed()).isFalse();
        assertThat(answer.reset() || !answer.status().isEmpty()).isTrue();
        assertThat(answer.status()).isNotIn(code(Code.OK), code(Code.UNKNOWN));
      }
    }
  }

  @Test
  void refusesMoreHeadersThanAllowed() throws IOException {
    try (RawHttp2 raw = new RawHttp2(rapport.port())) {
      Map<String, String> fields = RawHttp2.call("/" + GET_EVENT);
      fields.put("x-large", "x".repeat(9000));
      raw.preface().headers(1, RawHttp2.END_STREAM, fields);

      RawHttp2.Answer answer = raw.answer(1);

      boolean refused =
          answer.reset()
              || answer.connectionClosed()
              || "431".equals(answer.headers().get(":status"));
      assertThat(refused).as("%s", answer).isTrue();
    }
  }

  @Test
  void refusesAnotherKindOfContent() throws IOException {
    try (RawHttp2 raw = new RawHttp2(rapport.port())) {
      Map<String, String> fields = RawHttp2.call("/" + GET_EVENT);
      fields.put("content-type", "application/json");
      raw.preface().headers(1, RawHttp2.END_STREAM, fields);

      assertThat(raw.answer(1).headers()).containsEntry(":status", "415");
    }
  }

  @Test
  void hangsUpOnWhatIsNotHttp2() throws IOException {
    byte[] noise = new byte[4096];
    new Random(7).nextBytes(noise);
    for (byte[] bytes :
        List.of(
            "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
                .getBytes(java.nio.charset.StandardCharsets.US_ASCII),
            noise)) {
      try (RawHttp2 raw = new RawHttp2(rapport.port())) {
        assertThat(raw.bytes(bytes).isClosed()).isTrue();
      }
    }
  }

  @Test
  void hangsUpOnFramesThatBreakHttp2() throws IOException {
    try (RawHttp2 raw = new RawHttp2(rapport.port())) {
      raw.preface().frame(RawHttp2.DATA, 0, 0, new byte[10]);

      assertThat(raw.isClosed()).isTrue();
    }
  }

  @Test
  void hangsUpOnAPeerThatSaysNothing() throws IOException {
    try (RawHttp2 raw = new RawHttp2(rapport.port())) {
      assertThat(raw.isClosed()).isTrue();
    }
  }

  private static Wire.Ending call(String method, byte[]... messages) {
    return Wire.call(rapport.channel(), method, messages);
  }

  private static void assertRefused(Wire.Ending ending, Code code, String reason) {
    assertThat(ending.reason()).as("%s", ending).isEqualTo(reason);
    assertThat(ending.code()).isEqualTo(code);
    assertThat(ending.info().orElseThrow().getDomain()).isEqualTo("rapport");
  }

  private static Wire.Ending compressed(Compressor compressor, byte[] message) {
    CompressorRegistry compressors = CompressorRegistry.newEmptyInstance();
    compressors.register(compressor);
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", rapport.port())
            .usePlaintext()
            .compressorRegistry(compressors)
            .build();
    try {
      return Wire.call(
          (Channel) channel,
          GET_EVENT,
          new io.grpc.Metadata(),
          CallOptions.DEFAULT.withCompression(compressor.getMessageEncoding()),
          message);
    } finally {
      channel.shutdownNow();
    }
  }

  /** Names a compression and does nothing. */
  private record Pretended(String encoding) implements Compressor {
    @Override
    public String getMessageEncoding() {
      return encoding;
    }

    @Override
    public OutputStream compress(OutputStream os) {
      return os;
    }
  }

  private static List<String> methods() {
    List<String> methods = new ArrayList<>();
    for (ServiceDescriptor service : Contract.load().services()) {
      for (MethodDescriptor rpc : service.getMethods()) {
        methods.add(service.getFullName() + "/" + rpc.getName());
      }
    }
    return methods;
  }

  private static String code(Code code) {
    return String.valueOf(code.value());
  }

  private static byte[] repeat(int value, int count) {
    byte[] bytes = new byte[count];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  /** A field with so many bytes. */
  private static byte[] field(int number, byte[] value) {
    byte[] head = new byte[6];
    int size = 0;
    head[size++] = (byte) (number << 3 | 2);
    int rest = value.length;
    while (rest >= 128) {
      head[size++] = (byte) (rest % 128 + 128);
      rest /= 128;
    }
    head[size++] = (byte) rest;
    return concat(Arrays.copyOf(head, size), value);
  }
}
