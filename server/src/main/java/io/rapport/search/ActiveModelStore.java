package io.rapport.search;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/** Which models searches go by, in PostgreSQL. */
final class ActiveModelStore {
  private static final String ACTIVE =
      """
      SELECT kind, model FROM search.embedding_models
       WHERE tenant_id IN (?::uuid, '00000000-0000-0000-0000-000000000000')
         AND kind = ANY (?) AND state = 'ACTIVE'
      """;

  Map<String, String> active(Connection db, UUID tenant, Collection<String> kinds)
      throws SQLException {
    try (PreparedStatement statement = db.prepareStatement(ACTIVE)) {
      statement.setString(1, tenant.toString());
      statement.setArray(2, db.createArrayOf("text", kinds.toArray()));
      Map<String, String> active = new HashMap<>();
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          active.put(rows.getString(1), rows.getString(2));
        }
      }
      return active;
    }
  }
}
