package io.rapport.platform.resource;

import static io.rapport.db.generated.DefaultCatalog.DEFAULT_CATALOG;
import static java.util.stream.Collectors.joining;

import com.google.protobuf.Message;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.jooq.Schema;
import org.jooq.Table;
import org.jspecify.annotations.Nullable;

/** Rows of the table of one kind of entity. */
final class RowStore {
  /** Columns of a row before those of the entity: revision, id, what a list is ordered by. */
  private static final int LEADING = 3;

  private final Mapping mapping;
  private final Violations violations;
  private final String all;
  private final String byId;
  private final String byKey;

  RowStore(Mapping mapping) {
    this.mapping = mapping;
    this.violations = new Violations(mapping);
    this.all = columns(mapping.readable(), "NULL");
    this.byId = "SELECT " + all + " FROM " + mapping.table() + " t WHERE t.tenant_id = ";
    this.byKey =
        mapping.key().stream()
            .map(it -> " AND " + it.same("t." + it.lookup(), "?::" + it.codec().sqlType()))
            .collect(joining());
  }

  /** The table of a name such as {@code identity.users}. */
  static Optional<Table<?>> table(String name) {
    String[] parts = name.split("[.]", 2);
    Schema schema = DEFAULT_CATALOG.getSchema(parts[0]);
    return schema == null || parts.length < 2
        ? Optional.empty()
        : Optional.ofNullable(schema.getTable(parts[1]));
  }

  private static String columns(List<Column> columns, String position) {
    return "t.revision, t.id, "
        + position
        + columns.stream().map(it -> ", t." + it.name()).collect(joining());
  }

  Optional<Row> find(Connection db, UUID tenant, String id, Fields fields) throws SQLException {
    return one(db, at(byId(fields), tenant, id), fields);
  }

  /** The entity with this natural key; its parts as the columns are looked up. */
  Optional<Row> findByKey(Connection db, UUID tenant, List<@Nullable String> key, Fields fields)
      throws SQLException {
    Sql sql = new Sql(byId(fields)).value(tenant.toString(), "uuid");
    return one(db, sql.raw(byKey, key), fields);
  }

  /** The entity, which nobody else changes until the transaction ends. */
  Optional<Row> lock(Connection db, UUID tenant, String id) throws SQLException {
    return one(db, at(byId, tenant, id).add(" FOR NO KEY UPDATE"), Fields.ALL);
  }

  List<Row> findAll(Connection db, UUID tenant, List<String> ids, Fields fields)
      throws SQLException {
    Sql sql =
        new Sql(byId(fields))
            .value(tenant.toString(), "uuid")
            .add(" AND t.id = ANY (")
            .values(ids.toArray(String[]::new), "uuid")
            .add(")");
    return rows(db, sql, fields);
  }

  private String byId(Fields fields) {
    return fields.names() == null
        ? byId
        : "SELECT "
            + columns(fields.of(mapping.readable()), "NULL")
            + " FROM "
            + mapping.table()
            + " t WHERE t.tenant_id = ";
  }

  private static Sql at(String text, UUID tenant, String id) {
    return new Sql(text).value(tenant.toString(), "uuid").add(" AND t.id = ").value(id, "uuid");
  }

  /** A page, and one row more if there are more. */
  List<Row> list(Connection db, UUID tenant, Listing listing, Fields fields) throws SQLException {
    Sql sql =
        new Sql("SELECT " + columns(fields.of(mapping.readable()), listing.position()))
            .add(" FROM " + mapping.table() + " t WHERE t.tenant_id = ")
            .value(tenant.toString(), "uuid");
    listing.appendTo(sql);
    return rows(db, sql, fields);
  }

  Row insert(Connection db, UUID tenant, String id, Message entity, String path)
      throws SQLException {
    List<Column> columns = mapping.writable();
    Sql sql =
        new Sql("INSERT INTO " + mapping.table() + " AS t (tenant_id, id")
            .add(columns.stream().map(it -> ", " + it.name()).collect(joining()))
            .add(") VALUES (")
            .value(tenant.toString(), "uuid")
            .add(", ")
            .value(id, "uuid");
    for (Column column : columns) {
      sql.add(", ");
      standardValue(sql, column, column.wholeText(entity, path));
    }
    sql.add(") RETURNING " + all);
    return write(db, sql, path).orElseThrow();
  }

  private static void standardValue(Sql sql, Column column, @Nullable String text) {
    String type = column.codec().sqlType();
    if (text != null || column.standard() == null) {
      sql.value(text, type);
    } else {
      sql.add(column.standard());
    }
  }

