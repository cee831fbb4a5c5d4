package io.rapport.platform;

import com.google.protobuf.Any;
import com.google.rpc.BadRequest;
import com.google.rpc.BadRequest.FieldViolation;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status.Code;
import io.rapport.platform.v1.ErrorReason;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Why a call, or one item of a batch, is not done: what the caller is told. */
public final class ServiceException extends RuntimeException {
  /** The domain of every ErrorInfo. */
  public static final String DOMAIN = "rapport";

  /** In base64 a third more; callers take headers of 8 KiB unless set otherwise. */
  private static final int MAX_VIOLATION_BYTES = 4000;

  private static final long serialVersionUID = 1L;

  private final Code code;
  private final ErrorReason reason;
  private final transient Map<String, String> metadata = new TreeMap<>();
  private final transient List<FieldViolation> violations;
  private final transient @Nullable Duration retryAfter;

  private ServiceException(
      Code code,
      ErrorReason reason,
      String message,
      List<FieldViolation> violations,
      @Nullable Duration retryAfter) {
    super(message, null, false, false);
    this.code = code;
    this.reason = reason;
    this.violations = sendable(violations);
    this.retryAfter = retryAfter;
  }

  /** As many, at least one, as have room in the trailers of an answer, which callers limit. */
  private static List<FieldViolation> sendable(List<FieldViolation> violations) {
    int bytes = 0;
    for (int i = 0; i < violations.size(); i++) {
      bytes += violations.get(i).getSerializedSize();
      if (bytes > MAX_VIOLATION_BYTES) {
        return violations.subList(0, Math.max(1, i));
      }
    }
    return violations;
  }

  public static ServiceException of(Code code, ErrorReason reason, String message) {
    return new ServiceException(code, reason, message, List.of(), null);
  }

  /** INVALID_ARGUMENT because of one field. */
  public static ServiceException invalid(String field, ErrorReason reason, String description) {
    return invalid(reason, List.of(violation(field, reason, description)));
  }

  /** INVALID_ARGUMENT because of several fields. */
  public static ServiceException invalid(ErrorReason reason, List<FieldViolation> violations) {
    FieldViolation first = violations.getFirst();
    String more = violations.size() > 1 ? " (and " + (violations.size() - 1) + " more)" : "";
    String message = first.getField() + ": " + first.getDescription() + more;
    return new ServiceException(Code.INVALID_ARGUMENT, reason, message, violations, null);
  }

  public static ServiceException notFound(String kind, String id) {
    return notFound(kind).with("id", id);
  }

  /** Of something that was not asked for by its id. */
  public static ServiceException notFound(String kind) {
    return of(Code.NOT_FOUND, ErrorReason.RESOURCE_NOT_FOUND, "no such " + kind).with("kind", kind);
  }

  public static ServiceException failedPrecondition(ErrorReason reason, String message) {
    return of(Code.FAILED_PRECONDITION, reason, message);
  }

  /** FAILED_PRECONDITION because of several things, each with what must be otherwise. */
  public static ServiceException failedPrecondition(
      ErrorReason reason, String message, List<FieldViolation> violations) {
    return new ServiceException(Code.FAILED_PRECONDITION, reason, message, violations, null);
  }

  /** UNAVAILABLE, and worth another try after a while. */
  public static ServiceException unavailable(
      ErrorReason reason, String message, Duration retryAfter) {
    return new ServiceException(Code.UNAVAILABLE, reason, message, List.of(), retryAfter);
  }

  public static FieldViolation violation(String field, ErrorReason reason, String description) {
    return FieldViolation.newBuilder()
        .setField(field)
        .setReason(reason.name())
        .setDescription(description)
        .build();
  }

  Map<String, String> metadata() {
    return Collections.unmodifiableMap(metadata);
  }

  /** Adds a fact that the message speaks of, for programs to read. */
  public ServiceException with(String key, String value) {
    metadata.put(key, value);
    return this;
  }

  /** The same with field paths that begin at the message in which {@code field} stands. */
  public ServiceException inside(String field) {
    if (violations.isEmpty()) {
      return this;
    }
    ServiceException inside =
        invalid(
            reason,
            violations.stream()
                .map(it -> it.toBuilder().setField(field + "." + it.getField()).build())
                .toList());
    inside.metadata.putAll(metadata);
    return inside;
  }

  public Code code() {
    return code;
  }

  public ErrorReason reason() {
    return reason;
  }

  public List<FieldViolation> violations() {
    return violations;
  }

  /** The error as it is sent: code, message and details. */
  public com.google.rpc.Status toStatus() {
    com.google.rpc.Status.Builder status =
        com.google.rpc.Status.newBuilder()
            .setCode(code.value())
            .setMessage(message())
            .addDetails(
                Any.pack(
                    ErrorInfo.newBuilder()
                        .setDomain(DOMAIN)
                        .setReason(reason.name())
                        .putAllMetadata(metadata)
                        .build()));
    if (!violations.isEmpty()) {
      status.addDetails(
          Any.pack(BadRequest.newBuilder().addAllFieldViolations(violations).build()));
    }
    if (retryAfter != null) {
      status.addDetails(
          Any.pack(RetryInfo.newBuilder().setRetryDelay(protoDuration(retryAfter)).build()));
    }
    return status.build();
  }

  private static com.google.protobuf.Duration protoDuration(Duration time) {
    return com.google.protobuf.Duration.newBuilder()
        .setSeconds(time.getSeconds())
        .setNanos(time.getNano())
        .build();
  }

  private String message() {
    String message = getMessage();
    return message == null ? reason.name() : message;
  }
}
