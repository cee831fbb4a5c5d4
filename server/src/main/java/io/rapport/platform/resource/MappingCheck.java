package io.rapport.platform.resource;

import com.google.api.FieldBehavior;
import com.google.api.FieldBehaviorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import io.rapport.platform.v1.Resource.Erasure;
import io.rapport.platform.v1.Resource.SortOrder;
import io.rapport.platform.v1.ResourceField;
import io.rapport.platform.v1.ResourceProto;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jooq.Field;
import org.jooq.SQLDialect;
import org.jooq.Table;
import org.jooq.impl.DSL;

/** Finds what keeps an entity's message and its table from going together. */
final class MappingCheck {
  /** Columns that are not the entity's own, and their types. */
  private static final List<String> OWN =
      List.of(
          "tenant_id UUID",
          "id UUID",
          "revision Long",
          "active Boolean",
          "created_at Instant",
          "last_updated_at Instant");

  private final Descriptor type;
  private final Table<?> table;
  private final io.rapport.platform.v1.Resource options;
  private final List<String> faults = new ArrayList<>();

  private MappingCheck(Descriptor type, Table<?> table) {
    this.type = type;
    this.table = table;
    this.options = type.getOptions().getExtension(ResourceProto.resource);
  }

  static void require(Descriptor type, Table<?> table) {
    List<String> faults = new MappingCheck(type, table).faults();
    if (!faults.isEmpty()) {
      throw new IllegalStateException(
          type.getFullName()
              + " and its table "
              + (table.getSchema() == null ? "" : table.getSchema().getName() + ".")
              + table.getName()
              + " don't go together: "
              + String.join("; ", faults));
    }
  }

  /** Whether the field is one of the table's columns. */
  static boolean hasColumn(FieldDescriptor field) {
    return !field.getName().equals(Mapping.ETAG) && !options(field).getComputed();
  }

  private static ResourceField options(FieldDescriptor field) {
    return field.getOptions().getExtension(ResourceProto.resourceField);
  }

  private List<String> faults() {
    checkOptions();
    checkOwnColumns();
    type.getFields().stream().filter(MappingCheck::hasColumn).forEach(this::checkField);
    checkUnmappedColumns();
    checkKey();
    options.getSortOrdersList().forEach(this::checkOrder);
    return faults;
  }

  private void require(boolean holds, String fault) {
    if (!holds) {
      faults.add(fault);
    }
  }

  private void checkOptions() {
    require(options.getKind().matches("[a-z]+[.][a-z_]+"), "its kind is not like identity.user");
    require(
        options.getErasure() != Erasure.ERASURE_UNSPECIFIED
            && options.getErasure() != Erasure.UNRECOGNIZED,
        "it has no erasure class");
    require(options.getSortOrdersCount() > 0, "it has no sort order");
    List<String> named = new ArrayList<>(options.getEmbeddingTextList());
    if (!options.getUserField().isEmpty()) {
      named.add(options.getUserField());
    }
    for (String name : named) {
      require(
          type.findFieldByName(name) != null,
          "its option names %s, which is no field".formatted(name));
    }
    for (String name : options.getHiddenColumnsList()) {
      require(table.field(name) != null, "its option names %s, which is no column".formatted(name));
    }
    require(type.findFieldByName(Mapping.ID) != null, "it has no field id");
    require(type.findFieldByName(Mapping.ETAG) != null, "it has no field etag");
  }

  private void checkOwnColumns() {
    for (String own : OWN) {
      String name = own.substring(0, own.indexOf(' '));
      Field<?> column = table.field(name);
      require(
          column != null
              && !column.getDataType().nullable()
              && (name + " " + column.getType().getSimpleName()).equals(own),
          "the table has no column %s NOT NULL".formatted(own));
    }
  }

  private void checkField(FieldDescriptor field) {
    Field<?> column = table.field(field.getName());
    if (column == null) {
      faults.add("the field %s has no column".formatted(field.getName()));
      return;
    }
    require(
        Codec.of(field, column.getDataType()).isPresent(),
        "the field %s can't be a column of type %s"
            .formatted(field.getName(), column.getDataType().getTypeName()));
    checkNull(field, column);
    if (field.getJavaType() == JavaType.ENUM) {
      checkEnum(field, column);
    }
    if (options(field).getCaseInsensitive()) {
      Field<?> folded = table.field(field.getName() + "_key");
      require(folded != null, "the table has no column %s_key".formatted(field.getName()));
    }
  }

