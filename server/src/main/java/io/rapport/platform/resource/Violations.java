package io.rapport.platform.resource;

import static java.util.stream.Collectors.joining;

import io.grpc.Status.Code;
import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jooq.Check;
import org.jooq.ForeignKey;
import org.jooq.Index;
import org.jooq.Named;
import org.jooq.SortField;
import org.jooq.UniqueKey;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** What a caller is told when a constraint of the table refuses a row: which field, and why. */
final class Violations {
  private final Mapping mapping;
  private final Map<String, List<String>> uniques = new HashMap<>();
  private final Map<String, List<String>> references = new HashMap<>();
  private final Map<String, String> checks = new HashMap<>();

  Violations(Mapping mapping) {
    this.mapping = mapping;
    for (UniqueKey<?> key : mapping.jooq().getKeys()) {
      uniques.put(key.getName(), fields(key.getFields().stream().map(Named::getName)));
    }
    for (Index index : mapping.jooq().getIndexes()) {
      if (index.getUnique()) {
        uniques.put(index.getName(), fields(index.getFields().stream().map(SortField::getName)));
      }
    }
    for (ForeignKey<?, ?> key : mapping.jooq().getReferences()) {
      references.put(key.getName(), fields(key.getFields().stream().map(Named::getName)));
    }
    String prefix = "ck_" + mapping.jooq().getName() + "_";
    for (Check<?> check : mapping.jooq().getChecks()) {
      if (check.getName().startsWith(prefix)) {
        checks.put(check.getName(), check.getName().substring(prefix.length()));
      }
    }
  }

  /** The fields behind columns, as callers know them. */
  private List<String> fields(Stream<String> columns) {
    List<String> fields = new ArrayList<>(columns.toList());
    fields.remove(Mapping.TENANT);
    fields.replaceAll(name ->
        mapping.find(name).isEmpty() && name.endsWith("_key")
            ? name.substring(0, name.length() - "_key".length())
            : name);
    return fields;
  }

  /** Whether the table's constraints refuse a row, and not anything else has failed. */
  static boolean isOfARow(SQLException e) {
    return String.valueOf(e.getSQLState()).matches("22.*|23.*|54000");
  }

  /**
   * Throws what the caller is told, or returns what happened if no constraint is behind it.
   *
   * @param path where the refused entity stands in the request
   */
  SQLException translate(SQLException e, String path) {
    ServerErrorMessage error =
        e instanceof PSQLException postgres ? postgres.getServerErrorMessage() : null;
    if (error == null) {
      return e;
    }
    String constraint = String.valueOf(error.getConstraint());
    ServiceException told =
        switch (String.valueOf(e.getSQLState())) {
          case "23505" -> exists(uniques.getOrDefault(constraint, List.of()), path);
          case "23503" -> reference(references.get(constraint), path);
          case "23514" -> invalid(path, checks.get(constraint), "is not allowed");
          case "23502" -> invalid(path, error.getColumn(), "is required");
          case "22001", "22003", "22007", "22008", "54000" ->
              invalid(path, null, "has a value that is too large");
          default -> null;
        };
    if (told != null) {
      throw told;
    }
    return e;
  }

  private ServiceException exists(List<String> fields, String path) {
    String key = String.join(", ", fields);
    return ServiceException.of(
            Code.ALREADY_EXISTS,
            ErrorReason.RESOURCE_EXISTS,
            "a " + mapping.noun() + " with this " + key + " is there already")
        .with("kind", mapping.noun())
        .with("key", key)
        .with("field", fields.stream().map(it -> path + "." + it).collect(joining(", ")));
  }

  /** Without fields: another table refers to the row that was to be deleted. */
  private ServiceException reference(@Nullable List<String> fields, String path) {
    if (fields == null) {
      return ServiceException.failedPrecondition(
              ErrorReason.RESOURCE_IN_USE, "others refer to the " + mapping.noun())
          .with("kind", mapping.noun());
    }
    String field = String.join(", ", fields);
    String kind = field.endsWith("_id") ? field.substring(0, field.length() - 3) : field;
    return ServiceException.notFound(kind).with("field", path + "." + field);
  }

  private static ServiceException invalid(String path, @Nullable String field, String description) {
    return ServiceException.invalid(
        field == null ? path : path + "." + field, ErrorReason.INVALID_FIELD, description);
  }
}
