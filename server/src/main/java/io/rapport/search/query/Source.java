package io.rapport.search.query;

import com.google.protobuf.FieldMask;
import io.rapport.platform.resource.Sql;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A kind to search, and which of its entities.
 *
 * @param conditions on rows {@code t} of its table; none: all
 * @param quota how many hits at most
 * @param mask which fields of entities are shown
 */
record Source(Kind kind, UUID tenant, List<Consumer<Sql>> conditions, int quota, FieldMask mask) {
  boolean isFiltered() {
    return !conditions.isEmpty();
  }

  /** Under which its rows lie. */
  String owner() {
    return kind.owner(tenant).toString();
  }

  /** The rows that pass, after FROM. */
  void appendRows(Sql sql) {
    sql.add(" FROM " + kind.rows() + " t WHERE t.tenant_id = ").value(owner(), "uuid");
    conditions.forEach(condition -> condition.accept(sql.add(" AND ")));
  }

  /** That rows {@code e} are of those that pass; PostgreSQL may begin with either. */
  void appendMembership(Sql sql) {
    if (isFiltered()) {
      sql.add(" AND e.id IN (SELECT t.id");
      appendRows(sql);
      sql.add(")");
    }
  }

  /** The same, looked up for each row {@code e}. */
  void appendCheck(Sql sql) {
    if (isFiltered()) {
      sql.add(" AND (SELECT true");
      appendRows(sql);
      sql.add(" AND t.id = e.id)");
    }
  }

  /** The value of a column for each row {@code e}; NULL without a column. */
  void appendValue(Sql sql, @Nullable String column) {
    if (column == null) {
      sql.add("NULL::text");
    } else {
      sql.add("(SELECT t." + column + "::text FROM " + kind.rows() + " t WHERE t.tenant_id = ")
          .value(owner(), "uuid")
          .add(" AND t.id = e.id)");
    }
  }
}
