package io.rapport.platform.resource;

import io.rapport.platform.ServiceException;
import io.rapport.platform.Uuids;
import io.rapport.platform.v1.ErrorReason;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One page of a list.
 *
 * @param after the row that the page comes after; null for the first page
 * @param limit how many rows to look for
 */
record Listing(
    Column order,
    boolean descending,
    boolean showInactive,
    List<Consumer<Sql>> conditions,
    @Nullable Cursor after,
    int limit) {

  /** A row's place in a list. */
  record Cursor(String position, String id) {
    private static final char SEPARATOR = '\0';

    byte[] bytes() {
      return (position + SEPARATOR + id).getBytes(StandardCharsets.UTF_8);
    }

    static Cursor of(byte[] bytes) {
      String text = new String(bytes, StandardCharsets.UTF_8);
      int end = text.lastIndexOf(SEPARATOR);
      if (end < 0 || Uuids.parse(text.substring(end + 1)) == null) {
        throw ServiceException.invalid(
            "page_token", ErrorReason.PAGE_TOKEN_INVALID, "is not a token of this service");
      }
      return new Cursor(text.substring(0, end), text.substring(end + 1));
    }
  }

  /** What rows are ordered by, as a text that a cursor can hold. */
  String position() {
    return "t." + order.name() + "::text";
  }

  void appendTo(Sql sql) {
    if (!showInactive) {
      sql.add(" AND t.active");
    }
    conditions.forEach(condition -> condition.accept(sql.add(" AND ")));
    if (after != null) {
      sql.add(" AND (t." + order.name() + ", t.id) " + (descending ? "<" : ">") + " (");
      sql.value(after.position(), order.codec().sqlType()).add(", ");
      sql.value(after.id(), "uuid").add(")");
    }
    String direction = descending ? " DESC" : "";
    sql.add(" ORDER BY t." + order.name() + direction + ", t.id" + direction);
    sql.add(" LIMIT " + limit);
  }
}
