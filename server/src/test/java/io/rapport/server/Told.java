package io.rapport.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.BadRequest.FieldViolation;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import com.google.rpc.Status;
import io.grpc.protobuf.StatusProto;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** What a caller is told of a call that was not done. */
public record Told(Status status) {
  /** Makes the call, which must fail. */
  public static Told by(ThrowingCallable call) {
    Throwable thrown = catchThrowable(call);
    assertThat(thrown).as("the call's failure").isNotNull();
    return of(thrown);
  }

  public static Told of(Throwable thrown) {
    Status status = StatusProto.fromThrowable(thrown);
    if (status == null) {
      throw new AssertionError("no status, and so no failed call", thrown);
    }
    return new Told(status);
  }

  public Code code() {
    return Objects.requireNonNull(Code.forNumber(status.getCode()));
  }

  /** The reason; empty if none was told. */
  public String reason() {
    return detail(ErrorInfo.getDefaultInstance()).getReason();
  }

  public Map<String, String> metadata() {
    return detail(ErrorInfo.getDefaultInstance()).getMetadataMap();
  }

  public List<String> fields() {
    return violations().stream().map(FieldViolation::getField).toList();
  }

  public List<FieldViolation> violations() {
    return detail(BadRequest.getDefaultInstance()).getFieldViolationsList();
  }

  @SuppressWarnings("unchecked")
  private <T extends Message> T detail(T type) {
    for (Any detail : status.getDetailsList()) {
      if (detail.is(type.getClass())) {
        try {
          return (T) detail.unpack(type.getClass());
        } catch (InvalidProtocolBufferException e) {
          throw new AssertionError(e);
        }
      }
    }
    return type;
  }
}
