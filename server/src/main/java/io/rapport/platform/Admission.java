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
import io.micrometer.core.instrument.MeterRegistry;
import io.rapport.platform.Lanes.Lane;
import java.util.EnumMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Refuses calls beyond what the service can do, before their message is read.
 *
 * <p>A call has its place until it is answered. If its caller gives up, the place is free when the
 * handler has returned, for gRPC tells so in turn: a caller that cancels and calls again can't make
 * more handlers run than there are places.
 */
public final class Admission implements ServerInterceptor {
  /** Stands for callers that need no token. */
  private static final UUID NOBODY = new UUID(0, 0);

  private final Lanes lanes;
  private final Map<Lane, Gate> gates = new EnumMap<>(Lane.class);

  /**
   * How many there may be at a time.
   *
   * @param calls unary calls
   * @param reservedCalls unary calls that are answered when all else is busy
   * @param streams open streams
   */
  public record Limits(int calls, int reservedCalls, int streams) {}

  public Admission(Contract contract, Limits limits, MeterRegistry metrics) {
    this.lanes = Lanes.of(contract);
    gates.put(Lane.ORDINARY, new Gate("ordinary", limits.calls(), metrics));
    gates.put(Lane.RESERVED, new Gate("reserved", limits.reservedCalls(), metrics));
    gates.put(Lane.STREAMS, new Gate("streams", limits.streams(), metrics));
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    Lane lane = lanes.of(call.getMethodDescriptor());
    Gate gate = gates.get(lane);
    if (gate == null) {
      return next.startCall(call, headers);
    }
    UUID tenant = Caller.isKnown() ? Caller.currentTenant().id() : NOBODY;
    ServiceException refusal = gate.enter(tenant);
    if (refusal != null) {
      var closing = Failures.Closing.of(refusal);
      call.close(closing.status(), closing.trailers());
      return new ServerCall.Listener<>() {};
    }
    return new Place(gate, tenant).hold(lane, call, headers, next);
  }

  /** What an admitted call has until it ends. */
  private static final class Place {
    private final Gate gate;
    private final UUID tenant;
    private final AtomicBoolean left = new AtomicBoolean();

    private Place(Gate gate, UUID tenant) {
      this.gate = gate;
      this.tenant = tenant;
    }

    <Q, R> ServerCall.Listener<Q> hold(
        Lane lane, ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
      boolean started = false;
      try {
        ServerCall.Listener<Q> listener = start(lane, leaving(call), headers, next);
        started = true;
        return leaving(listener);
      } finally {
        if (!started) {
          leave();
        }
      }
    }

    private static <Q, R> ServerCall.Listener<Q> start(
        Lane lane, ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
      return lane == Lane.RESERVED
          ? Contexts.interceptCall(Lanes.in(Context.current(), lane), call, headers, next)
          : next.startCall(call, headers);
    }

    /** Leaves before the caller has its answer, which may call again at once. */
    private <Q, R> ServerCall<Q, R> leaving(ServerCall<Q, R> call) {
      return new SimpleForwardingServerCall<>(call) {
        @Override
        public void close(Status status, Metadata trailers) {
          leave();
          super.close(status, trailers);
        }
      };
    }

    private <Q> ServerCall.Listener<Q> leaving(ServerCall.Listener<Q> listener) {
      return new SimpleForwardingServerCallListener<>(listener) {
        @Override
        public void onCancel() {
          leave();
          super.onCancel();
        }

        @Override
        public void onComplete() {
          leave();
          super.onComplete();
        }
      };
    }

    private void leave() {
      if (left.compareAndSet(false, true)) {
        gate.leave(tenant);
      }
    }
  }
}
