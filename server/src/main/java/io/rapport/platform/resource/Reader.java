package io.rapport.platform.resource;

import com.google.protobuf.Message;
import io.rapport.platform.TenantDb;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/** Reads entities of one kind, with the fields that have no column. */
final class Reader {
  private final Mapping mapping;
  private final RowStore rows;
  private final TenantDb db;
  private final @Nullable Completion<Message.Builder> completion;

  Reader(
      Mapping mapping,
      RowStore rows,
      TenantDb db,
      @Nullable Completion<Message.Builder> completion) {
    this.mapping = mapping;
    this.rows = rows;
    this.db = db;
    this.completion = completion;
  }

  Optional<Message> find(UUID tenant, String id, Fields fields) {
    return one(tenant, fields, connection -> rows.find(connection, tenant, id, fields));
  }

  /**
   * The entity with this natural key.
   *
   * @param key its parts, as columns are looked up
   */
  Optional<Message> findByKey(UUID tenant, List<@Nullable String> key, Fields fields) {
    return one(tenant, fields, connection -> rows.findByKey(connection, tenant, key, fields));
  }

  /** The rows of a page, whose entities are complete. */
  List<Row> list(UUID tenant, Listing listing, Fields fields) {
    return db.autoCommit(
        tenant,
        connection -> {
          List<Row> found = rows.list(connection, tenant, listing, fields);
          complete(connection, tenant, found, fields);
          return found;
        });
  }

  private interface Query {
    Optional<Row> run(Connection connection) throws SQLException;
  }

  private Optional<Message> one(UUID tenant, Fields fields, Query query) {
    return db.autoCommit(
        tenant,
        connection -> {
          Optional<Row> row = query.run(connection);
          complete(connection, tenant, row.stream().toList(), fields);
          return row.map(it -> it.entity().build());
        });
  }

  private void complete(Connection connection, UUID tenant, List<Row> found, Fields fields) {
    if (completion != null && !found.isEmpty()) {
      complete(TenantDb.dsl(connection), tenant, found, fields);
    }
  }

  void complete(DSLContext dsl, UUID tenant, List<Row> found, Fields fields) {
    if (completion != null && mapping.showsComputed(fields)) {
      Map<UUID, Message.Builder> entities = new HashMap<>();
      found.forEach(row -> entities.put(UUID.fromString(row.id()), row.entity()));
      completion.complete(dsl, tenant, entities, fields);
    }
  }
}
