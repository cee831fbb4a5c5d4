package io.rapport.server;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import com.google.protobuf.TextFormat;
import com.google.protobuf.TextFormat.ParseException;
import com.google.protobuf.Timestamp;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import io.rapport.platform.Contract;
import io.rapport.server.TenantIsolationTest.Call;
import io.rapport.server.TenantIsolationTest.Names;
import java.util.Set;

/** Calls that are written as text. */
final class TextCalls {
  /** What the service makes anew for each thing. */
  private static final Set<String> ENTITIES = Set.of("AnomalyAlert", "EmbeddingModel");

  private TextCalls() {}

  /**
   * A call of a line: the service and RPC, a blank, and the request.
   *
   * @param line with a plus if it answers otherwise for what is there
   */
  static Call call(String prefix, String line) {
    boolean own = line.startsWith("+");
    String[] parts = (own ? line.substring(1) : line).split(" ", 2);
    String rpc = prefix + parts[0];
    return new Call(rpc, (channel, names) -> answer(channel, names, rpc, parts[1]), own);
  }

  private static Message answer(Channel channel, Names names, String rpc, String text) {
    MethodDescriptor method = method(rpc);
    DynamicMessage.Builder request = DynamicMessage.newBuilder(method.getInputType());
    try {
      TextFormat.merge(filled(text, names), request);
    } catch (ParseException e) {
      throw new AssertionError(text, e);
    }
    return withoutChance(
        ClientCalls.blockingUnaryCall(
            channel, generated(method), CallOptions.DEFAULT, request.build()));
  }

  private static String filled(String text, Names names) {
    return text.replace("%U", names.user())
        .replace("%S", names.subject())
        .replace("%E", names.event())
        .replace("%P", names.property())
        .replace("%H", names.held())
        .replace("%A", names.alert());
  }

  private static MethodDescriptor method(String name) {
    return Contract.load().services().stream()
        .flatMap(service -> service.getMethods().stream())
        .filter(it -> name.equals(it.getService().getFullName() + "/" + it.getName()))
        .findFirst()
        .orElseThrow();
  }

  private static io.grpc.MethodDescriptor<DynamicMessage, DynamicMessage> generated(
      MethodDescriptor method) {
    return io.grpc.MethodDescriptor.<DynamicMessage, DynamicMessage>newBuilder()
        .setType(MethodType.UNARY)
        .setFullMethodName(method.getService().getFullName() + "/" + method.getName())
        .setRequestMarshaller(marshaller(method.getInputType()))
        .setResponseMarshaller(marshaller(method.getOutputType()))
        .build();
  }

  private static io.grpc.MethodDescriptor.Marshaller<DynamicMessage> marshaller(Descriptor type) {
    return ProtoUtils.marshaller(DynamicMessage.getDefaultInstance(type));
  }

  /** Without times, and ids that the service makes: they are never the same. */
  private static Message withoutChance(Message message) {
    Message.Builder builder = message.toBuilder();
    for (FieldDescriptor field : message.getAllFields().keySet()) {
      if (isChance(field)) {
        builder.clearField(field);
      } else if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE && !field.isMapField()) {
        clean(message, field, builder);
      }
    }
    return builder.build();
  }

  private static void clean(Message message, FieldDescriptor field, Message.Builder builder) {
    if (!field.isRepeated()) {
      builder.setField(field, withoutChance((Message) message.getField(field)));
      return;
    }
    for (int i = 0; i < message.getRepeatedFieldCount(field); i++) {
      builder.setRepeatedField(
          field, i, withoutChance((Message) message.getRepeatedField(field, i)));
    }
  }

  private static boolean isChance(FieldDescriptor field) {
    boolean time =
        field.getJavaType() == FieldDescriptor.JavaType.MESSAGE
            && field.getMessageType().getFullName().equals(Timestamp.getDescriptor().getFullName());
    boolean madeId =
        field.getName().equals("id") && ENTITIES.contains(field.getContainingType().getName());
    return time || madeId || field.getName().equals("retrieval_time");
  }
}
