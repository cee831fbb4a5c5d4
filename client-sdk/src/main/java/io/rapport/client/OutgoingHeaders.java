package io.rapport.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Adds the token to every call, and refuses metadata that the service would cut the connection for.
 */
final class OutgoingHeaders implements ClientInterceptor {
  static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  /** What the service takes, less what gRPC itself sends beside the method's name. */
  private static final int MAX_BYTES = 8192 - 512;

  /** What HTTP/2 counts for each entry. */
  private static final int ENTRY_BYTES = 32;

  private final @Nullable Supplier<String> token;

  OutgoingHeaders(@Nullable Supplier<String> token) {
    this.token = token;
  }

  @Override
  public <Q, A> ClientCall<Q, A> interceptCall(
      MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
    return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
      @Override
      public void start(Listener<A> listener, Metadata headers) {
        if (token != null) {
          headers.put(AUTHORIZATION, "Bearer " + token.get());
        }
        check(bytes(headers) + method.getFullMethodName().length());
        super.start(listener, headers);
      }
    };
  }

  private static void check(long bytes) {
    if (bytes > MAX_BYTES) {
      String message =
          "The call's metadata (token, tracing …) has %,d bytes; the service takes %,d at most."
              .formatted(bytes, MAX_BYTES);
      throw new InvalidArgumentException(
          ErrorDetails.local(Status.Code.INVALID_ARGUMENT, message), null);
    }
  }

  private static long bytes(Metadata headers) {
    long bytes = 0;
    for (String key : headers.keys()) {
      bytes +=
          key.endsWith(Metadata.BINARY_HEADER_SUFFIX) ? binary(headers, key) : text(headers, key);
    }
    return bytes;
  }

  private static long binary(Metadata headers, String key) {
    long bytes = 0;
    Iterable<byte[]> values = headers.getAll(Metadata.Key.of(key, Metadata.BINARY_BYTE_MARSHALLER));
    if (values != null) {
      for (byte[] value : values) {
        bytes += ENTRY_BYTES + key.length() + (value.length + 2L) / 3 * 4;
      }
    }
    return bytes;
  }

  private static long text(Metadata headers, String key) {
    long bytes = 0;
    Iterable<String> values =
        headers.getAll(Metadata.Key.of(key, Metadata.ASCII_STRING_MARSHALLER));
    if (values != null) {
      for (String value : values) {
        bytes += ENTRY_BYTES + key.length() + value.getBytes(StandardCharsets.UTF_8).length;
      }
    }
    return bytes;
  }
}
