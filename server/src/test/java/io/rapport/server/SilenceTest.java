package io.rapport.server;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.read.ListAppender;
import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.rpc.Status;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.protobuf.StatusProto;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.rapport.platform.Contract;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slf4j.LoggerFactory;

/** What callers send appears neither in the log nor in what others are told. */
class SilenceTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final String CANARY = "c4n4ry";
  private static final int MAX_DEPTH = 5;

  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);

  @BeforeEach
  void listen() {
    log.start();
    root.addAppender(log);
  }

  @AfterEach
  void stopListening() {
    root.detachAppender(log);
  }

  @Test
  void hearsTheLog() {
    LoggerFactory.getLogger(SilenceTest.class).info(CANARY);

    assertThat(logged()).contains(CANARY);
  }

  @Test
  void errorsAndLogsKeepWhatWasSentToThemselves() {
    int failed = 0;
    for (ServiceDescriptor service : Contract.load().services()) {
      for (MethodDescriptor rpc : service.getMethods()) {
        for (String text : List.of(CANARY, CANARY + "\0", CANARY.repeat(3000), "\0" + CANARY)) {
          for (int oneof = 0; oneof < 3; oneof++) {
            byte[] request = message(rpc.getInputType(), text, oneof, 0).toByteArray();
            String method = service.getFullName() + "/" + rpc.getName();
            Wire.Ending ending = Wire.call(rapport.channel(), method, request);

            assertThat(told(ending)).as(method).doesNotContain(CANARY);
            failed += ending.status().isOk() ? 0 : 1;
          }
        }
      }
    }
    assertThat(failed).isGreaterThan(100);
    assertThat(logged()).doesNotContain(CANARY);
  }

  @Test
  void spansAndLinesOfCallsSayNothingOfWhatWasSent() {
    InMemorySpanExporter spans = InMemorySpanExporter.create();
    OpenTelemetrySdk telemetry =
        OpenTelemetrySdk.builder()
            .setTracerProvider(
                SdkTracerProvider.builder()
                    .addSpanProcessor(SimpleSpanProcessor.create(spans))
                    .build())
            .setPropagators(ContextPropagators.create(W3CTraceContextPropagator.getInstance()))
            .build();
    try (RapportServer server = rapport.serve(telemetry, Map.of("RAPPORT_LOG_CALLS", "true"))) {
      ManagedChannel channel = Wire.open(server.port());
      for (ServiceDescriptor service : Contract.load().services()) {
        for (MethodDescriptor rpc : service.getMethods()) {
          for (String text : List.of(CANARY, CANARY.repeat(3000), "\0" + CANARY)) {
            byte[] request = message(rpc.getInputType(), text, 0, 0).toByteArray();
            String method = service.getFullName() + "/" + rpc.getName();
            Wire.call(channel, method, talkative(), CallOptions.DEFAULT, request);
          }
        }
      }
      Wire.call(channel, CANARY + "." + CANARY + "/" + CANARY, new byte[0]);
      channel.shutdownNow();
    }

    assertThat(spans.getFinishedSpanItems()).hasSizeGreaterThan(30);
    assertThat(spans.getFinishedSpanItems())
        .extracting(SilenceTest::told)
        .noneMatch(it -> it.contains(CANARY));
    assertThat(logged()).contains("method=unknown", "method=rapport.").doesNotContain(CANARY);
  }

  /** Headers that say too much. */
  private static Metadata talkative() {
    Metadata headers = new Metadata();
    for (String name : List.of("rapport-request-id", "traceparent", "user-agent", "baggage")) {
      headers.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), CANARY + "=" + CANARY);
    }
    return headers;
  }

  private static String told(SpanData span) {
    return String.join(
        " ",
        span.getName(),
        span.getAttributes().toString(),
        span.getEvents().toString(),
        span.getLinks().toString(),
        span.getStatus().getDescription(),
        span.getSpanContext().getTraceState().toString());
  }

  @Test
  void tokensAreNotRepeated() {
    for (String header : List.of("Bearer " + CANARY, CANARY, "Basic " + CANARY)) {
      Wire.Ending ending =
          Wire.call(
              rapport.anonymousChannel(),
              "rapport.tracking.v1.EventService/GetEvent",
              Wire.authorization(header),
              CallOptions.DEFAULT,
              new byte[0]);

      assertThat(ending.reason()).isEqualTo("TOKEN_INVALID");
      assertThat(told(ending)).doesNotContain(CANARY);
    }
    assertThat(logged()).doesNotContain(CANARY);
  }

  /** All that the caller is told, but for the id that it asked for. */
  private static String told(Wire.Ending ending) {
    Status.Builder told =
        StatusProto.fromStatusAndTrailers(ending.status(), ending.trailers()).toBuilder();
    ending
        .info()
        .map(info -> info.toBuilder().removeMetadata("id").build())
        .ifPresent(info -> told.setDetails(0, Any.pack(info)));
    return new String(told.build().toByteArray(), StandardCharsets.ISO_8859_1);
  }

  private String logged() {
    List<String> lines = new ArrayList<>();
    for (ILoggingEvent event : List.copyOf(log.list)) {
      IThrowableProxy thrown = event.getThrowableProxy();
      lines.add(event.getLevel().isGreaterOrEqual(Level.TRACE) ? event.getFormattedMessage() : "");
      lines.add(String.valueOf(event.getKeyValuePairs()).replace("\"", ""));
      lines.add(thrown == null ? "" : ThrowableProxyUtil.asString(thrown));
    }
    return String.join("\n", lines);
  }

  /** The message with the text in every field that can hold it. */
  private static DynamicMessage message(Descriptor type, String text, int oneof, int depth) {
    DynamicMessage.Builder message = DynamicMessage.newBuilder(type);
    for (FieldDescriptor field : type.getFields()) {
      var choice = field.getRealContainingOneof();
      boolean other = choice != null && field != choice.getField(oneof % choice.getFieldCount());
      Object value = other ? null : value(field, text, oneof, depth);
      if (value != null && field.isRepeated()) {
        message.addRepeatedField(field, value);
      } else if (value != null) {
        message.setField(field, value);
      }
    }
    return message.build();
  }

  private static @org.jspecify.annotations.Nullable Object value(
      FieldDescriptor field, String text, int oneof, int depth) {
    return switch (field.getJavaType()) {
      case STRING -> text;
      case BYTE_STRING -> ByteString.copyFromUtf8(oneof == 0 ? text : "{\"" + text + "\": nul}");
      case MESSAGE ->
          depth < MAX_DEPTH ? message(field.getMessageType(), text, oneof, depth + 1) : null;
      default -> null;
    };
  }
}
