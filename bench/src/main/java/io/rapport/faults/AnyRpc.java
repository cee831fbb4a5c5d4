package io.rapport.faults;

import com.google.protobuf.DescriptorProtos.MethodOptions.IdempotencyLevel;
import com.google.protobuf.Descriptors;
import com.google.protobuf.DynamicMessage;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.protobuf.ProtoUtils;
import io.rapport.platform.Contract;
import io.rapport.platform.v1.Access.Lane;
import io.rapport.platform.v1.AccessProto;
import java.util.List;

/** An RPC of the contract, known by its descriptor alone. */
record AnyRpc(Descriptors.MethodDescriptor descriptor) {
  /** All RPCs of the contract. */
  static List<AnyRpc> all() {
    return Contract.load().services().stream()
        .flatMap(service -> service.getMethods().stream())
        .map(AnyRpc::new)
        .toList();
  }

  static AnyRpc named(String name) {
    return all().stream().filter(rpc -> rpc.name().equals(name)).findFirst().orElseThrow();
  }

  /** Without the names of its package. */
  String name() {
    return descriptor.getService().getName() + "/" + descriptor.getName();
  }

  boolean isRead() {
    return descriptor.getOptions().getIdempotencyLevel() == IdempotencyLevel.NO_SIDE_EFFECTS;
  }

  /** Whether its requests can ask for nothing to be changed. */
  boolean canBeTried() {
    return input().findFieldByName("validate_only") != null;
  }

  boolean isReserved() {
    return descriptor.getOptions().getExtension(AccessProto.access).getLane() == Lane.RESERVED;
  }

  Descriptors.Descriptor input() {
    return descriptor.getInputType();
  }

  MethodDescriptor<DynamicMessage, DynamicMessage> method() {
    return MethodDescriptor.<DynamicMessage, DynamicMessage>newBuilder()
        .setType(type())
        .setFullMethodName(descriptor.getService().getFullName() + "/" + descriptor.getName())
        .setRequestMarshaller(ProtoUtils.marshaller(DynamicMessage.getDefaultInstance(input())))
        .setResponseMarshaller(
            ProtoUtils.marshaller(DynamicMessage.getDefaultInstance(descriptor.getOutputType())))
        .build();
  }

  private MethodType type() {
    if (descriptor.isClientStreaming()) {
      return MethodType.BIDI_STREAMING;
    }
    return descriptor.isServerStreaming() ? MethodType.SERVER_STREAMING : MethodType.UNARY;
  }
}
