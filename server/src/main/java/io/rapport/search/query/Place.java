package io.rapport.search.query;

import io.rapport.platform.PageTokens;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Uuids;
import io.rapport.platform.resource.Sql;
import io.rapport.platform.v1.ErrorReason;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/**
 * Where a page of hits ended.
 *
 * @param query what tells the query's vectors from others
 */
record Place(double distance, String kind, UUID id, String query) {
  private static final String SEPARATOR = "/";

  static Place of(Candidate last, String query) {
    return new Place(last.distance(), last.kind().name(), last.id(), query);
  }

  /** As {@link PageTokens} carry it. */
  byte[] cursor() {
    return String.join(SEPARATOR, Double.toString(distance), kind, id.toString(), query)
        .getBytes(StandardCharsets.UTF_8);
  }

  static Place ofCursor(byte[] cursor) {
    String[] parts = new String(cursor, StandardCharsets.UTF_8).split(SEPARATOR, -1);
    UUID id = parts.length == 4 ? Uuids.parse(parts[2]) : null;
    if (id == null) {
      throw ServiceException.invalid(
          "page_token", ErrorReason.PAGE_TOKEN_INVALID, "is not a token of this service");
    }
    return new Place(Double.parseDouble(parts[0]), parts[1], id, parts[3]);
  }

  /** That rows {@code e} of a kind come after it. */
  void append(Sql sql, Kind of, String distanceSql) {
    int order = of.name().compareTo(kind);
    String value = Double.toString(distance);
    if (order == 0) {
      sql.add(" AND (" + distanceSql + ", e.id) > (").value(value, "float8");
      sql.add(", ").value(id.toString(), "uuid").add(")");
    } else {
      sql.add(" AND " + distanceSql + (order < 0 ? " > " : " >= ")).value(value, "float8");
    }
  }
}
