package io.rapport.bench;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.util.function.Predicate;

/** A call of an RPC, and what is a right answer. */
record RpcCall<Q, A>(
    Channel channel, MethodDescriptor<Q, A> method, Q request, Predicate<A> isRight)
    implements CallLoad.Call {
  @Override
  public void start(CallLoad.End end) {
    ClientCalls.asyncUnaryCall(
        channel.newCall(method, CallOptions.DEFAULT), request, new Waiting<>(end, isRight));
  }

  private record Waiting<A>(CallLoad.End end, Predicate<A> isRight) implements StreamObserver<A> {
    @Override
    public void onNext(A answer) {
      if (!isRight.test(answer)) {
        throw new IllegalStateException("a wrong answer: " + answer);
      }
    }

    @Override
    public void onError(Throwable failure) {
      end.failed(failure);
    }

    @Override
    public void onCompleted() {
      end.answered();
    }
  }
}
