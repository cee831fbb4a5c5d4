package io.rapport.platform;

import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.spi.LoggingEventBuilder;

/** What is known of a call under way, for those who write of it. */
final class CallInfo {
  /** What the caller, or else the service, calls the call. */
  private static final Metadata.Key<String> REQUEST_ID = CallTrailers.key("rapport-request-id");

  private static final Metadata.Key<String> TRACE_PARENT = CallTrailers.key("traceparent");

  /** Version, trace, span, flags. */
  private static final Pattern TRACE =
      Pattern.compile("[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.{0,64}");

  private static final Pattern UUID_TEXT =
      Pattern.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");

  private static final Context.Key<CallInfo> KEY = Context.key("rapport.call");

  private final String method;
  private final Metadata headers;
  private final Trace trace;
  private final @Nullable CallCost cost;
  private final DatabaseWatch database;
  private final CallTrailers trailers = new CallTrailers();
  private volatile @Nullable UUID tenant;
  private volatile @Nullable String requestId;

  CallInfo(String method, Metadata headers, Trace trace) {
    this.method = method;
    this.headers = headers;
    this.trace = trace;
    this.cost = CallCost.isAsked(headers) ? new CallCost() : null;
    this.database = DatabaseWatch.of(trace, cost);
  }

  /** The full name of a method; of one that is not there, what its caller calls it is not told. */
  static String name(MethodDescriptor<?, ?> method) {
    return method.getSchemaDescriptor() == null ? "unknown" : method.getFullMethodName();
  }

  /** That of the call for which this thread works, if it does. */
  static @Nullable CallInfo current() {
    return KEY.get();
  }

  static void tellTenant(UUID tenant) {
    CallInfo call = KEY.get();
    if (call != null) {
      call.tenant = tenant;
    }
  }

  Context in(Context context) {
    return context.withValue(KEY, this);
  }

  CallTrailers trailers() {
    return trailers;
  }

  DatabaseWatch database() {
    return database;
  }

  Trace trace() {
    return trace;
  }

  String method() {
    return method;
  }

  /** Adds who called what to a line of the log. */
  LoggingEventBuilder describe(LoggingEventBuilder line) {
    LoggingEventBuilder told =
        line.addKeyValue("method", method).addKeyValue("request_id", requestId());
    UUID known = tenant;
    if (known != null) {
      told = told.addKeyValue("tenant_id", known);
    }
    String id = traceId().orElse(null);
    return id == null ? told : told.addKeyValue("trace_id", id);
  }

  private Optional<String> traceId() {
    Optional<String> own = trace.id();
    String parent = own.isPresent() ? null : headers.get(TRACE_PARENT);
    if (parent == null) {
      return own;
    }
    Matcher matcher = TRACE.matcher(parent);
    return matcher.matches() ? Optional.of(matcher.group(1)) : Optional.empty();
  }

  /** The caller's id for the call if it is a UUID, for other texts may say anything. */
  private synchronized String requestId() {
    String known = requestId;
    if (known == null) {
      known = sentRequestId().orElseGet(() -> Ids.random().toString());
      requestId = known;
    }
    return known;
  }

  private Optional<String> sentRequestId() {
    return Optional.ofNullable(headers.get(REQUEST_ID))
        .filter(it -> UUID_TEXT.matcher(it).matches());
  }

  /** Adds what the caller is told when the call ends. */
  void addTo(Metadata metadata) {
    trailers.addTo(metadata);
    if (cost != null) {
      cost.addTo(metadata);
    }
    String id = requestId == null ? sentRequestId().orElse(null) : requestId;
    if (id != null) {
      metadata.put(REQUEST_ID, id);
    }
  }
}
