package io.rapport.faults;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.TimeUnit;

/**
 * Bare calls as one caller, always with the same request. No thread waits for an end; it is told in
 * a thread of gRPC's, which is as cheap as calls get.
 */
final class AsyncCalls<Q, A> implements AutoCloseable {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private final ManagedChannel connection;
  private final Channel channel;
  private final MethodDescriptor<Q, A> method;
  private final Q request;

  AsyncCalls(int port, String token, MethodDescriptor<Q, A> method, Q request) {
    this.connection =
        ManagedChannelBuilder.forAddress("127.0.0.1", port)
            .usePlaintext()
            .disableRetry()
            .directExecutor()
            .build();
    Metadata headers = new Metadata();
    headers.put(AUTHORIZATION, "Bearer " + token);
    this.channel =
        ClientInterceptors.intercept(
            connection, MetadataUtils.newAttachHeadersInterceptor(headers));
    this.method = method;
    this.request = request;
  }

  /** How a call ended, and the reason that the service gave if it didn't answer. */
  interface Ended {
    void with(Status status, String reason);
  }

  void start(long deadlineMillis, Ended ended) {
    CallOptions options =
        CallOptions.DEFAULT.withDeadlineAfter(deadlineMillis, TimeUnit.MILLISECONDS);
    ClientCalls.asyncUnaryCall(
        channel.newCall(method, options),
        request,
        new StreamObserver<>() {
          @Override
          public void onNext(A answer) {
            // only its end matters
          }

          @Override
          public void onError(Throwable failure) {
            Status status = Status.fromThrowable(failure);
            ended.with(
                status, failure instanceof StatusRuntimeException told ? Calls.reason(told) : "");
          }

          @Override
          public void onCompleted() {
            ended.with(Status.OK, "");
          }
        });
  }

  @Override
  public void close() {
    connection.shutdownNow();
  }
}
