package io.rapport.client;

import io.grpc.ClientInterceptor;
import java.util.Optional;

/** Finds out whether calls can be traced: OpenTelemetry is the application's to bring along. */
final class Tracing {
  private static final String GLOBAL = "io.opentelemetry.api.GlobalOpenTelemetry";

  private Tracing() {}

  /** Traces calls as soon as the application has set up its global OpenTelemetry. */
  static Optional<ClientInterceptor> global() {
    try {
      Class.forName(GLOBAL, false, Tracing.class.getClassLoader()).getMethod("getOrNoop");
      return Optional.of(TracingInterceptor.global());
    } catch (ReflectiveOperationException | LinkageError absent) {
      return Optional.empty();
    }
  }
}
