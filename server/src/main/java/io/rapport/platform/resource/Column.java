package io.rapport.platform.resource;

import com.google.api.FieldBehavior;
import com.google.api.FieldBehaviorProto;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.rapport.platform.v1.ResourceField;
import io.rapport.platform.v1.ResourceProto;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import org.jooq.Field;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** A field of an entity and the column that holds it. */
final class Column {
  private final FieldDescriptor field;
  private final Accessor accessor;
  private final Codec codec;
  private final boolean nullable;
  private final @Nullable String standard;
  private final List<FieldBehavior> behaviours;
  private final ResourceField options;

  Column(Accessor accessor, FieldDescriptor field, Codec codec, Field<?> column) {
    this.field = field;
    this.accessor = accessor;
    this.codec = codec;
    this.nullable = column.getDataType().nullable();
    this.standard = standard(column);
    this.behaviours = field.getOptions().getExtension(FieldBehaviorProto.fieldBehavior);
    this.options = field.getOptions().getExtension(ResourceProto.resourceField);
  }

  private static @Nullable String standard(Field<?> column) {
    Field<?> value = column.getDataType().defaultValue();
    return value == null ? null : DSL.using(SQLDialect.POSTGRES).renderInlined(value);
  }

  FieldDescriptor field() {
    return field;
  }

  String name() {
    return field.getName();
  }

  Codec codec() {
    return codec;
  }

  boolean nullable() {
    return nullable;
  }

  /** What the column has where nothing is said, as SQL; null if there is no such value. */
  @Nullable String standard() {
    return standard;
  }

  /** The value that a write of an unset field stands for: {@code value}, else the default. */
  String orStandard(String value) {
    return standard == null ? value : "COALESCE(" + value + ", " + standard + ")";
  }

  boolean isRequired() {
    return behaviours.contains(FieldBehavior.REQUIRED);
  }

  boolean isImmutable() {
    return behaviours.contains(FieldBehavior.IMMUTABLE);
  }

  boolean isInputOnly() {
    return behaviours.contains(FieldBehavior.INPUT_ONLY);
  }

  /** Whether callers set it. */
  boolean isWritable() {
    return !behaviours.contains(FieldBehavior.OUTPUT_ONLY)
        && !behaviours.contains(FieldBehavior.IDENTIFIER);
  }

  boolean isFilterable() {
    return options.getFilterable();
  }

  /** The column that it is looked up and compared by. */
  String lookup() {
    return isFolded() ? name() + "_key" : name();
  }

  boolean isFolded() {
    return options.getCaseInsensitive();
  }

  /** Whether a natural key may lack it. */
  boolean isOptionalInKey() {
    return options.getOptionalInKey();
  }

  /** Whether two of its values stand for the same in a natural key, as SQL. */
  String same(String one, String other) {
    return one + (isOptionalInKey() ? " IS NOT DISTINCT FROM " : " = ") + other;
  }

  /** A text as {@link #lookup} has it. */
  String folded(String text) {
    return isFolded() ? asciiLower(text) : text;
  }

  /** As PostgreSQL's {@code lower} does it in the collation C. */
  private static String asciiLower(String text) {
    StringBuilder lower = new StringBuilder(text);
    for (int i = 0; i < lower.length(); i++) {
      char c = lower.charAt(i);
      if (c >= 'A' && c <= 'Z') {
        lower.setCharAt(i, (char) (c - 'A' + 'a'));
      }
    }
    return lower.toString();
  }

  boolean isSet(Message entity) {
    return accessor.isSet(entity);
  }

  /** The field's value as SQL reads it; null if it isn't set. */
  @Nullable String text(Message entity, String path) {
    return isSet(entity) ? codec.text(accessor.get(entity), path + "." + name()) : null;
  }

  /** The same for a write of this very field: one that can't tell that it isn't set is 0. */
  @Nullable String wholeText(Message entity, String path) {
    boolean zero = !isSet(entity) && !nullable && standard == null && !isRequired();
    return zero ? codec.text(accessor.get(entity), path + "." + name()) : text(entity, path);
  }

  void read(ResultSet row, int index, Message.Builder entity) throws SQLException {
    Object value = codec.read(row, index);
    if (value != null) {
      accessor.set(entity, value);
    }
  }
}
