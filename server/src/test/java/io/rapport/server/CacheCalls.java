package io.rapport.server;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import com.google.protobuf.TextFormat;
import com.google.protobuf.TextFormat.ParseException;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import io.rapport.platform.Contract;
import io.rapport.server.TenantIsolationTest.Call;
import io.rapport.server.TenantIsolationTest.Names;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** Calls of the caches' RPCs about what is a user's. */
final class CacheCalls {
  private static final String PACKAGE = "rapport.caching.v1.";
  private static final String PREDICTION = "user_id: '%U' type: GOAL name: 'n'";
  private static final String ANALYSIS = "user_id: '%U' type: 't' project_id: 'p'";
  private static final String VALUE = "value { opaque { data: 'x' media_type: 'text/plain' } }";
  private static final String KEY = "key { prediction { " + PREDICTION + " } }";
  private static final String LEASE = " lease_id: '01a203bb-0000-7000-8000-000000000001'";

  /** With a plus those that answer otherwise for a user who is there. */
  private static final List<String> LINES =
      List.of(
          "PredictionCacheService/GetPrediction key { " + PREDICTION + " }",
          "PredictionCacheService/BatchGetPredictions keys { " + PREDICTION + " }",
          "PredictionCacheService/ListPredictions user_id: '%U'",
          "+PredictionCacheService/GetOrLeasePrediction key { " + PREDICTION + " }",
          "+PredictionCacheService/PutPrediction prediction { key { "
              + PREDICTION
              + " } "
              + VALUE
              + " }",
          "+PredictionCacheService/BatchPutPredictions puts { prediction { key { "
              + PREDICTION
              + " } "
              + VALUE
              + " } }",
          "AnalysisCacheService/GetAnalysis key { " + ANALYSIS + " }",
          "AnalysisCacheService/BatchGetAnalyses keys { " + ANALYSIS + " }",
          "AnalysisCacheService/ListAnalyses user_id: '%U'",
          "AnalysisCacheService/FindSimilarAnalysis "
              + ANALYSIS
              + " question { "
              + "embedding: 1 ".repeat(1536)
              + "embedding_model: 'm' }",
          "+AnalysisCacheService/GetOrLeaseAnalysis key { " + ANALYSIS + " }",
          "+AnalysisCacheService/PutAnalysis analysis { key { " + ANALYSIS + " } " + VALUE + " }",
          "+AnalysisCacheService/BatchPutAnalyses puts { analysis { key { "
              + ANALYSIS
              + " } "
              + VALUE
              + " } }",
          "CacheService/ExplainEntry " + KEY,
          "CacheService/GetCacheStats ",
          "CacheService/TouchEntry " + KEY,
          "CacheService/InvalidateEntries user_id: '%U'",
          "+CacheService/WarmEntries keys { prediction { " + PREDICTION + " } }",
          "CacheService/ClaimWarmups limit: 1",
          "CacheService/RenewLease " + KEY + LEASE,
          "CacheService/ReleaseLease " + KEY + LEASE);

  private CacheCalls() {}

  static Stream<Call> all() {
    return LINES.stream().map(line -> call(PACKAGE, line));
  }

  /** A call of a unary RPC of a package, told as text. */
  static Call call(String area, String line) {
    boolean own = line.startsWith("+");
    String[] parts = (own ? line.substring(1) : line).split(" ", 2);
    return new Call(
        area + parts[0],
        (channel, names) -> answer(channel, names, area + parts[0], parts[1]),
        own);
  }

  private static Message answer(Channel channel, Names names, String rpc, String text) {
    MethodDescriptor method = method(rpc);
    DynamicMessage.Builder request = DynamicMessage.newBuilder(method.getInputType());
    try {
      TextFormat.merge(text.replace("%U", names.user()).replace("%S", names.subject()), request);
    } catch (ParseException e) {
      throw new AssertionError(text, e);
    }
    return withoutTimes(
        ClientCalls.blockingUnaryCall(
            channel, generated(method), CallOptions.DEFAULT, request.build()));
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

  private static final Set<String> TIMES = Set.of("retrieval_time", "created_at", "updated_at");

  /** When it was done, and how long it took, is never the same. */
  private static Message withoutTimes(Message message) {
    Message.Builder builder = message.toBuilder();
    for (FieldDescriptor field : message.getAllFields().keySet()) {
      if (TIMES.contains(field.getName())) {
        builder.clearField(field);
      } else if (field.getName().equals("results")) {
        for (int i = 0; i < message.getRepeatedFieldCount(field); i++) {
          builder.setRepeatedField(
              field, i, withoutTimes((Message) message.getRepeatedField(field, i)));
        }
      }
    }
    return builder.build();
  }
}
