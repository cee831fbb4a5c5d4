package io.rapport.platform;

import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import io.grpc.Context;
import io.grpc.MethodDescriptor.MethodType;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Which bound each RPC counts against, as the contract declares it. */
final class Lanes {
  private static final Context.Key<Lane> KEY = Context.key("rapport.lane");

  private final Map<String, Lane> lanes;

  /** What calls count against. */
  enum Lane {
    /** Unary calls, most of them. */
    ORDINARY,
    /** Unary calls that are answered when all else is busy. */
    RESERVED,
    /** Unary calls that are bounded by the bytes that wait to be recorded. */
    RECORDING,
    /** Open streams, and calls that wait for others. */
    STREAMS
  }

  private Lanes(Map<String, Lane> lanes) {
    this.lanes = lanes;
  }

  static Lanes of(Contract contract) {
    Map<String, Lane> lanes = new HashMap<>();
    for (ServiceDescriptor service : contract.services()) {
      for (MethodDescriptor rpc : service.getMethods()) {
        lanes.put(service.getFullName() + "/" + rpc.getName(), of(rpc));
      }
    }
    return new Lanes(lanes);
  }

  private static Lane of(MethodDescriptor rpc) {
    if (rpc.isClientStreaming() || rpc.isServerStreaming()) {
      return Lane.STREAMS;
    }
    return switch (Contract.lane(rpc)) {
      case LANE_UNSPECIFIED, UNRECOGNIZED -> Lane.ORDINARY;
      case RESERVED -> Lane.RESERVED;
      case RECORDING -> Lane.RECORDING;
      case WAITING -> Lane.STREAMS;
    };
  }

  /** The full names of the streams of the contract, and of calls that may take as long. */
  Set<String> streams() {
    return lanes.keySet().stream()
        .filter(method -> lanes.get(method) == Lane.STREAMS)
        .collect(Collectors.toUnmodifiableSet());
  }

  /** What is not of the contract is gRPC's own: health and reflection. */
  Lane of(io.grpc.MethodDescriptor<?, ?> method) {
    Lane declared = lanes.get(method.getFullMethodName());
    if (declared != null) {
      return declared;
    }
    return method.getType() == MethodType.UNARY ? Lane.RESERVED : Lane.STREAMS;
  }

  static Context in(Context context, Lane lane) {
    return context.withValue(KEY, lane);
  }

  /** Whether this thread works for a call that must be answered when all else is busy. */
  static boolean isReserved() {
    return KEY.get() == Lane.RESERVED;
  }
}
