package io.rapport.faults;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import io.grpc.CallOptions;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Bare calls as one caller: each is tried once, and its end is told in full. */
final class Calls {
  private static final Metadata.Key<String> AUTHORIZATION = key("authorization");
  private static final Metadata.Key<String> POSITION = key("rapport-position");

  private final ManagedChannel channel;
  private final Metadata headers = new Metadata();
  private final long deadlineMillis;

  /**
   * How a call ended.
   *
   * @param answer unset if it failed
   * @param position of the write, if the service told one
   */
  record End<A>(Status status, String reason, @Nullable A answer, String position) {
    Outcome outcome() {
      return Outcome.of(status, reason);
    }

    boolean ok() {
      return status.isOk();
    }

    /** Whether the same call may succeed a moment later. */
    boolean passing() {
      return switch (status.getCode()) {
        case UNAVAILABLE, ABORTED, UNKNOWN, DEADLINE_EXCEEDED -> true;
        default -> false;
      };
    }

    /** All that the caller got, to be compared. */
    String text() {
      return answer == null ? status.getCode() + " " + reason : answer + position;
    }

    @Override
    public String toString() {
      return status.getCode() + " " + reason + " " + status.getDescription();
    }
  }

  Calls(ManagedChannel channel, String token, long deadlineMillis) {
    this.channel = channel;
    this.deadlineMillis = deadlineMillis;
    headers.put(AUTHORIZATION, "Bearer " + token);
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  ManagedChannel channel() {
    return channel;
  }

  <Q, A> End<A> call(MethodDescriptor<Q, A> method, Q request) {
    return call(method, request, deadlineMillis);
  }

  <Q, A> End<A> call(MethodDescriptor<Q, A> method, Q request, long millis) {
    return call(
        method, request, CallOptions.DEFAULT.withDeadlineAfter(millis, TimeUnit.MILLISECONDS));
  }

  /** With no deadline, or with one that other calls have too. */
  <Q, A> End<A> call(MethodDescriptor<Q, A> method, Q request, CallOptions options) {
    AtomicReference<Metadata> head = new AtomicReference<>();
    AtomicReference<Metadata> trailers = new AtomicReference<>();
    var intercepted =
        ClientInterceptors.intercept(
            channel,
            MetadataUtils.newAttachHeadersInterceptor(headers),
            MetadataUtils.newCaptureMetadataInterceptor(head, trailers));
    try {
      A answer = ClientCalls.blockingUnaryCall(intercepted, method, options, request);
      return new End<>(Status.OK, "", answer, position(trailers.get()));
    } catch (StatusRuntimeException failure) {
      return new End<>(failure.getStatus(), reason(failure), null, "");
    }
  }

  /** Calls again, with the same request, while that may help. */
  <Q, A> End<A> untilAnswered(MethodDescriptor<Q, A> method, Q request, long millis)
      throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (true) {
      End<A> last = call(method, request);
      if (!last.passing() || System.nanoTime() > end) {
        return last;
      }
      TimeUnit.MILLISECONDS.sleep(10);
    }
  }

  private static String position(@Nullable Metadata trailers) {
    String position = trailers == null ? null : trailers.get(POSITION);
    return position == null ? "" : " at " + position;
  }

  static String reason(StatusRuntimeException failure) {
    com.google.rpc.Status status = StatusProto.fromThrowable(failure);
    if (status != null) {
      for (Any detail : status.getDetailsList()) {
        if (detail.is(ErrorInfo.class)) {
          return reason(detail);
        }
      }
    }
    return "";
  }

  private static String reason(Any detail) {
    try {
      return detail.unpack(ErrorInfo.class).getReason();
    } catch (InvalidProtocolBufferException broken) {
      return "";
    }
  }
}
