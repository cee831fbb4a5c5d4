package io.rapport.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Context;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes a span of each try of a call, below the current one, and tells the service of it. Spans say
 * what was called and how it ended, and nothing of what was sent.
 */
final class TracingInterceptor implements ClientInterceptor {
  private static final String SCOPE = "io.rapport.client";

  private final Supplier<OpenTelemetry> telemetry;

  private TracingInterceptor(Supplier<OpenTelemetry> telemetry) {
    this.telemetry = telemetry;
  }

  static ClientInterceptor global() {
    return new TracingInterceptor(GlobalOpenTelemetry::getOrNoop);
  }

  static ClientInterceptor of(OpenTelemetry telemetry) {
    return new TracingInterceptor(() -> telemetry);
  }

  @Override
  public <Q, A> ClientCall<Q, A> interceptCall(
      MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
    OpenTelemetry now = telemetry.get();
    ClientCall<Q, A> call = next.newCall(method, options);
    return now.equals(OpenTelemetry.noop()) ? call : new Traced<>(call, method, now);
  }

  private static final class Traced<Q, A> extends SimpleForwardingClientCall<Q, A> {
    private final MethodDescriptor<Q, A> method;
    private final OpenTelemetry telemetry;

    private Traced(ClientCall<Q, A> call, MethodDescriptor<Q, A> method, OpenTelemetry telemetry) {
      super(call);
      this.method = method;
      this.telemetry = telemetry;
    }

    @Override
    public void start(Listener<A> listener, Metadata headers) {
      Span span =
          telemetry
              .getTracer(SCOPE)
              .spanBuilder(method.getFullMethodName())
              .setSpanKind(SpanKind.CLIENT)
              .setAttribute("rpc.system", "grpc")
              .setAttribute("rpc.service", String.valueOf(method.getServiceName()))
              .setAttribute("rpc.method", String.valueOf(method.getBareMethodName()))
              .startSpan();
      telemetry
          .getPropagators()
          .getTextMapPropagator()
          .inject(Context.current().with(span), headers, TracingInterceptor::put);
      boolean started = false;
      try {
        super.start(new Ending<>(listener, span), headers);
        started = true;
      } finally {
        if (!started) {
          end(span, Status.Code.UNKNOWN);
        }
      }
    }
  }

  private static void put(@Nullable Metadata headers, String key, String value) {
    if (headers != null) {
      Metadata.Key<String> name = Metadata.Key.of(key, Metadata.ASCII_STRING_MARSHALLER);
      headers.discardAll(name);
      headers.put(name, value);
    }
  }

  private static void end(Span span, Status.Code code) {
    span.setAttribute("rpc.grpc.status_code", code.value());
    if (code != Status.Code.OK) {
      span.setStatus(StatusCode.ERROR);
    }
    span.end();
  }

  private static final class Ending<A> extends SimpleForwardingClientCallListener<A> {
    private final Span span;

    private Ending(ClientCall.Listener<A> listener, Span span) {
      super(listener);
      this.span = span;
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      end(span, status.getCode());
      super.onClose(status, trailers);
    }
  }
}
