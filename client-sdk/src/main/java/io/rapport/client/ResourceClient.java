package io.rapport.client;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.FieldMask;
import com.google.protobuf.Message;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.PrototypeMarshaller;
import io.grpc.ServiceDescriptor;
import io.rapport.platform.v1.UpsertOutcome;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Entities of one kind that are only data. Every method may throw a {@link RapportException}.
 *
 * @param <T> the entity's message
 * @param <K> what names one beside its id: the message of its natural key, or the one field of it
 * @param <L> the request of its list
 */
public final class ResourceClient<T extends Message, K, L extends Message> {
  private final Calls calls;
  private final Class<T> type;
  private final Method get;
  private final Method list;
  private final Method create;
  private final Method update;
  private final Method upsert;
  private final Method upsertAll;
  private final Method delete;

  /**
   * @param service its standard methods
   */
  ResourceClient(Calls calls, ServiceDescriptor service, Class<T> type) {
    this.calls = calls;
    this.type = type;
    this.get = method(service, "Get");
    this.list = method(service, "List");
    this.create = method(service, "Create");
    this.update = method(service, "Update");
    this.upsert = method(service, "Upsert");
    this.upsertAll = method(service, "BatchUpsert").batch();
    this.delete = method(service, "Delete");
  }

  /** A method, with messages of its request and answer from which others are made. */
  private record Method(Calls calls, Rpc<Message, Message> rpc, Message request, Message answer) {
    Method batch() {
      return new Method(calls, calls.batch(rpc.method()), request, answer);
    }

    Message call(Message.Builder filled) {
      return calls.call(rpc, filled.build());
    }

    Message.Builder newRequest() {
      return request.newBuilderForType();
    }

    /** The field of the request that holds one or many entities: its first. */
    FieldDescriptor given() {
      return request.getDescriptorForType().getFields().get(0);
    }
  }

  private Method method(ServiceDescriptor service, String verb) {
    for (MethodDescriptor<?, ?> method : service.getMethods()) {
      if (String.valueOf(method.getBareMethodName()).startsWith(verb)) {
        @SuppressWarnings("unchecked")
        var typed = (MethodDescriptor<Message, Message>) method;
        return new Method(
            calls,
            calls.rpc(typed),
            prototype(typed.getRequestMarshaller()),
            prototype(typed.getResponseMarshaller()));
      }
    }
    throw new IllegalStateException(service.getName() + " has no method to " + verb);
  }

  private static Message prototype(MethodDescriptor.Marshaller<Message> marshaller) {
    return Objects.requireNonNull(
        ((PrototypeMarshaller<Message>) marshaller).getMessagePrototype());
  }

  private static FieldDescriptor field(Message message, String name) {
    return field(message.getDescriptorForType(), name);
  }

  private static FieldDescriptor field(Descriptor type, String name) {
    FieldDescriptor field = type.findFieldByName(name);
    if (field == null) {
      throw new IllegalStateException(type.getFullName() + " has no field " + name);
    }
    return field;
  }

  /** The entity with this UUID, also one that was deleted; empty if there is none. */
  public Optional<T> get(String id) {
    return get(field(get.request(), "id"), id);
  }

  /** The entity with this natural key, also one that was deleted; empty if there is none. */
  public Optional<T> byKey(K key) {
    return get(get.request().getDescriptorForType().getOneofs().get(0).getField(1), key);
  }

  private Optional<T> get(FieldDescriptor by, Object value) {
    try {
      return Optional.of(type.cast(get.call(get.newRequest().setField(by, value))));
    } catch (NotFoundException absent) {
      return Optional.empty();
    }
  }

  /**
   * The entities that pass the request's filter, in its order, fetched page by page as the stream
   * is read.
   */
  public Stream<T> list(L request) {
    FieldDescriptor token = field(request, "page_token");
    FieldDescriptor items = list.answer().getDescriptorForType().getFields().get(0);
    FieldDescriptor next = field(list.answer(), "next_page_token");
    return Pages.stream(
        (String) request.getField(token),
        after -> {
          Message page = list.call(request.toBuilder().setField(token, after));
          List<T> found = ((List<?>) page.getField(items)).stream().map(type::cast).toList();
          return new Pages.Page<>(found, (String) page.getField(next));
        });
  }

  /**
   * Makes an entity.
   *
   * @throws AlreadyExistsException if one with its id or natural key is there
   * @throws NotFoundException if something that it names is not there
   */
  public T create(T entity) {
    return type.cast(create.call(create.newRequest().setField(create.given(), entity)));
  }

  /**
   * Changes fields of an entity, which must carry the etag that was read.
   *
   * @param paths the fields to change; none: all that are set; {@code *}: all
   * @throws AbortedException with reason ETAG_MISMATCH if it has changed since it was read
   */
  public T update(T entity, String... paths) {
    Message.Builder request = update.newRequest().setField(update.given(), entity);
    FieldMask mask = FieldMask.newBuilder().addAllPaths(List.of(paths)).build();
    return type.cast(update.call(request.setField(field(update.request(), "update_mask"), mask)));
  }

  /**
   * Lets an entity be there as it is sent, found by its natural key. What isn't set stays as it is.
   */
  public T upsert(T entity) {
    Message answer = upsert.call(upsert.newRequest().setField(upsert.given(), entity));
    return type.cast(answer.getField(answer.getDescriptorForType().getFields().get(0)));
  }

  /**
   * The same for up to 1,000: all or none.
   *
   * @return what became of each, in their order
   */
  public List<UpsertOutcome> upsert(Iterable<T> entities) {
    Message.Builder request = upsertAll.newRequest();
    entities.forEach(entity -> request.addRepeatedField(upsertAll.given(), entity));
    Message answer = upsertAll.call(request);
    return ((List<?>) answer.getField(field(answer, "outcomes")))
        .stream().map(UpsertOutcome.class::cast).toList();
  }

  /**
   * Makes an entity inactive; doing it again changes nothing.
   *
   * @throws NotFoundException if it is not there
   */
  public void delete(String id) {
    delete.call(delete.newRequest().setField(field(delete.request(), "id"), id));
  }

  /**
   * Removes an entity for good.
   *
   * @throws NotFoundException if it is not there
   * @throws FailedPreconditionException with reason RESOURCE_IN_USE if others refer to it
   */
  public void deleteForGood(String id) {
    delete.call(
        delete
            .newRequest()
            .setField(field(delete.request(), "id"), id)
            .setField(field(delete.request(), "hard"), true));
  }
}
