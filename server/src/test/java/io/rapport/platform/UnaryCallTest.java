package io.rapport.platform;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Empty;
import com.google.protobuf.StringValue;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import java.lang.ref.WeakReference;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class UnaryCallTest {
  private static final MethodDescriptor<StringValue, Empty> METHOD =
      MethodDescriptor.<StringValue, Empty>newBuilder()
          .setType(MethodType.UNARY)
          .setFullMethodName("test.Service/Method")
          .setRequestMarshaller(ProtoUtils.marshaller(StringValue.getDefaultInstance()))
          .setResponseMarshaller(ProtoUtils.marshaller(Empty.getDefaultInstance()))
          .build();

  private record Waiting(WeakReference<StringValue> request, Reply<Empty> reply) {}

  @Test
  void letsGoOfTheRequestWhileItWaitsForTheAnswer() throws Exception {
    BlockingQueue<Waiting> waiting = new LinkedBlockingQueue<>();
    Server server =
        NettyServerBuilder.forPort(0)
            .addService(
                ServerServiceDefinition.builder("test.Service")
                    .addMethod(
                        Parsed.method(METHOD, 1024),
                        UnaryCall.<StringValue, Empty>handler((request, reply) ->
                            waiting.add(new Waiting(new WeakReference<>(request), reply))))
                    .build())
            .build()
            .start();
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", server.getPort()).usePlaintext().build();

    var answer =
        ClientCalls.futureUnaryCall(
            channel.newCall(METHOD, CallOptions.DEFAULT), StringValue.of("large"));
    Waiting call = waiting.take();

    assertIsLetGo(call.request());
    call.reply().send(Empty.getDefaultInstance());
    assertThat(answer.get()).isEqualTo(Empty.getDefaultInstance());
    channel.shutdownNow();
    server.shutdownNow();
  }

  private static void assertIsLetGo(WeakReference<?> reference) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
    while (!reference.refersTo(null)) {
      assertThat(System.nanoTime()).as("the time to let go of a request").isLessThan(end);
      System.gc();
    }
  }
}
