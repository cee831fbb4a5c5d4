package io.rapport.platform;

import io.grpc.Status.Code;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The span of a call, and the spans of what it does. */
final class Trace {
  /** That of calls of which nobody collects spans. */
  static final Trace NONE = new Trace(null, Span.getInvalid());

  /** How calls end that the service is to blame for. */
  private static final Set<Code> FAULTS =
      EnumSet.of(
          Code.UNKNOWN,
          Code.DEADLINE_EXCEEDED,
          Code.UNIMPLEMENTED,
          Code.INTERNAL,
          Code.UNAVAILABLE,
          Code.DATA_LOSS);

  private final @Nullable Tracer tracer;
  private final Span span;

  Trace(@Nullable Tracer tracer, Span span) {
    this.tracer = tracer;
    this.span = span;
  }

  boolean isRecording() {
    return span.isRecording();
  }

  Optional<String> id() {
    return Optional.of(span.getSpanContext()).filter(it -> it.isValid()).map(it -> it.getTraceId());
  }

  /** A span below the call's, for {@link #end(Span, boolean)} to end. */
  Span begin(String name, SpanKind kind) {
    return tracer == null
        ? Span.getInvalid()
        : tracer
            .spanBuilder(name)
            .setParent(Context.root().with(span))
            .setSpanKind(kind)
            .setAttribute("db.system.name", "postgresql")
            .startSpan();
  }

  static void end(Span step, boolean done) {
    if (!done) {
      step.setStatus(StatusCode.ERROR);
    }
    step.end();
  }

  void end(Code code) {
    span.setAttribute("rpc.grpc.status_code", code.value());
    end(span, !FAULTS.contains(code));
  }
}
