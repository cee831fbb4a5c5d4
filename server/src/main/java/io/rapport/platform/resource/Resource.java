package io.rapport.platform.resource;

import com.google.protobuf.FieldMask;
import com.google.protobuf.Message;
import io.grpc.ServerServiceDefinition;
import io.rapport.platform.Caller;
import io.rapport.platform.Rpcs.ServiceBuilder;
import io.rapport.platform.TenantDb;
import io.rapport.platform.Transaction;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.resource.Consequence.Written;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/**
 * One kind of entity, served as its message and its table describe it.
 *
 * @param <T> the entity's message
 */
public final class Resource<T extends Message> {
  private final T prototype;
  private final TenantDb db;
  private final UnitOfWork work;
  private final Mapping mapping;
  private final RowStore rows;
  private final Reader reader;
  private final Writer writer;
  private final @Nullable Rule<Message> rule;
  private final @Nullable Completion<Message.Builder> completion;
  private final @Nullable Consequence<Message> consequence;

  Resource(
      T prototype,
      TenantDb db,
      UnitOfWork work,
      Mapping mapping,
      @Nullable Rule<Message> rule,
      @Nullable Completion<Message.Builder> completion,
      @Nullable Consequence<Message> consequence) {
    this.rows = new RowStore(mapping);
    this.prototype = prototype;
    this.db = db;
    this.work = work;
    this.mapping = mapping;
    this.rule = rule;
    this.completion = completion;
    this.consequence = consequence;
    this.reader = new Reader(mapping, rows, db, completion);
    this.writer = new Writer(mapping, rows, reader, rule, consequence);
  }

  /** The same, with a rule for what is written. */
  @SuppressWarnings("unchecked")
  public Resource<T> checkedBy(Rule<T> added) {
    return new Resource<>(
        prototype, db, work, mapping, (Rule<Message>) added, completion, consequence);
  }

  /** The same, with the fields that have no column. */
  @SuppressWarnings("unchecked")
  public <B extends Message.Builder> Resource<T> completedBy(Completion<B> added) {
    return new Resource<>(
        prototype, db, work, mapping, rule, (Completion<Message.Builder>) added, consequence);
  }

  /** The same, with what must follow when it is written. */
  public Resource<T> followedBy(Consequence<T> added) {
    return new Resource<>(
        prototype, db, work, mapping, rule, completion, (tx, all) -> added.follow(tx, typed(all)));
  }

  private List<Written<T>> typed(List<Written<Message>> written) {
    return written.stream().map(it -> new Written<>(it.id(), typed(it.entity()))).toList();
  }

  /** Adds handlers for those standard methods of the service that have none, and builds it. */
  public ServerServiceDefinition serve(ServiceBuilder service) {
    new StandardMethods(mapping, reader, writer, work).addTo(service);
    return service.build();
  }

  /** The caller's entity with this id. */
  public Optional<T> find(UUID id, FieldMask readMask) {
    Fields fields = Fields.read(readMask, mapping);
    return typed(reader.find(Caller.currentTenant().id(), id.toString(), fields));
  }

  /** The caller's entity with this natural key. */
  public Optional<T> findByKey(FieldMask readMask, String... parts) {
    Fields fields = Fields.read(readMask, mapping);
    return typed(
        reader.findByKey(
            Caller.currentTenant().id(),
            mapping.lookup(List.<Object>of((Object[]) parts), "key"),
            fields));
  }

  /** The entity as it is in a transaction; NOT_FOUND if it isn't there. */
  public T get(Transaction tx, UUID id) {
    return typed(writer.find(tx, id.toString()));
  }

  /** Those of the tenant's entities with these ids that are there, in the order of the ids. */
  public List<T> findAll(DSLContext dsl, UUID tenant, Collection<UUID> ids) {
    Map<String, T> found = new HashMap<>();
    List<String> texts = ids.stream().map(UUID::toString).toList();
    for (Row row : dsl.connectionResult(db -> rows.findAll(db, tenant, texts, Fields.ALL))) {
      found.put(row.id(), typed(row.entity().build()));
    }
    return texts.stream().filter(found::containsKey).map(found::get).toList();
  }

  /** Makes the entity inactive, if it isn't already; NOT_FOUND if it isn't there. */
  public void deactivate(Transaction tx, UUID id) {
    writer.delete(tx, id.toString(), "", false);
  }

  private Optional<T> typed(Optional<Message> entity) {
    return entity.map(this::typed);
  }

  @SuppressWarnings("unchecked")
  private T typed(Message entity) {
    return (T) prototype.getClass().cast(entity);
  }
}
