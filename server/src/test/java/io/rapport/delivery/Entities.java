package io.rapport.delivery;

import com.google.api.FieldBehavior;
import com.google.api.FieldBehaviorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import io.rapport.platform.v1.ResourceProto;
import io.rapport.server.Given;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Makes entities of delivery as their descriptors describe them, with those that they name, and
 * calls their standard methods.
 */
public final class Entities {
  /** Each after those that it names. */
  public static final List<String> KINDS =
      List.of(
          "Integration",
          "Project",
          "IssuetypeHierarchy",
          "IssuetypeMapping",
          "Issuetype",
          "Workflow",
          "StatusMapping",
          "Status",
          "ProjectIssuetype",
          "ProjectStatus",
          "Issue",
          "IssueChangelog",
          "Repository",
          "PullRequest",
          "PullRequestComment",
          "PullRequestReview",
          "PullRequestCommit",
          "JiraPullRequestLink");

  private static final String PACKAGE = "io.rapport.delivery.v1.";

  private final Channel channel;

  public Entities(Channel channel) {
    this.channel = channel;
  }

  /** The id of an entity with all that it must have, always with the same key. */
  public static String make(Channel channel, String kind) {
    Entities entities = new Entities(channel);
    return id(entities.upsert(entities.described(kind, false)));
  }

  static String id(Message entity) {
    return (String) entity.getField(field(entity.getDescriptorForType(), "id"));
  }

  static FieldDescriptor field(Descriptor type, String name) {
    FieldDescriptor field = type.findFieldByName(name);
    if (field == null) {
      throw new AssertionError(type.getFullName() + " has no field " + name);
    }
    return field;
  }

  /** An entity with what it must have, or with all that can be set but its id. */
  Message described(String kind, boolean whole) {
    Message.Builder entity = prototype(kind).newBuilderForType();
    for (FieldDescriptor field : settable(entity.getDescriptorForType())) {
      if (whole || isNeeded(field)) {
        set(entity, field);
      }
    }
    return entity.build();
  }

  private void set(Message.Builder entity, FieldDescriptor field) {
    if (field.isRepeated()) {
      entity.addRepeatedField(field, "a").addRepeatedField(field, "b \"quoted\", {braced}");
    } else {
      entity.setField(field, value(field));
    }
  }

  private Object value(FieldDescriptor field) {
    return switch (field.getJavaType()) {
      case STRING -> text(field);
      case ENUM -> field.getEnumType().getValues().get(1);
      case BOOLEAN -> true;
      case MESSAGE -> Given.time("2026-03-04T05:06:07.891234Z");
      default -> 3;
    };
  }

  private String text(FieldDescriptor field) {
    return switch (field.getName()) {
      case "secret_reference" -> "vault://teams/jira#token";
      case "category_key" -> "indeterminate";
      default -> parent(field).map(kind -> make(channel, kind)).orElse("x " + field.getName());
    };
  }

  /** What {@code from_status_id} is the id of: a {@code Status}. */
  static Optional<String> parent(FieldDescriptor field) {
    String name = field.getName().replaceFirst("^(from|to)_", "");
    return KINDS.stream()
        .filter(kind ->
            name.equals(kind.replaceAll("(?<!^)([A-Z])", "_$1").toLowerCase(Locale.ROOT) + "_id"))
        .findFirst();
  }

  static List<FieldDescriptor> settable(Descriptor type) {
    List<FieldDescriptor> settable = new ArrayList<>(type.getFields());
    settable.removeIf(field ->
        is(field, FieldBehavior.OUTPUT_ONLY)
            || is(field, FieldBehavior.IDENTIFIER)
            || field.getName().equals("etag"));
    return settable;
  }

  static boolean is(FieldDescriptor field, FieldBehavior behaviour) {
    return field.getOptions().getExtension(FieldBehaviorProto.fieldBehavior).contains(behaviour);
  }

