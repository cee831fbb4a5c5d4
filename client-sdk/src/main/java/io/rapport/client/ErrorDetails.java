package io.rapport.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What an error says, taken out of its status and trailers. */
record ErrorDetails(
    Status.Code code,
    String message,
    String reason,
    Map<String, String> metadata,
    List<FieldViolation> violations,
    @Nullable Duration retryDelay) {

  private static final String DOMAIN = "rapport";

  /** Details of an error that the SDK itself found. */
  static ErrorDetails local(Status.Code code, String message) {
    return new ErrorDetails(code, message, "", Map.of(), List.of(), null);
  }

  static ErrorDetails of(Throwable failure) {
    com.google.rpc.Status status = StatusProto.fromThrowable(failure);
    if (status != null) {
      return of(status);
    }
    Status plain = Status.fromThrowable(failure);
    String text = plain.getDescription();
    return local(plain.getCode(), text == null ? String.valueOf(failure.getMessage()) : text);
  }

  static ErrorDetails of(com.google.rpc.Status status) {
    Optional<ErrorInfo> info =
        detail(status, ErrorInfo.getDefaultInstance()).filter(i -> i.getDomain().equals(DOMAIN));
    return new ErrorDetails(
        Status.fromCodeValue(status.getCode()).getCode(),
        status.getMessage(),
        info.map(ErrorInfo::getReason).orElse(""),
        info.map(i -> Map.copyOf(i.getMetadataMap())).orElse(Map.of()),
        violations(status),
        detail(status, RetryInfo.getDefaultInstance()).map(ErrorDetails::delay).orElse(null));
  }

  /** Whether the service itself sent this, rather than the transport. */
  boolean fromService() {
    return !reason.isEmpty();
  }

  private static List<FieldViolation> violations(com.google.rpc.Status status) {
    return detail(status, BadRequest.getDefaultInstance())
        .map(BadRequest::getFieldViolationsList)
        .orElse(List.of())
        .stream()
        .map(v -> new FieldViolation(v.getField(), v.getDescription(), v.getReason()))
        .toList();
  }

  private static Duration delay(RetryInfo info) {
    return Duration.ofSeconds(info.getRetryDelay().getSeconds(), info.getRetryDelay().getNanos());
  }

  private static <T extends Message> Optional<T> detail(com.google.rpc.Status status, T type) {
    @SuppressWarnings("unchecked")
    Class<T> wanted = (Class<T>) type.getClass();
    for (Any any : status.getDetailsList()) {
      if (any.is(wanted)) {
        return unpack(any, wanted);
      }
    }
    return Optional.empty();
  }

  private static <T extends Message> Optional<T> unpack(Any any, Class<T> type) {
    try {
      return Optional.of(any.unpack(type));
    } catch (InvalidProtocolBufferException unreadable) {
      return Optional.empty();
    }
  }
}
