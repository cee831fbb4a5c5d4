package io.rapport.server;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.StatusProto;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** Calls with any bytes at all, and how they end. */
final class Wire {
  private static final int PATIENCE_SECONDS = 20;
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private Wire() {}

  /**
   * How a call ended.
   *
   * @param answer the last message
   */
  record Ending(Status status, Metadata trailers, int messages, ByteString answer) {
    Status.Code code() {
      return status.getCode();
    }

    /** The reason that the service gave; empty if it gave none. */
    String reason() {
      return info().map(ErrorInfo::getReason).orElse("");
    }

    Optional<ErrorInfo> info() {
      com.google.rpc.Status rich = StatusProto.fromStatusAndTrailers(status, trailers);
      return rich.getDetailsList().stream()
          .filter(detail -> detail.is(ErrorInfo.class))
          .map(detail -> {
            try {
              return detail.unpack(ErrorInfo.class);
            } catch (InvalidProtocolBufferException e) {
              throw new UncheckedIOException(e);
            }
          })
          .findFirst();
    }

    @Override
    public String toString() {
      return status.getCode() + " " + reason() + " " + status.getDescription();
    }
  }

  static ManagedChannel open(int port) {
    return NettyChannelBuilder.forAddress("127.0.0.1", port)
        .usePlaintext()
        .maxInboundMessageSize(16 * 1024 * 1024)
        .build();
  }

  /** Headers with these values of {@code authorization}. */
  static Metadata authorization(String... values) {
    Metadata headers = new Metadata();
    for (String value : values) {
      headers.put(AUTHORIZATION, value);
    }
    return headers;
  }

  /** Of the watching RPCs, which don't end by themselves, the first answer is taken for the end. */
  private static final Pattern ENDLESS = Pattern.compile(".*/Watch.*");

  /** Sends the messages, half-closes, and waits for the end. */
  static Ending call(Channel channel, String method, byte[]... messages) {
    return call(channel, method, new Metadata(), CallOptions.DEFAULT, messages);
  }

  static Ending call(
      Channel channel, String method, Metadata headers, CallOptions options, byte[]... messages) {
    MethodDescriptor<byte[], byte[]> descriptor =
        MethodDescriptor.newBuilder(new Bytes(), new Bytes())
            .setType(MethodType.BIDI_STREAMING)
            .setFullMethodName(method)
            .build();
    CompletableFuture<Ending> ending = new CompletableFuture<>();
    ClientCall<byte[], byte[]> call = channel.newCall(descriptor, patient(options));
    Runnable first =
        () -> {
          if (ENDLESS.matcher(method).matches()) {
            ending.complete(new Ending(Status.OK, new Metadata(), 1, ByteString.EMPTY));
            call.cancel("the first answer is enough", null);
          }
        };
    call.start(new Listener(ending, first), headers);
    call.request(Integer.MAX_VALUE);
    for (byte[] message : List.of(messages)) {
      call.sendMessage(message);
    }
    call.halfClose();
    return ending.join();
  }

  /** With the options' deadline or, if they have none, one that keeps a test from hanging. */
  private static CallOptions patient(CallOptions options) {
    return options.getDeadline() == null
        ? options.withDeadlineAfter(PATIENCE_SECONDS, TimeUnit.SECONDS)
        : options;
  }

  private static final class Listener extends ClientCall.Listener<byte[]> {
    private final CompletableFuture<Ending> ending;
    private final Runnable answered;
    private int messages;
    private ByteString answer = ByteString.EMPTY;

    private Listener(CompletableFuture<Ending> ending, Runnable answered) {
      this.ending = ending;
      this.answered = answered;
    }

    @Override
    public void onMessage(byte[] message) {
      messages++;
      answered.run();
      answer = ByteString.copyFrom(message);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      ending.complete(new Ending(status, trailers, messages, answer));
    }
  }

  private static final class Bytes implements Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
