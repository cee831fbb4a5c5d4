package io.rapport.platform.resource;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.rapport.platform.Etags;
import io.rapport.platform.v1.Resource.SortOrder;
import io.rapport.platform.v1.ResourceProto;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jooq.Field;
import org.jooq.Table;
import org.jspecify.annotations.Nullable;

/** An entity's message and its table, which were found to go together. */
final class Mapping {
  static final String TENANT = "tenant_id";
  static final String ID = "id";
  static final String REVISION = "revision";
  static final String ACTIVE = "active";
  static final String CREATED = "created_at";
  static final String CHANGED = "last_updated_at";
  static final String ETAG = "etag";

  private final Message prototype;
  private final io.rapport.platform.v1.Resource options;
  private final Table<?> table;
  private final Map<String, Column> columns = new LinkedHashMap<>();
  private final List<Column> readable = new ArrayList<>();
  private final List<Column> writable = new ArrayList<>();
  private final List<Column> required = new ArrayList<>();
  private final List<Column> key = new ArrayList<>();
  private final Accessor id;
  private final Accessor etag;

  /**
   * @param prototype a message of the entity's type
   * @throws IllegalStateException if message and table don't go together, with all that is wrong
   */
  Mapping(Message prototype, Table<?> table) {
    Descriptor type = prototype.getDescriptorForType();
    this.prototype = prototype;
    this.options = type.getOptions().getExtension(ResourceProto.resource);
    this.table = table;
    MappingCheck.require(type, table);
    for (FieldDescriptor field : type.getFields()) {
      if (MappingCheck.hasColumn(field)) {
        add(prototype, field);
      }
    }
    for (String name : options.getNaturalKeyList()) {
      key.add(column(name));
    }
    this.id = new Accessor(prototype, type.findFieldByName(ID));
    this.etag = new Accessor(prototype, type.findFieldByName(ETAG));
  }

  private void add(Message prototype, FieldDescriptor field) {
    var tableField = Objects.requireNonNull(table.field(field.getName()));
    Codec codec = Codec.of(field, tableField.getDataType()).orElseThrow();
    Column column = new Column(new Accessor(prototype, field), field, codec, tableField);
    columns.put(column.name(), column);
    if (!column.isInputOnly()) {
      readable.add(column);
    }
    if (column.isWritable()) {
      writable.add(column);
    }
    if (column.isWritable() && column.isRequired()) {
      required.add(column);
    }
  }

  Message prototype() {
    return prototype;
  }

  /** Schema and table, as SQL. */
  String table() {
    return '"' + options.getTable().replace(".", "\".\"") + '"';
  }

  Table<?> jooq() {
    return table;
  }

  /** What the change log calls it, such as {@code identity.user}. */
  String kind() {
    return options.getKind();
  }

  /** What people call it, such as {@code user}. */
  String noun() {
    return options.getKind().substring(options.getKind().lastIndexOf('.') + 1);
  }

  /** All that rows show. */
  List<Column> readable() {
    return readable;
  }

  /** All that callers set. */
  List<Column> writable() {
    return writable;
  }

  /** All that callers must set. */
  List<Column> required() {
    return required;
  }

  List<Column> key() {
    return key;
  }

  /** The names of the natural key's fields. */
  String keyNames() {
    return String.join(", ", options.getNaturalKeyList());
  }

  /**
   * Values of the natural key as columns are looked up; null for a part that it lacks.
   *
   * @param path where they stand in the request
   */
  List<@Nullable String> lookup(List<Object> values, String path) {
    List<@Nullable String> key = new ArrayList<>(values.size());
    for (int i = 0; i < values.size(); i++) {
      key.add(lookup(this.key.get(i), values.get(i), path));
    }
    return key;
  }

  private static @Nullable String lookup(Column column, Object value, String path) {
    return column.isOptionalInKey() && value.equals("")
        ? null
        : column.folded(column.codec().text(value, path + "." + column.name()));
  }

  /** The columns without which there is no row, and that neither callers nor defaults set. */
  List<String> notInsertable() {
    List<String> missing = new ArrayList<>();
    for (Field<?> column : table.fields()) {
      String name = column.getName();
      boolean set =
          column.getDataType().nullable()
              || column.getDataType().defaulted()
              || Set.of(TENANT, ID).contains(name)
              || find(name).filter(Column::isWritable).isPresent();
      if (!set) {
        missing.add(name);
      }
    }
    return missing;
  }

  List<SortOrder> orders() {
    return options.getSortOrdersList();
  }

  /** The column of a field that has one. */
  Column column(String field) {
    return find(field).orElseThrow(() -> new IllegalStateException(kind() + " has no " + field));
  }

  Optional<Column> find(String field) {
    return Optional.ofNullable(columns.get(field));
  }

  /** Whether fields without a column are among those that are asked for. */
  boolean showsComputed(Fields fields) {
    return prototype.getDescriptorForType().getFields().stream()
        .anyMatch(it ->
            !MappingCheck.hasColumn(it) && !it.getName().equals(ETAG) && fields.test(it.getName()));
  }

  /** The column with the user whom the entity is about; null if it is about nobody. */
  @Nullable String userColumn() {
    return options.getUserField().isEmpty() ? null : options.getUserField();
  }

  String id(Message entity) {
    return (String) id.get(entity);
  }

  String etag(Message entity) {
    return (String) etag.get(entity);
  }

  void setEtag(Message.Builder entity, long revision) {
    etag.set(entity, Etags.of(revision));
  }
}
