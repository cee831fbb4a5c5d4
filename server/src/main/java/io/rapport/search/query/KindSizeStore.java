package io.rapport.search.query;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;

/** How large the graph of a kind is, which all tenants share: as PostgreSQL last saw it. */
final class KindSizeStore {
  private static final String SIZE =
      """
      SELECT COALESCE(max(c.reltuples), 0)::float8 FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid
       WHERE i.inhparent = 'search.embeddings'::regclass
         AND pg_get_expr(c.relpartbound, c.oid) = format('FOR VALUES IN (%L)', ?::text)
      """;

  private final Cache<Kind, Double> sizes =
      Caffeine.newBuilder().expireAfterWrite(Duration.ofMinutes(1)).build();

  /** How many vectors there are, more or less. */
  double vectors(Connection db, Kind kind) throws SQLException {
    Double known = sizes.getIfPresent(kind);
    if (known != null) {
      return known;
    }
    try (PreparedStatement statement = db.prepareStatement(SIZE)) {
      statement.setString(1, kind.name());
      try (ResultSet rows = statement.executeQuery()) {
        double size = rows.next() ? Math.max(0, rows.getDouble(1)) : 0;
        sizes.put(kind, size);
        return size;
      }
    }
  }
}
