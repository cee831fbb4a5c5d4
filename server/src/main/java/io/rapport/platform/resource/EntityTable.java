package io.rapport.platform.resource;

import com.google.protobuf.FieldMask;
import com.google.protobuf.Message;
import io.rapport.platform.TenantDb;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import org.jooq.ForeignKey;
import org.jooq.TableField;
import org.jspecify.annotations.Nullable;

/** The table of a kind of entity, for statements that look for entities of several kinds. */
public final class EntityTable {
  private final Mapping mapping;
  private final RowStore rows;
  private final @Nullable Completion<Message.Builder> completion;
  private final @Nullable Filters filters;

  private EntityTable(
      Mapping mapping,
      @Nullable Filters filters,
      @Nullable Completion<Message.Builder> completion) {
    this.mapping = mapping;
    this.rows = new RowStore(mapping);
    this.filters = filters;
    this.completion = completion;
  }

  /**
   * A kind of entity.
   *
   * @param filter the filter message of its list, of any content; null if it has none
   * @throws IllegalStateException if messages and table don't go together
   */
  public static EntityTable of(Message prototype, @Nullable Message filter) {
    Mapping mapping = Resources.mapping(prototype);
    return new EntityTable(mapping, filter == null ? null : new Filters(mapping, filter), null);
  }

  /** The same, with the fields that have no column. */
  @SuppressWarnings("unchecked")
  public <B extends Message.Builder> EntityTable completedBy(Completion<B> added) {
    return new EntityTable(mapping, filters, (Completion<Message.Builder>) added);
  }

  /** What the change log calls it, such as {@code identity.user}. */
  public String kind() {
    return mapping.kind();
  }

  /** Schema and table, as SQL. */
  public String name() {
    return mapping.table();
  }

  /** The column of a field that lists can be filtered by. */
  public Optional<String> filterableColumn(String field) {
    return mapping.find(field).filter(Column::isFilterable).map(Column::name);
  }

  /**
   * What a filter wants of a row {@code t}.
   *
   * @param path where it stands in the request
   */
  public List<Consumer<Sql>> conditions(Message filter, String path) {
    return filters == null ? List.of() : filters.conditions(filter, path);
  }

  /** The columns by which rows refer to rows of another table. */
  public List<String> references(EntityTable other) {
    List<String> columns = new ArrayList<>();
    for (ForeignKey<?, ?> key : mapping.jooq().getReferences()) {
      if (key.getInverseKey().getTable().equals(other.mapping.jooq())) {
        for (TableField<?, ?> field : key.getFields()) {
          if (!field.getName().equals(Mapping.TENANT)) {
            columns.add(field.getName());
          }
        }
      }
    }
    return columns;
  }

  /** Refuses a mask that names no fields of the entity. */
  public void check(FieldMask mask, String path) {
    fields(mask, path);
  }

  private Fields fields(FieldMask mask, String path) {
    return Fields.read(mask, mapping, path);
  }

  /** Those of the entities that are there, by their ids, with the fields that the mask names. */
  public Map<UUID, Message> read(
      Connection connection, UUID tenant, Collection<UUID> ids, FieldMask mask)
      throws SQLException {
    Fields fields = fields(mask, "read_mask");
    List<Row> found =
        rows.findAll(connection, tenant, ids.stream().map(UUID::toString).toList(), fields);
    if (completion != null && mapping.showsComputed(fields)) {
      Map<UUID, Message.Builder> entities = new HashMap<>();
      found.forEach(row -> entities.put(UUID.fromString(row.id()), row.entity()));
      completion.complete(TenantDb.dsl(connection), tenant, entities, fields);
    }
    Map<UUID, Message> read = new HashMap<>();
    found.forEach(row -> read.put(UUID.fromString(row.id()), row.entity().build()));
    return read;
  }
}
