package io.rapport.platform;

import io.grpc.Metadata;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes a span of each call, below the one that its caller names. Spans say what was called, how it
 * ended and how long it took, and nothing of what was sent.
 */
public final class Traces {
  private static final String SCOPE = "io.rapport.server";

  private final @Nullable Tracer tracer;
  private final TextMapPropagator callers;

  private Traces(@Nullable Tracer tracer, TextMapPropagator callers) {
    this.tracer = tracer;
    this.callers = callers;
  }

  /** Makes none. */
  public static Traces none() {
    return new Traces(null, TextMapPropagator.noop());
  }

  public static Traces of(OpenTelemetry telemetry) {
    return new Traces(
        telemetry.getTracer(SCOPE), telemetry.getPropagators().getTextMapPropagator());
  }

  Trace begin(String method, Metadata headers) {
    if (tracer == null) {
      return Trace.NONE;
    }
    int slash = method.lastIndexOf('/');
    Span span =
        tracer
            .spanBuilder(method)
            .setSpanKind(SpanKind.SERVER)
            .setParent(callers.extract(Context.root(), headers, new Headers()))
            .setAttribute("rpc.system", "grpc")
            .setAttribute("rpc.service", slash < 0 ? method : method.substring(0, slash))
            .setAttribute("rpc.method", method.substring(slash + 1))
            .startSpan();
    return new Trace(tracer, span);
  }

  private static final class Headers implements TextMapGetter<Metadata> {
    @Override
    public Iterable<String> keys(Metadata headers) {
      return Set.copyOf(headers.keys());
    }

    @Override
    public @Nullable String get(@Nullable Metadata headers, String key) {
      return headers == null ? null : headers.get(CallTrailers.key(key));
    }
  }
}
