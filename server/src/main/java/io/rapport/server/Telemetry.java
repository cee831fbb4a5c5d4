package io.rapport.server;

import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import io.rapport.platform.Traces;
import java.net.URI;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Sends traces to a collector, if there is one, by OTLP over HTTP. */
final class Telemetry implements AutoCloseable {
  /** What OpenTelemetry's own variables may change. */
  private static final Map<String, String> DEFAULTS = Map.of("otel.service.name", "rapport");

  /** What else it would do. */
  private static final Map<String, String> FIXED =
      Map.of(
          "otel.exporter.otlp.protocol", "http/protobuf",
          "otel.traces.exporter", "otlp",
          "otel.metrics.exporter", "none",
          "otel.logs.exporter", "none");

  private final Traces traces;
  private final Runnable end;

  /** Makes spans of calls, and ends what sends them. */
  Telemetry(Traces traces, Runnable end) {
    this.traces = traces;
    this.end = end;
  }

  /** To a collector, or none. */
  static Telemetry of(@Nullable URI collector) {
    if (collector == null) {
      return new Telemetry(Traces.none(), () -> {});
    }
    OpenTelemetrySdk sdk = to(collector);
    return new Telemetry(Traces.of(sdk), sdk::close);
  }

  Traces traces() {
    return traces;
  }

  @Override
  public void close() {
    end.run();
  }

  private static OpenTelemetrySdk to(URI collector) {
    return AutoConfiguredOpenTelemetrySdk.builder()
        .addPropertiesSupplier(() -> DEFAULTS)
        .addPropertiesCustomizer(variables -> FIXED)
        .addPropertiesCustomizer(
            variables -> Map.of("otel.exporter.otlp.endpoint", collector.toString()))
        .disableShutdownHook()
        .build()
        .getOpenTelemetrySdk();
  }
}
