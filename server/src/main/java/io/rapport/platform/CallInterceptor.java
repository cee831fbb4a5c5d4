package io.rapport.platform;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.Status.Code;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/** Follows each call to its end: figures, log, trace, and what its trailers say. */
public final class CallInterceptor implements ServerInterceptor {
  private final Set<String> streams;
  private final CallMetrics metrics;
  private final CallLog log;
  private final Traces traces;

  public CallInterceptor(Contract contract, CallMetrics metrics, CallLog log, Traces traces) {
    this.streams = Lanes.of(contract).streams();
    this.metrics = metrics;
    this.log = log;
    this.traces = traces;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    String method = CallInfo.name(call.getMethodDescriptor());
    CallInfo info = new CallInfo(method, headers, traces.begin(method, headers));
    Followed<Q, R> followed = new Followed<>(call, info);
    return followed.listener(
        Contexts.interceptCall(info.in(Context.current()), followed, headers, next));
  }

  private final class Followed<Q, R> extends SimpleForwardingServerCall<Q, R> {
    private final CallInfo info;
    private final long start = System.nanoTime();
    private final AtomicBoolean ended = new AtomicBoolean();

    private Followed(ServerCall<Q, R> call, CallInfo info) {
      super(call);
      this.info = info;
    }

    @Override
    public void close(Status status, Metadata trailers) {
      end(status.getCode());
      info.addTo(trailers);
      super.close(status, trailers);
    }

    ServerCall.Listener<Q> listener(ServerCall.Listener<Q> listener) {
      return new SimpleForwardingServerCallListener<>(listener) {
        @Override
        public void onCancel() {
          end(Code.CANCELLED);
          super.onCancel();
        }
      };
    }

    private void end(Code code) {
      if (ended.compareAndSet(false, true)) {
        long nanos = System.nanoTime() - start;
        metrics.ended(info, code, nanos);
        log.ended(info, streams.contains(info.method()), code, nanos);
        info.trace().end(code);
      }
    }
  }
}
