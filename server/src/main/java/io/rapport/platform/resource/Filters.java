package io.rapport.platform.resource;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.ProtocolMessageEnum;
import io.rapport.platform.v1.IdFilter;
import io.rapport.platform.v1.NumberFilter;
import io.rapport.platform.v1.TextFilter;
import io.rapport.platform.v1.TimeFilter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Consumer;

/** Turns the filter message of an entity's list into conditions. */
final class Filters {
  private static final String PATH = "filter";

  private final Map<Column, Accessor> filters = new LinkedHashMap<>();

  /**
   * @param filter the filter message, of any content
   * @throws IllegalStateException if it doesn't have just the fields that are filterable
   */
  Filters(Mapping mapping, Message filter) {
    TreeSet<String> filterable = new TreeSet<>();
    for (Column column : mapping.readable()) {
      if (column.isFilterable()) {
        filterable.add(column.name());
      }
    }
    TreeSet<String> fields = new TreeSet<>();
    for (FieldDescriptor field : filter.getDescriptorForType().getFields()) {
      fields.add(field.getName());
      mapping
          .find(field.getName())
          .ifPresent(column -> filters.put(column, new Accessor(filter, field)));
    }
    if (!fields.equals(filterable)) {
      throw new IllegalStateException(
          "%s filters by %s, but %s are filterable"
              .formatted(filter.getDescriptorForType().getFullName(), fields, filterable));
    }
  }

  List<Consumer<Sql>> conditions(Message filter) {
    return conditions(filter, PATH);
  }

  /**
   * The conditions, which are about rows {@code t}.
   *
   * @param path where the filter stands in the request
   */
  List<Consumer<Sql>> conditions(Message filter, String path) {
    List<Consumer<Sql>> conditions = new ArrayList<>();
    filters.forEach((column, accessor) -> {
      if (accessor.isSet(filter)) {
        conditions.add(condition(column, accessor.get(filter), path + "." + column.name()));
      }
    });
    return conditions;
  }

  private static Consumer<Sql> condition(Column column, Object value, String path) {
    return switch (value) {
      case TextFilter text -> sql -> text(sql, column, text);
      case IdFilter ids -> sql -> oneOf(sql, column, ids.getValuesList());
      case TimeFilter time -> sql -> time(sql, column, time, path);
      case NumberFilter number -> sql -> number(sql, column, number);
      case List<?> values -> sql -> oneOf(sql, column, names(column, values, path));
      default -> sql -> equal(sql, column, value, path);
    };
  }

  private static List<String> names(Column column, List<?> values, String path) {
    return values.stream()
        .map(value -> value instanceof ProtocolMessageEnum it ? it.getNumber() : value)
        .map(value -> column.codec().text(value, path))
        .toList();
  }

  private static void equal(Sql sql, Column column, Object value, String path) {
    String text = column.codec().text(value, path);
    sql.add("t." + column.name() + " = ").value(text, column.codec().sqlType());
  }

  private static void oneOf(Sql sql, Column column, List<String> values) {
    sql.add("t." + column.lookup() + " = ANY (")
        .values(values.toArray(String[]::new), column.codec().sqlType())
        .add(")");
  }

  /** A beginning is a range of texts in the order of their bytes, which an index can serve. */
  private static void text(Sql sql, Column column, TextFilter filter) {
    sql.add("true");
    if (filter.getValuesCount() > 0) {
      oneOf(sql.add(" AND "), column, filter.getValuesList().stream().map(column::folded).toList());
    }
    String prefix = column.folded(filter.getPrefix());
    if (!prefix.isEmpty()) {
      String text = "t." + column.lookup() + " COLLATE \"C\"";
      sql.add(" AND " + text + " >= ").value(prefix, "text");
      successor(prefix).ifPresent(end -> sql.add(" AND " + text + " < ").value(end, "text"));
    }
  }

  /** The first text after all that begin so; empty if there is none. */
  static Optional<String> successor(String prefix) {
    int end = prefix.length();
    while (end > 0) {
      int last = prefix.codePointBefore(end);
      int start = end - Character.charCount(last);
      if (last < Character.MAX_CODE_POINT) {
        int next = last + 1 == Character.MIN_SURROGATE ? Character.MAX_SURROGATE + 1 : last + 1;
        return Optional.of(prefix.substring(0, start) + Character.toString(next));
      }
      end = start;
    }
    return Optional.empty();
  }

  private static void time(Sql sql, Column column, TimeFilter filter, String path) {
    sql.add("true");
    if (filter.hasFrom()) {
      sql.add(" AND t." + column.name() + " >= ")
          .value(column.codec().text(filter.getFrom(), path + ".from"), "timestamptz");
    }
    if (filter.hasTo()) {
      sql.add(" AND t." + column.name() + " < ")
          .value(column.codec().text(filter.getTo(), path + ".to"), "timestamptz");
    }
  }

  private static void number(Sql sql, Column column, NumberFilter filter) {
    sql.add("true");
    if (filter.hasMin()) {
      sql.add(" AND t." + column.name() + " >= ")
          .value(String.valueOf(filter.getMin()), "double precision");
    }
    if (filter.hasMax()) {
      sql.add(" AND t." + column.name() + " <= ")
          .value(String.valueOf(filter.getMax()), "double precision");
    }
  }
}