  private void checkNull(FieldDescriptor field, Field<?> column) {
    List<FieldBehavior> behaviours =
        field.getOptions().getExtension(FieldBehaviorProto.fieldBehavior);
    boolean written =
        !behaviours.contains(FieldBehavior.OUTPUT_ONLY)
            && !behaviours.contains(FieldBehavior.IDENTIFIER);
    boolean number =
        switch (field.getJavaType()) {
          case BOOLEAN, INT, LONG, DOUBLE -> !field.hasPresence();
          default -> false;
        };
    boolean nullable = column.getDataType().nullable();
    boolean defaulted = column.getDataType().defaulted();
    if (number) {
      require(!nullable, "the field %s can't be NULL: make it optional".formatted(field.getName()));
      require(
          !written || !defaulted || isZero(column),
          ("the field %s can't tell that it isn't set, and its column's default isn't 0: make it"
                  + " optional")
              .formatted(field.getName()));
    } else if (written && !field.isRepeated()) {
      require(
          nullable || defaulted || behaviours.contains(FieldBehavior.REQUIRED),
          "the field %s isn't REQUIRED, and its column is NOT NULL without a default"
              .formatted(field.getName()));
    }
    require(
        !behaviours.contains(FieldBehavior.INPUT_ONLY)
            || !behaviours.contains(FieldBehavior.IMMUTABLE),
        "the field %s is never read and can't be immutable".formatted(field.getName()));
  }

  private static boolean isZero(Field<?> column) {
    String value =
        DSL.using(SQLDialect.POSTGRES).renderInlined(column.getDataType().defaultValue());
    return value.matches("(false|'?0'?)(::.*)?");
  }

  /** The names of an enum's values are those that a constraint of the table allows. */
  private void checkEnum(FieldDescriptor field, Field<?> column) {
    Set<String> names = new TreeSet<>();
    for (EnumValueDescriptor value : field.getEnumType().getValues()) {
      if (value.getNumber() != 0) {
        names.add("'" + value.getName() + "'");
      }
    }
    boolean held =
        table.getChecks().stream()
            .map(check -> DSL.using(SQLDialect.POSTGRES).renderInlined(check.condition()))
            .filter(condition -> condition.contains(column.getName() + " "))
            .anyMatch(condition -> quoted(condition).equals(names));
    require(held, "no check allows the column %s exactly %s".formatted(column.getName(), names));
  }

  private static Set<String> quoted(String condition) {
    Set<String> quoted = new TreeSet<>();
    var literals = java.util.regex.Pattern.compile("'[^']*'").matcher(condition);
    while (literals.find()) {
      quoted.add(literals.group());
    }
    return quoted;
  }

  private void checkUnmappedColumns() {
    for (Field<?> column : table.fields()) {
      String name = column.getName();
      FieldDescriptor field = type.findFieldByName(name);
      boolean known =
          name.equals(Mapping.TENANT)
              || name.equals(Mapping.REVISION)
              || options.getHiddenColumnsList().contains(name)
              || (field != null && hasColumn(field));
      require(known, "the column %s is neither a field nor hidden".formatted(name));
    }
  }

  private void checkKey() {
    if (options.getNaturalKeyCount() == 0) {
      return;
    }
    Set<String> columns = new HashSet<>(Set.of(Mapping.TENANT));
    for (String name : options.getNaturalKeyList()) {
      FieldDescriptor field = type.findFieldByName(name);
      if (field == null) {
        faults.add("the field %s of its natural key is none".formatted(name));
        return;
      }
      columns.add(options(field).getCaseInsensitive() ? name + "_key" : name);
    }
    type.getFields().stream()
        .filter(field -> options(field).getOptionalInKey())
        .forEach(this::checkOptional);
    boolean held =
        table.getKeys().stream()
            .anyMatch(key ->
                key.getFields().size() == columns.size()
                    && key.getFields().stream().allMatch(it -> columns.contains(it.getName())));
    require(
        held, "no unique constraint holds its natural key %s".formatted(new TreeSet<>(columns)));
  }

  private void checkOptional(FieldDescriptor field) {
    Field<?> column = table.field(field.getName());
    require(
        options.getNaturalKeyList().contains(field.getName())
            && column != null
            && column.getDataType().nullable(),
        "the field %s can't be optional in a natural key".formatted(field.getName()));
  }

  private void checkOrder(SortOrder order) {
    Field<?> column = table.field(order.getField());
    FieldDescriptor field = type.findFieldByName(order.getField());
    require(
        column != null && field != null && !column.getDataType().nullable(),
        "the order %s is not by a field whose column is NOT NULL".formatted(order.getName()));
  }
}
