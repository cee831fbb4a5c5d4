package io.rapport.platform.resource;

import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Struct;
import com.google.protobuf.Timestamp;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Times;
import io.rapport.platform.Uuids;
import io.rapport.platform.v1.ErrorReason;
import java.math.BigDecimal;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jooq.DataType;
import org.jspecify.annotations.Nullable;

/** How values of a field become values of a column and back. */
interface Codec {
  /** The column's type. */
  String sqlType();

  /**
   * A value as PostgreSQL reads it.
   *
   * @throws ServiceException if it is none of the column's values
   */
  String text(Object value, String path);

  /** The value of a row; null if it is NULL. */
  @Nullable Object read(ResultSet row, int index) throws SQLException;

  /** The codec of a field and a column; empty if their types don't go together. */
  static Optional<Codec> of(FieldDescriptor field, DataType<?> column) {
    String java = column.getType().getSimpleName();
    String type =
        switch (field.getJavaType()) {
          case MESSAGE -> field.getMessageType().getFullName();
          default -> (field.isRepeated() ? "repeated " : "") + field.getJavaType().name();
        };
    return Optional.ofNullable(
        switch (type + " " + java) {
          case "STRING String" -> new Texts();
          case "STRING UUID" -> new Ids();
          case "STRING BigDecimal" -> new Decimals(column.precision(), column.scale());
          case "STRING LocalDate" -> new Dates();
          case "BOOLEAN Boolean" -> new Booleans();
          case "INT Integer" -> new Integers();
          case "LONG Long" -> new Longs();
          case "DOUBLE Double" -> new Doubles();
          case "ENUM String" -> Enums.of(field.getEnumType());
          case "google.protobuf.Timestamp Instant" -> new Instants();
          case "google.protobuf.Struct JSONB" -> new Structs();
          case "repeated STRING String[]" -> new TextArrays();
          default -> null;
        });
  }

  private static ServiceException invalid(String path, String description) {
    return ServiceException.invalid(path, ErrorReason.INVALID_FIELD, description);
  }

  /** string and text. */
  record Texts() implements Codec {
    @Override
    public String sqlType() {
      return "text";
    }

    @Override
    public String text(Object value, String path) {
      return (String) value;
    }

    @Override
    public @Nullable Object read(ResultSet row, int index) throws SQLException {
      return row.getString(index);
    }
  }

  /** string and uuid. */
  record Ids() implements Codec {
    @Override
    public String sqlType() {
      return "uuid";
    }

    @Override
    public String text(Object value, String path) {
      if (Uuids.parse((String) value) == null) {
        throw invalid(path, "must be a UUID");
      }
      return (String) value;
    }

    @Override
    public @Nullable Object read(ResultSet row, int index) throws SQLException {
      return row.getString(index);
    }
  }

  /** string and numeric: never rounded. */
  record Decimals(int precision, int scale) implements Codec {
    private static final int MAX_LENGTH = 100;

    @Override
    public String sqlType() {
      return "numeric";
    }

    @Override
    public String text(Object value, String path) {
      BigDecimal number = parse((String) value, path).stripTrailingZeros();
      boolean limited = precision > 0;
      if (limited
          && (number.scale() > scale || number.precision() - number.scale() > precision - scale)) {
        throw invalid(
            path,
            "must have at most %d digits before the point and %d after it"
                .formatted(precision - scale, scale));
      }
      return number.toPlainString();
    }

    private static BigDecimal parse(String text, String path) {
      if (text.length() <= MAX_LENGTH && text.matches("-?[0-9]+([.][0-9]+)?")) {
        return new BigDecimal(text);
      }
      throw invalid(path, "must be a number in decimal digits");
    }

    @Override
    public @Nullable Object read(ResultSet row, int index) throws SQLException {
      BigDecimal number = row.getBigDecimal(index);
      return number == null ? null : number.toPlainString();
    }
  }

  /** string and date. */
  record Dates() implements Codec {
    @Override
    public String sqlType() {
      return "date";
    }

    @Override
    public String text(Object value, String path) {
      try {
        return LocalDate.parse((String) value).toString();
      } catch (DateTimeException e) {
        throw invalid(path, "must be a day such as 2026-01-31");
      }
    }

