package io.rapport.platform.resource;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.FieldMask;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import io.grpc.MethodDescriptor;
import io.rapport.platform.Caller;
import io.rapport.platform.Etags;
import io.rapport.platform.Rpcs.ServiceBuilder;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Transaction;
import io.rapport.platform.Turns;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.v1.UpsertOutcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The standard methods of one kind of entity: what they read from requests and answer. */
final class StandardMethods {
  private static final String READ_MASK = "read_mask";
  private static final String UPDATE_MASK = "update_mask";

  /** How many upserts of one entity each may go on at a time. */
  private static final int TURNS = 1024;

  private final Turns turns = new Turns();
  private final Mapping mapping;
  private final Reader reader;
  private final Writer writer;
  private final UnitOfWork work;
  private final Descriptor entity;

  StandardMethods(Mapping mapping, Reader reader, Writer writer, UnitOfWork work) {
    this.mapping = mapping;
    this.reader = reader;
    this.writer = writer;
    this.work = work;
    this.entity = mapping.prototype().getDescriptorForType();
  }

  void addTo(ServiceBuilder service) {
    for (MethodDescriptor<?, ?> method : service.missing()) {
      add(service, method);
    }
  }

  /** Others are left to the builder, which refuses what has no handler. */
  private void add(ServiceBuilder service, MethodDescriptor<?, ?> method) {
    String name = String.valueOf(method.getBareMethodName());
    Shape request = new Shape(Resources.prototype(method.getRequestMarshaller()));
    Shape answer = new Shape(Resources.prototype(method.getResponseMarshaller()));
    String own = entity.getName();
    if (name.equals("Get" + own)) {
      service.unary(typed(method), get(request));
    } else if (name.startsWith("List") && answer.type().getName().equals(name + "Response")) {
      service.unary(typed(method), new ListMethod(mapping, reader, request, answer)::list);
    } else if (name.equals("Create" + own)) {
      requireInsertable();
      service.unary(typed(method), create(request));
    } else if (name.equals("Update" + own)) {
      service.unary(typed(method), update(request));
    } else if (name.equals("Upsert" + own)) {
      requireInsertable();
      service.unary(typed(method), upsert(request, answer));
    } else if (name.startsWith("BatchUpsert")) {
      requireInsertable();
      var handler = batchUpsert(request, answer);
      service.bulk(typed(method), (it, reply) -> reply.send(handler.apply(it)));
    } else if (name.equals("Delete" + own)) {
      service.unary(typed(method), delete(request, answer));
    }
  }

  @SuppressWarnings("unchecked")
  private static MethodDescriptor<Message, Message> typed(MethodDescriptor<?, ?> method) {
    return (MethodDescriptor<Message, Message>) method;
  }

  private void requireInsertable() {
    List<String> missing = mapping.notInsertable();
    if (!missing.isEmpty()) {
      throw new IllegalStateException(
          entity.getFullName() + " can't be made: nothing sets the columns " + missing);
    }
  }

  private static UUID tenant() {
    return Caller.currentTenant().id();
  }

  @SuppressWarnings("unchecked")
  private Message write(Message request, Message answer, Function<Transaction, Message> writing) {
    return work.write(request, (Parser<Message>) answer.getParserForType(), writing);
  }

  private Function<Message, Message> get(Shape request) {
    Accessor id = request.field(Mapping.ID);
    Accessor mask = request.field(READ_MASK);
    Optional<Function<Message, List<@Nullable String>>> key = key(request);
    return message -> {
      Fields fields = Fields.read((FieldMask) mask.get(message), mapping);
      if (key.isEmpty() || id.isSet(message)) {
        String uuid = (String) id.get(message);
        return reader
            .find(tenant(), uuid, fields)
            .orElseThrow(() -> ServiceException.notFound(mapping.noun(), uuid));
      }
      return reader
          .findByKey(tenant(), key.get().apply(message), fields)
          .orElseThrow(
              () -> ServiceException.notFound(mapping.noun()).with("by", mapping.keyNames()));
    };
  }

