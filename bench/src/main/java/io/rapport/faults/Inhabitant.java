package io.rapport.faults;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.StatusException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.BlockingClientCall;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** A tenant with one thing of each kind, and a caller of it who is no operator. */
final class Inhabitant {
  private static final String RIGHTS =
      "tracking.read tracking.write identity.read identity.write caching.read caching.write"
          + " versioning.read versioning.write versioning.train versioning.promote"
          + " monitoring.read monitoring.write delivery.read delivery.write"
          + " embedding.read embedding.write search.read changes.read";

  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private static final long DEADLINE_SECONDS = 10;
  private static final long PAUSE = 300;
  private static final int TRIES = 5;

  /** Fields that are different each time. */
  private static final Set<String> CHANGING =
      Set.of("token", "next_page_token", "cursor", "position", "digest");

  private final UUID tenant;
  private final Channel channel;
  private Names names;

  private Inhabitant(UUID tenant, Channel channel) {
    this.tenant = tenant;
    this.channel = channel;
    this.names = Names.invented(Requests.kinds()).with("tenant", tenant.toString());
  }

  static Inhabitant of(Victim victim, Channel channel) throws Exception {
    UUID tenant = victim.newTenant();
    Metadata headers = new Metadata();
    headers.put(AUTHORIZATION, "Bearer " + victim.token(tenant, "inhabitant", RIGHTS));
    Inhabitant inhabitant =
        new Inhabitant(
            tenant,
            ClientInterceptors.intercept(
                channel, MetadataUtils.newAttachHeadersInterceptor(headers)));
    inhabitant.settle();
    return inhabitant;
  }

  private void settle() throws Exception {
    for (Requests.Line line : Requests.making()) {
      make(line);
    }
    Message signIn = make(new Requests.Line("SignInService/SignIn", "user_id: \"%User%\""));
    names =
        names
            .with("token", text(signIn, "token"))
            .with("SignIn", text((Message) signIn.getField(field(signIn, "sign_in")), "id"));
    Message links =
        make(
            new Requests.Line(
                "IdentityLinkService/ListIdentityLinks",
                "filter { subject { values: \"%tag%\" } }"));
    List<?> found = (List<?>) links.getField(field(links, "identity_links"));
    names = names.with("IdentityLink", text((Message) found.getFirst(), "id"));
  }

  private Message make(Requests.Line line) throws Exception {
    AnyRpc rpc = AnyRpc.named(line.rpc());
    try {
      return answer(rpc, Requests.parse(rpc, names.fill(line.request())));
    } catch (StatusException failure) {
      throw new IllegalStateException(line + ": " + StatusProto.fromThrowable(failure), failure);
    }
  }

  private static FieldDescriptor field(Message message, String name) {
    return message.getDescriptorForType().findFieldByName(name);
  }

  private static String text(Message message, String name) {
    return String.valueOf(message.getField(field(message, name)));
  }

  UUID tenant() {
    return tenant;
  }

  Names names() {
    return names;
  }

  /**
   * All that an RPC tells, but for what is different each time.
   *
   * @param trying whether nothing is to be changed
   */
  String ask(AnyRpc rpc, String request, boolean trying) throws Exception {
    DynamicMessage.Builder message = Requests.parse(rpc, request).toBuilder();
    if (trying && rpc.canBeTried()) {
      message.setField(rpc.input().findFieldByName("validate_only"), true);
    }
    for (int tries = 1; ; tries++) {
      try {
        return "OK " + lasting(answer(rpc, message.build()));
      } catch (StatusException failure) {
        if (tries == TRIES || !isPassing(failure.getStatus())) {
          return String.valueOf(StatusProto.fromThrowable(failure));
        }
        Threads.sleep(PAUSE);
      }
    }
  }

  private static boolean isPassing(Status status) {
    return status.getCode() == Code.UNAVAILABLE || status.getCode() == Code.ABORTED;
  }

  private DynamicMessage answer(AnyRpc rpc, DynamicMessage request)
      throws StatusException, InterruptedException {
    MethodDescriptor<DynamicMessage, DynamicMessage> method = rpc.method();
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
    return switch (method.getType()) {
      case UNARY -> ClientCalls.blockingV2UnaryCall(channel, method, options, request);
      case SERVER_STREAMING ->
          initialState(
              ClientCalls.blockingV2ServerStreamingCall(channel, method, options, request));
      default -> first(ClientCalls.blockingBidiStreamingCall(channel, method, options), request);
    };
  }

  /** What a watch tells of what is there when it begins. */
  private static DynamicMessage initialState(BlockingClientCall<?, DynamicMessage> watch)
      throws StatusException, InterruptedException {
    DynamicMessage message = watch.read();
    DynamicMessage.Builder all = message.toBuilder();
    FieldDescriptor done = field(message, "initial_state_done");
    while (!Boolean.TRUE.equals(message.getField(done))) {
      message = watch.read();
      all.mergeFrom(message);
    }
    watch.cancel("that is all", null);
    return all.build();
  }

  private static DynamicMessage first(
      BlockingClientCall<DynamicMessage, DynamicMessage> call, DynamicMessage request)
      throws StatusException, InterruptedException {
    call.write(request);
    DynamicMessage answer = call.read();
    call.cancel("that is all", null);
    return answer;
  }

  /** The message without times and what else is different each time. */
  private static Message lasting(Message message) {
    Message.Builder lasting = message.toBuilder();
    for (Map.Entry<FieldDescriptor, Object> field : message.getAllFields().entrySet()) {
      lasting.setField(field.getKey(), lasting(field.getKey(), field.getValue()));
    }
    return lasting.build();
  }

  private static Object lasting(FieldDescriptor field, Object value) {
    if (value instanceof List<?> values) {
      List<Object> all = new ArrayList<>();
      values.forEach(each -> all.add(lasting(field, each)));
      return all;
    }
    if (value instanceof Message message) {
      boolean time =
          message
              .getDescriptorForType()
              .getFullName()
              .equals(Timestamp.getDescriptor().getFullName());
      return time ? message.getDefaultInstanceForType() : lasting(message);
    }
    return CHANGING.contains(field.getName()) ? "changing" : value;
  }
}
