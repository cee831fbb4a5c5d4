package io.rapport.platform;

import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.rapport.platform.v1.ErrorReason;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/** A request message, or why it can't be read: grpc-java alone would answer UNKNOWN. */
record Parsed<Q>(@Nullable Q message, @Nullable ServiceException failure) {
  private static final int KIB = 1024;

  Q orThrow() {
    if (failure != null) {
      throw failure;
    }
    if (message == null) {
      throw new IllegalStateException("neither a message nor a failure");
    }
    return message;
  }

  /**
   * The method with requests that never fail to parse and are at most so large. Its type is left
   * open, because of a unary call with two messages grpc-java would only reset the stream.
   */
  static <Q, R> MethodDescriptor<Parsed<Q>, R> method(MethodDescriptor<Q, R> method, int maxBytes) {
    Marshaller<Parsed<Q>> requests = new Requests<>(method.getRequestMarshaller(), maxBytes);
    return method.toBuilder(requests, method.getResponseMarshaller())
        .setType(MethodType.UNKNOWN)
        .build();
  }

  private record Requests<Q>(Marshaller<Q> marshaller, int maxBytes)
      implements Marshaller<Parsed<Q>> {
    @Override
    public InputStream stream(Parsed<Q> value) {
      return marshaller.stream(value.orThrow());
    }

    @Override
    public Parsed<Q> parse(InputStream stream) {
      try {
        InputStream whole = stream instanceof KnownLength ? stream : unpacked(stream);
        if (whole.available() > maxBytes) {
          return new Parsed<>(null, tooLarge());
        }
        return new Parsed<>(marshaller.parse(whole), null);
      } catch (StatusRuntimeException e) {
        return new Parsed<>(null, unreadable(e.getCause()));
      } catch (IOException e) {
        return new Parsed<>(null, malformed("the message can't be unpacked"));
      }
    }

    /** Of a compressed message only so much that its being too large is seen. */
    private InputStream unpacked(InputStream stream) throws IOException {
      return new ByteArrayInputStream(stream.readNBytes(maxBytes + 1));
    }

    /** The parser gives up on nesting before anybody can say in which field it is. */
    private static ServiceException unreadable(@Nullable Throwable cause) {
      boolean tooDeep =
          cause instanceof InvalidProtocolBufferException
              && String.valueOf(cause.getMessage()).contains("too many levels of nesting");
      return tooDeep
          ? ServiceException.of(
              Code.INVALID_ARGUMENT,
              ErrorReason.JSON_TOO_DEEP,
              "the message is nested too deeply; a Struct may have 32 levels")
          : malformed("the message can't be read as its type");
    }

    private ServiceException tooLarge() {
      return ServiceException.of(
              Code.RESOURCE_EXHAUSTED,
              ErrorReason.MESSAGE_TOO_LARGE,
              "the message has more than " + maxBytes / KIB + " KiB")
          .with("max_bytes", String.valueOf(maxBytes));
    }
  }

  static ServiceException malformed(String message) {
    return ServiceException.of(Code.INVALID_ARGUMENT, ErrorReason.MESSAGE_MALFORMED, message);
  }
}