  /** How the natural key is read: a field of its name, or a message with its fields. */
  private Optional<Function<Message, List<@Nullable String>>> key(Shape request) {
    if (mapping.key().size() == 1 && request.optional(mapping.keyNames()).isPresent()) {
      Accessor field = request.field(mapping.keyNames());
      return Optional.of(
          message -> mapping.lookup(List.of(field.get(message)), mapping.keyNames()));
    }
    if (request.optional("natural_key").isEmpty()) {
      return Optional.empty();
    }
    Accessor field = request.field("natural_key");
    Shape inner = request.inner("natural_key");
    List<Accessor> parts = new ArrayList<>();
    mapping.key().forEach(column -> parts.add(inner.field(column.name())));
    return Optional.of(message -> {
      Message given = (Message) field.get(message);
      return mapping.lookup(parts.stream().map(part -> part.get(given)).toList(), "natural_key");
    });
  }

  private Function<Message, Message> create(Shape request) {
    FieldDescriptor field = request.holding(entity);
    Accessor given = request.accessor(field);
    return message ->
        write(
            message,
            mapping.prototype(),
            tx -> writer.create(tx, (Message) given.get(message), field.getName()));
  }

  private Function<Message, Message> update(Shape request) {
    FieldDescriptor field = request.holding(entity);
    Accessor given = request.accessor(field);
    Accessor mask = request.field(UPDATE_MASK);
    return message ->
        write(
            message,
            mapping.prototype(),
            tx ->
                writer.update(
                    tx,
                    (Message) given.get(message),
                    (FieldMask) mask.get(message),
                    field.getName()));
  }

  private Function<Message, Message> upsert(Shape request, Shape answer) {
    FieldDescriptor field = request.holding(entity);
    Accessor given = request.accessor(field);
    Accessor mask = request.field(UPDATE_MASK);
    Accessor made = answer.accessor(answer.holding(entity));
    Accessor result = answer.field("result");
    Function<Message, Message> writing =
        message ->
            write(
                message,
                answer.prototype(),
                tx -> {
                  UpsertBatch.Item item =
                      writer.item((Message) given.get(message), field.getName());
                  UpsertBatch.Done done =
                      writer.upsert(tx, List.of(item), (FieldMask) mask.get(message)).getFirst();
                  Message.Builder built = answer.prototype().newBuilderForType();
                  made.set(built, writer.find(tx, done.id()));
                  result.set(built, done.result().getNumber());
                  return built.build();
                });
    return message -> turns.take(turn((Message) given.get(message)), () -> writing.apply(message));
  }

  /** The turn of a key: all but always a key's own, and there are never too many. */
  private UUID turn(Message given) {
    int hash = tenant().hashCode();
    for (Column column : mapping.key()) {
      hash = 31 * hash + column.folded(String.valueOf(column.text(given, ""))).hashCode();
    }
    return new UUID(0, Math.floorMod(hash, TURNS));
  }

  private Function<Message, Message> batchUpsert(Shape request, Shape answer) {
    FieldDescriptor field = request.holding(entity);
    Accessor given = request.accessor(field);
    Accessor mask = request.field(UPDATE_MASK);
    Accessor outcomes = answer.accessor(answer.holding(UpsertOutcome.getDescriptor()));
    return message ->
        write(
            message,
            answer.prototype(),
            tx -> {
              List<UpsertBatch.Item> items = items((List<?>) given.get(message), field.getName());
              List<UpsertBatch.Done> done = writer.upsert(tx, items, (FieldMask) mask.get(message));
              Message.Builder built = answer.prototype().newBuilderForType();
              outcomes.set(built, done.stream().map(StandardMethods::outcome).toList());
              return built.build();
            });
  }

  private List<UpsertBatch.Item> items(List<?> entities, String name) {
    List<UpsertBatch.Item> items = new ArrayList<>(entities.size());
    for (Object it : entities) {
      items.add(writer.item((Message) it, name + "[" + items.size() + "]"));
    }
    return items;
  }

  private static UpsertOutcome outcome(UpsertBatch.Done done) {
    return UpsertOutcome.newBuilder()
        .setResult(done.result())
        .setId(done.id())
        .setEtag(Etags.of(done.revision()))
        .build();
  }

  private Function<Message, Message> delete(Shape request, Shape answer) {
    Accessor id = request.field(Mapping.ID);
    Accessor etag = request.field(Mapping.ETAG);
    Function<Message, Boolean> hard =
        request
            .optional("hard")
            .<Function<Message, Boolean>>map(field -> message -> (Boolean) field.get(message))
            .orElse(message -> false);
    BiFunction<Transaction, Message, Message> delete =
        (tx, message) -> {
          writer.delete(
              tx, (String) id.get(message), (String) etag.get(message), hard.apply(message));
          return answer.prototype();
        };
    return message -> write(message, answer.prototype(), tx -> delete.apply(tx, message));
  }
}
