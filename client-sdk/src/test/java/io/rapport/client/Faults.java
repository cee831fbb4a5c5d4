package io.rapport.client;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Errors as the service sends them. */
final class Faults {
  private Faults() {}

  static StatusRuntimeException of(Status.Code code, String reason) {
    return of(code, reason, Map.of());
  }

  static StatusRuntimeException of(Status.Code code, String reason, Map<String, String> metadata) {
    ErrorInfo info =
        ErrorInfo.newBuilder()
            .setDomain("rapport")
            .setReason(reason)
            .putAllMetadata(metadata)
            .build();
    BadRequest bad =
        BadRequest.newBuilder()
            .addFieldViolations(
                BadRequest.FieldViolation.newBuilder()
                    .setField("event.text")
                    .setDescription("too long")
                    .setReason("string.max_len"))
            .build();
    RetryInfo retry =
        RetryInfo.newBuilder().setRetryDelay(Duration.newBuilder().setNanos(7_000_000)).build();
    return StatusProto.toStatusRuntimeException(
        com.google.rpc.Status.newBuilder()
            .setCode(code.value())
            .setMessage("what, why, what next")
            .addDetails(Any.pack(info))
            .addDetails(Any.pack(bad))
            .addDetails(Any.pack(retry))
            .build());
  }

  /** The fault, so many times, then none. */
  static Supplier<@Nullable StatusRuntimeException> times(int times, StatusRuntimeException fault) {
    AtomicInteger left = new AtomicInteger(times);
    return () -> left.getAndDecrement() > 0 ? fault : null;
  }
}