  /** Sets columns to what the entity has; empty if they have it already. */
  Optional<Row> update(
      Connection db, UUID tenant, String id, List<Column> columns, Message entity, String path)
      throws SQLException {
    if (columns.isEmpty()) {
      return Optional.empty();
    }
    Sql sql = new Sql("UPDATE " + mapping.table() + " t SET revision = t.revision + 1");
    sql.add(", last_updated_at = now()");
    columns.forEach(it -> sql.add(", " + it.name() + " = i." + it.name()));
    sql.add(" FROM (SELECT ");
    String comma = "";
    for (Column column : columns) {
      sql.add(comma);
      standardValue(sql, column, column.wholeText(entity, path));
      sql.add(" AS " + column.name());
      comma = ", ";
    }
    sql.add(") i WHERE t.tenant_id = ").value(tenant.toString(), "uuid");
    sql.add(" AND t.id = ").value(id, "uuid");
    sql.add(" AND " + row(columns, it -> "t." + it.name()));
    sql.add(" IS DISTINCT FROM " + row(columns, it -> "i." + it.name()));
    return write(db, sql.add(" RETURNING " + all), path);
  }

  static String row(List<Column> columns, Function<Column, String> value) {
    return columns.stream().map(value).collect(joining(", ", "ROW(", ")"));
  }

  /** Makes an entity inactive; empty if it is already. */
  Optional<Row> deactivate(Connection db, UUID tenant, String id) throws SQLException {
    String text =
        "UPDATE "
            + mapping.table()
            + " t SET active = false, revision = t.revision + 1, last_updated_at = now()"
            + " WHERE t.active AND t.tenant_id = ";
    Sql sql = at(text, tenant, id).add(" RETURNING " + all);
    return write(db, sql, mapping.noun());
  }

  void delete(Connection db, UUID tenant, String id) throws SQLException {
    String text = "DELETE FROM " + mapping.table() + " t WHERE t.tenant_id = ";
    Sql sql = at(text, tenant, id).add(" RETURNING " + all);
    write(db, sql, mapping.noun());
  }

  /**
   * What was done with each item, in their order; null where another transaction was first. If a
   * constraint refuses one of many, nothing is done, and the one is found by halves.
   */
  List<UpsertBatch.@Nullable Done> upsert(Connection db, UpsertBatch batch) throws SQLException {
    Savepoint before = batch.items().size() > 1 ? db.setSavepoint() : null;
    try {
      List<UpsertBatch.@Nullable Done> done = run(db, batch);
      if (before != null) {
        db.releaseSavepoint(before);
      }
      return done;
    } catch (SQLException e) {
      if (before == null || !Violations.isOfARow(e)) {
        throw violations.translate(e, batch.items().getFirst().path());
      }
      db.rollback(before);
      int half = batch.items().size() / 2;
      upsert(db, batch.only(batch.items().subList(0, half)));
      upsert(db, batch.only(batch.items().subList(half, batch.items().size())));
      throw violations.translate(e, mapping.noun());
    }
  }

  private static List<UpsertBatch.@Nullable Done> run(Connection db, UpsertBatch batch)
      throws SQLException {
    try (PreparedStatement statement = prepared(db, batch.sql());
        ResultSet rows = statement.executeQuery()) {
      List<UpsertBatch.@Nullable Done> done = new ArrayList<>();
      while (rows.next()) {
        done.add(UpsertBatch.Done.of(rows));
      }
      return done;
    }
  }

  private Optional<Row> one(Connection db, Sql sql, Fields fields) throws SQLException {
    return rows(db, sql, fields).stream().findFirst();
  }

  private Optional<Row> write(Connection db, Sql sql, String path) throws SQLException {
    try {
      return one(db, sql, Fields.ALL);
    } catch (SQLException e) {
      throw violations.translate(e, path);
    }
  }

  private List<Row> rows(Connection db, Sql sql, Fields fields) throws SQLException {
    List<Column> columns = fields.of(mapping.readable());
    try (PreparedStatement statement = prepared(db, sql);
        ResultSet rows = statement.executeQuery()) {
      List<Row> read = new ArrayList<>();
      while (rows.next()) {
        read.add(row(rows, columns, fields));
      }
      return read;
    }
  }

  private static PreparedStatement prepared(Connection db, Sql sql) throws SQLException {
    PreparedStatement statement = db.prepareStatement(sql.text());
    sql.bind(statement, db);
    return statement;
  }

  private Row row(ResultSet rows, List<Column> columns, Fields fields) throws SQLException {
    Message.Builder entity = mapping.prototype().newBuilderForType();
    long revision = rows.getLong(1);
    if (fields.test(Mapping.ETAG)) {
      mapping.setEtag(entity, revision);
    }
    for (int i = 0; i < columns.size(); i++) {
      columns.get(i).read(rows, LEADING + 1 + i, entity);
    }
    return new Row(entity, rows.getString(2), revision, rows.getString(LEADING));
  }
}
