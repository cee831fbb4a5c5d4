package io.rapport.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanId;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.rapport.client.RapportClient;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A trace goes from the application through the SDK and the server to the database. */
class TracingTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final String GET = "rapport.tracking.v1.EventService/GetEvent";
  private static final String LINK = "rapport.identity.v1.UserService/LinkIdentity";

  private final InMemorySpanExporter spans = InMemorySpanExporter.create();
  private final OpenTelemetrySdk telemetry =
      OpenTelemetrySdk.builder()
          .setTracerProvider(
              SdkTracerProvider.builder()
                  .addSpanProcessor(SimpleSpanProcessor.create(spans))
                  .build())
          .setPropagators(ContextPropagators.create(W3CTraceContextPropagator.getInstance()))
          .build();
  private final RapportServer server = rapport.serve(telemetry, Map.of());

  @AfterEach
  void stop() {
    server.close();
    telemetry.close();
  }

  @Test
  void goesFromTheApplicationToTheDatabase() {
    Span application;
    try (RapportClient client = client()) {
      client.events().get(Given.id()); // the first call looks the tenant up
      spans.reset();
      application = telemetry.getTracer("test").spanBuilder("application").startSpan();
      try (Scope _ = application.makeCurrent()) {
        assertThat(client.events().get(Given.id())).isEmpty();
      }
    }
    application.end();

    SpanData caller = span(GET, SpanKind.CLIENT);
    SpanData call = span(GET, SpanKind.SERVER);
    SpanData use = span("database statements", SpanKind.INTERNAL);
    SpanData statement = span("SELECT", SpanKind.CLIENT);
    String trace = application.getSpanContext().getTraceId();
    assertThat(List.of(caller, call, use, statement))
        .extracting(SpanData::getTraceId)
        .containsOnly(trace);
    assertThat(caller.getParentSpanId()).isEqualTo(application.getSpanContext().getSpanId());
    assertThat(call.getParentSpanId()).isEqualTo(caller.getSpanId());
    assertThat(List.of(use, statement))
        .extracting(SpanData::getParentSpanId)
        .containsOnly(call.getSpanId());
  }

  @Test
  void showsTheTransactionOfAWrite() {
    try (RapportClient client = client()) {
      client.users().link(user(), Given.identity("bob"));
    }

    SpanData call = span(LINK, SpanKind.SERVER);
    assertThat(spans.getFinishedSpanItems())
        .filteredOn(span -> span.getParentSpanId().equals(call.getSpanId()))
        .extracting(SpanData::getName)
        .contains("database transaction", "connection", "COMMIT");
  }

  @Test
  void blamesOnlyFaultsOnTheService() {
    ManagedChannel channel = Wire.open(server.port());
    Wire.call(channel, GET, new Metadata(), CallOptions.DEFAULT, new byte[] {-1});
    Wire.call(channel, "rapport.Nothing/At" + "All", new byte[0]);

    SpanData refused = span(GET, SpanKind.SERVER);
    assertThat(refused.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
    SpanData unknown = span("unknown", SpanKind.SERVER);
    assertThat(unknown.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
    channel.shutdownNow();
  }

  @Test
  void beginsATraceForCallersThatHaveNone() {
    ManagedChannel channel = Wire.open(server.port());
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER), "00-nonsense-01");
    Wire.call(channel, GET, headers, CallOptions.DEFAULT, new byte[] {-1});

    assertThat(span(GET, SpanKind.SERVER).getParentSpanId()).isEqualTo(SpanId.getInvalid());
    channel.shutdownNow();
  }

  @Test
  void isSentToTheCollector() throws Exception {
    BlockingQueue<String> sent = new ArrayBlockingQueue<>(100);
    HttpServer collector =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    collector.createContext(
        "/v1/traces",
        exchange -> {
          byte[] body = exchange.getRequestBody().readAllBytes();
          sent.add(new String(body, StandardCharsets.ISO_8859_1));
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    collector.start();
    String url = "http://127.0.0.1:" + collector.getAddress().getPort();
    try (RapportServer sending = rapport.serve(Map.of("OTEL_EXPORTER_OTLP_ENDPOINT", url));
        RapportClient client = rapport.clientOf(sending)) {
      assertThat(client.events().get(Given.id())).isEmpty();
    } finally {
      collector.stop(1);
    }

    assertThat(sent.poll(10, TimeUnit.SECONDS)).contains(GET, "SELECT", "rapport");
  }

  private static String user() {
    rapport.client().events().track(Given.eventOf("ada").build());
    return rapport.client().users().get(Given.identity("ada")).orElseThrow().getId();
  }

  private RapportClient client() {
    return RapportClient.builder("127.0.0.1:" + server.port())
        .token(rapport.tokens().of(rapport.tenant(), Tokens.ALL_RIGHTS))
        .openTelemetry(telemetry)
        .build();
  }

  private SpanData span(String name, SpanKind kind) {
    List<SpanData> found =
        spans.getFinishedSpanItems().stream()
            .filter(span -> span.getName().equals(name) && span.getKind() == kind)
            .toList();
    assertThat(found).as("%s of %s", name, spans.getFinishedSpanItems()).hasSize(1);
    return found.getFirst();
  }
}