  private static boolean isNeeded(FieldDescriptor field) {
    return is(field, FieldBehavior.REQUIRED)
        || field
            .getContainingType()
            .getOptions()
            .getExtension(ResourceProto.resource)
            .getNaturalKeyList()
            .contains(field.getName());
  }

  Message create(Message entity) {
    return call("Create", entity, request("Create", entity));
  }

  Message update(Message entity, String... paths) {
    Message.Builder request = request("Update", entity);
    FieldDescriptor mask = field(request.getDescriptorForType(), "update_mask");
    Message.Builder changed = request.getFieldBuilder(mask);
    FieldDescriptor names = field(mask.getMessageType(), "paths");
    for (String path : paths) {
      changed.addRepeatedField(names, path);
    }
    return call("Update", entity, request);
  }

  Message upsert(Message entity) {
    Message answer = call("Upsert", entity, request("Upsert", entity));
    return (Message) answer.getField(answer.getDescriptorForType().getFields().getFirst());
  }

  /** The entity with this id, or this natural key. */
  Message get(String kind, String by, Object value) {
    Message prototype = prototype(kind);
    Message.Builder request = prototype("Get" + kind + "Request").newBuilderForType();
    request.setField(field(request.getDescriptorForType(), by), value);
    return call("Get", prototype, request);
  }

  void delete(String kind, String id, boolean hard) {
    Message.Builder request = prototype("Delete" + kind + "Request").newBuilderForType();
    request.setField(field(request.getDescriptorForType(), "id"), id);
    request.setField(field(request.getDescriptorForType(), "hard"), hard);
    call("Delete", prototype(kind), request);
  }

  /** The entities that pass a filter, whose message is the request's third field. */
  List<String> list(String kind, Message.Builder filter) {
    String plural = plural(kind);
    Message.Builder request = prototype("List" + plural + "Request").newBuilderForType();
    request.setField(field(request.getDescriptorForType(), "filter"), filter.build());
    Message answer = call("List" + plural, kind, request, prototype("List" + plural + "Response"));
    return ((List<?>) answer.getField(answer.getDescriptorForType().getFields().getFirst()))
        .stream().map(it -> id((Message) it)).toList();
  }

  private static String plural(String kind) {
    return kind.endsWith("y")
        ? kind.substring(0, kind.length() - 1) + "ies"
        : kind + (kind.endsWith("s") ? "es" : "s");
  }

  private static Message.Builder request(String verb, Message entity) {
    String kind = entity.getDescriptorForType().getName();
    Message.Builder request = prototype(verb + kind + "Request").newBuilderForType();
    return request.setField(request.getDescriptorForType().getFields().getFirst(), entity);
  }

  private Message call(String verb, Message entity, Message.Builder request) {
    String kind = entity.getDescriptorForType().getName();
    Message answer =
        switch (verb) {
          case "Upsert" -> prototype("Upsert" + kind + "Response");
          case "Delete" -> com.google.protobuf.Empty.getDefaultInstance();
          default -> entity.getDefaultInstanceForType();
        };
    return call(verb + kind, kind, request, answer);
  }

  private Message call(String rpc, String kind, Message.Builder request, Message answer) {
    MethodDescriptor<Message, Message> method =
        MethodDescriptor.<Message, Message>newBuilder()
            .setType(MethodType.UNARY)
            .setFullMethodName("rapport.delivery.v1." + kind + "Service/" + rpc)
            .setRequestMarshaller(ProtoUtils.marshaller(request.getDefaultInstanceForType()))
            .setResponseMarshaller(ProtoUtils.marshaller(answer.getDefaultInstanceForType()))
            .build();
    return ClientCalls.blockingUnaryCall(channel, method, CallOptions.DEFAULT, request.build());
  }

  static Message prototype(String name) {
    try {
      return (Message) Class.forName(PACKAGE + name).getMethod("getDefaultInstance").invoke(null);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(name, e);
    }
  }
}
