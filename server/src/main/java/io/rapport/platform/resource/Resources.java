package io.rapport.platform.resource;

import com.google.protobuf.Message;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.PrototypeMarshaller;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.rapport.platform.Rpcs;
import io.rapport.platform.TenantDb;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.v1.ResourceProto;
import io.rapport.platform.watch.InitialState;
import io.rapport.platform.watch.PresentRowsStore;
import java.time.Instant;
import java.util.Objects;
import java.util.UUID;
import org.jooq.Field;
import org.jooq.Table;

/** Finds entities' tables, and serves what is only data. */
public final class Resources {
  private final TenantDb db;
  private final UnitOfWork work;

  public Resources(TenantDb db, UnitOfWork work) {
    this.db = db;
    this.work = work;
  }

  /**
   * A kind of entity.
   *
   * @param prototype a message of its type
   * @throws IllegalStateException if message and table don't go together
   */
  public <T extends Message> Resource<T> of(T prototype) {
    return new Resource<>(prototype, db, work, mapping(prototype), null, null, null);
  }

  /** What there is of a kind of entity, for watches. */
  public static InitialState initialState(Message prototype) {
    Mapping mapping = mapping(prototype);
    Table<?> table = mapping.jooq();
    String user = mapping.userColumn();
    return new PresentRowsStore(
        mapping.kind(),
        table,
        new PresentRowsStore.Columns(
            column(table, Mapping.TENANT, UUID.class),
            column(table, Mapping.ID, UUID.class),
            user == null ? null : column(table, user, UUID.class),
            column(table, Mapping.REVISION, Long.class),
            column(table, Mapping.CREATED, Instant.class)));
  }

  private static <V> Field<V> column(Table<?> table, String name, Class<V> type) {
    return Objects.requireNonNull(table.field(name, type));
  }

  static Mapping mapping(Message prototype) {
    var type = prototype.getDescriptorForType();
    String name = type.getOptions().getExtension(ResourceProto.resource).getTable();
    Table<?> table =
        RowStore.table(name)
            .orElseThrow(() ->
                new IllegalStateException(
                    type.getFullName() + ": there is no table \"" + name + "\""));
    return new Mapping(prototype, table);
  }

  /** Serves an entity that is only data: its service has the standard methods and no others. */
  public ServerServiceDefinition serve(Rpcs rpcs, ServiceDescriptor service) {
    for (MethodDescriptor<?, ?> method : service.getMethods()) {
      Message answer = prototype(method.getResponseMarshaller());
      if (answer.getDescriptorForType().getOptions().hasExtension(ResourceProto.resource)) {
        return of(answer).serve(rpcs.service(service));
      }
    }
    throw new IllegalStateException(service.getName() + " returns no resource");
  }

  static Message prototype(MethodDescriptor.Marshaller<?> marshaller) {
    if (marshaller instanceof PrototypeMarshaller<?> typed
        && typed.getMessagePrototype() instanceof Message message) {
      return message;
    }
    throw new IllegalStateException("a method's message is not of protobuf");
  }
}