    @Override
    public @Nullable Object read(ResultSet row, int index) throws SQLException {
      LocalDate day = row.getObject(index, LocalDate.class);
      return day == null ? null : day.toString();
    }
  }

  /** bool and boolean. */
  record Booleans() implements Codec {
    @Override
    public String sqlType() {
      return "boolean";
    }

    @Override
    public String text(Object value, String path) {
      return value.toString();
    }

    @Override
    public @Nullable Object read(ResultSet row, int index) throws SQLException {
      boolean value = row.getBoolean(index);
      return row.wasNull() ? null : value;
    }
  }

  /** int32 and integer. */
  record Integers() implements Codec {
    @Override
    public String sqlType() {
      return "integer";
    }

    @Override
    public String text(Object value, String path) {
      return value.toString();
    }

    @Override
    public @Nullable Object read(ResultSet row, int index) throws SQLException {
      int value = row.getInt(index);
      return row.wasNull() ? null : value;
    }
  }

  /** int64 and bigint. */
  record Longs() implements Codec {
    @Override
    public String sqlType() {
      return "bigint";
    }

    @Override
    public String text(Object value, String path) {
      return value.toString();
    }

    @Override
    public @Nullable Object read(ResultSet row, int index) throws SQLException {
      long value = row.getLong(index);
      return row.wasNull() ? null : value;
    }
  }

  /** double and double precision. */
  record Doubles() implements Codec {
    @Override
    public String sqlType() {
      return "double precision";
    }

    @Override
    public String text(Object value, String path) {
      return value.toString();
    }

    @Override
    public @Nullable Object read(ResultSet row, int index) throws SQLException {
      double value = row.getDouble(index);
      return row.wasNull() ? null : value;
    }
  }

  /** An enum and text: the value's name. */
  record Enums(EnumDescriptor type, Map<Integer, String> names, Map<String, Integer> numbers)
      implements Codec {
    static Enums of(EnumDescriptor type) {
      Map<Integer, String> names = new HashMap<>();
      Map<String, Integer> numbers = new HashMap<>();
      for (EnumValueDescriptor value : type.getValues()) {
        names.put(value.getNumber(), value.getName());
        numbers.put(value.getName(), value.getNumber());
      }
      return new Enums(type, names, numbers);
    }

    @Override
    public String sqlType() {
      return "text";
    }

    @Override
    public String text(Object value, String path) {
      String name = names.get((Integer) value);
      if (name == null) {
        throw invalid(path, "must be a value of " + type.getName());
      }
      return name;
    }

    @Override
    public @Nullable Object read(ResultSet row, int index) throws SQLException {
      String name = row.getString(index);
      return name == null ? null : numbers.getOrDefault(name, 0);
    }
  }

  /** Timestamp and timestamptz, which holds microseconds. */
  record Instants() implements Codec {
    @Override
    public String sqlType() {
      return "timestamptz";
    }

    @Override
    public String text(Object value, String path) {
      Timestamp time = (Timestamp) value;
      if (!Times.isValid(time)) {
        throw invalid(path, "must be an instant from year 1 to 9999");
      }
      return Times.instant(time).toString();
    }

    @Override
    public @Nullable Object read(ResultSet row, int index) throws SQLException {
      OffsetDateTime time = row.getObject(index, OffsetDateTime.class);
      return time == null ? null : Times.proto(time.toInstant());
    }
  }

  /** Struct and jsonb. */
  record Structs() implements Codec {
    @Override
    public String sqlType() {
      return "jsonb";
    }

    @Override
    public String text(Object value, String path) {
      return StructJson.write((Struct) value, path);
    }

    @Override
    public @Nullable Object read(ResultSet row, int index) throws SQLException {
      String json = row.getString(index);
      return json == null ? null : StructJson.read(json);
    }
  }

  /** repeated string and text[]. */
  record TextArrays() implements Codec {
    @Override
    public String sqlType() {
      return "text[]";
    }

    @Override
    public String text(Object value, String path) {
      return ((List<?>) value)
          .stream()
              .map(it -> '"' + it.toString().replace("\\", "\\\\").replace("\"", "\\\"") + '"')
              .collect(Collectors.joining(",", "{", "}"));
    }

    @Override
    public @Nullable Object read(ResultSet row, int index) throws SQLException {
      java.sql.Array array = row.getArray(index);
      return array == null ? null : List.of((String[]) array.getArray());
    }
  }
}
