package io.rapport.platform.resource;

import static java.util.stream.Collectors.joining;

import com.google.protobuf.Message;
import io.rapport.platform.v1.UpsertOutcome.Result;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Entities that are to be there as they were sent, and the one statement that does it.
 *
 * <p>Rows that are there and differ are locked in the order of their ids, then changed; rows that
 * aren't there are added in the order of their keys. A row that another transaction adds or changes
 * meanwhile is left alone, and the statement has to be run again for it.
 */
final class UpsertBatch {
  private final Mapping mapping;
  private final UUID tenant;
  private final List<Item> items;
  private final boolean masked;
  private final List<Column> inserted;
  private final List<Column> updated;

  /**
   * An entity, and the id that it gets if it is new.
   *
   * @param path where it stands in the request
   */
  record Item(Message entity, String id, String path) {}

  /**
   * What was done.
   *
   * @param user whom the entity is about
   */
  record Done(Result result, String id, long revision, @Nullable UUID user) {
    /** Null if it has to be done again. */
    static @Nullable Done of(ResultSet row) throws SQLException {
      Result result = Result.forNumber(row.getInt(1));
      String user = row.getString(4);
      return result == null || result == Result.RESULT_UNSPECIFIED
          ? null
          : new Done(
              result,
              row.getString(2),
              row.getLong(3),
              user == null ? null : UUID.fromString(user));
    }
  }

  /**
   * @param mask the fields to change of rows that are there; null: those that are set in the item
   */
  UpsertBatch(Mapping mapping, UUID tenant, List<Item> items, @Nullable Fields mask) {
    this.mapping = mapping;
    this.tenant = tenant;
    this.items = items;
    this.masked = mask != null;
    this.inserted = new ArrayList<>(mapping.writable());
    inserted.removeIf(column -> !isSetInAny(column) && !(mask != null && mask.test(column.name())));
    this.updated = new ArrayList<>(mask == null ? inserted : mask.of(mapping.writable()));
    updated.removeIf(column -> column.isImmutable() || mapping.key().contains(column));
  }

  /** The same for some of the items. */
  private UpsertBatch(UpsertBatch batch, List<Item> items) {
    this.mapping = batch.mapping;
    this.tenant = batch.tenant;
    this.items = items;
    this.masked = batch.masked;
    this.inserted = batch.inserted;
    this.updated = batch.updated;
  }

  UpsertBatch only(List<Item> some) {
    return new UpsertBatch(this, some);
  }

  List<Item> items() {
    return items;
  }

  private boolean isSetInAny(Column column) {
    return mapping.key().contains(column)
        || items.stream().anyMatch(item -> column.isSet(item.entity()));
  }

  Sql sql() {
    Sql sql = input();
    String differ =
        updated.isEmpty()
            ? "false"
            : RowStore.row(updated, it -> "t." + it.name())
                + " IS DISTINCT FROM "
                + RowStore.row(updated, this::changed);
    String names = inserted.stream().map(it -> ", " + it.name()).collect(joining());
    sql.add(
        ", differing AS (SELECT i.ordinal, t.id FROM input i JOIN " + mapping.table() + " t ON ");
    sameKey(sql);
    sql.add(" WHERE " + differ + " ORDER BY t.id FOR NO KEY UPDATE OF t)");
    sql.add(", updated AS (UPDATE " + mapping.table() + " t SET revision = t.revision + 1");
    sql.add(", last_updated_at = now()");
    updated.forEach(it -> sql.add(", " + it.name() + " = " + changed(it)));
    sql.add(" FROM differing d JOIN input i ON i.ordinal = d.ordinal WHERE t.tenant_id = ");
    sql.value(tenant.toString(), "uuid").add(" AND t.id = d.id AND " + differ);
    sql.add(" RETURNING i.ordinal, t.id, t.revision" + user() + ")");
    sql.add(", inserted AS (INSERT INTO " + mapping.table() + " AS t (tenant_id, id" + names);
    sql.add(") SELECT ").value(tenant.toString(), "uuid").add(", i.id");
    inserted.forEach(it -> sql.add(", " + it.orStandard("i." + it.name())));
    sql.add(" FROM input i WHERE NOT EXISTS (SELECT FROM " + mapping.table() + " t WHERE ");
    sameKey(sql);
    sql.add(") ORDER BY " + keys(it -> "i." + it.lookup()));
    sql.add(" ON CONFLICT (tenant_id, " + keys(Column::lookup) + ") DO NOTHING");
    sql.add(" RETURNING t.id, t.revision" + user() + ")");
    sql.add(
        """
         SELECT CASE WHEN n.id IS NOT NULL THEN 1 WHEN u.id IS NOT NULL THEN 2
          WHEN t.id IS NOT NULL AND d.id IS NULL THEN 3 ELSE 0 END,
          COALESCE(n.id, u.id, t.id), COALESCE(n.revision, u.revision, t.revision)\
        """);
    String user = mapping.userColumn();
    sql.add(user == null ? ", NULL" : ", COALESCE(n.%1$s, u.%1$s, t.%1$s)".formatted(user));
    sql.add(" FROM input i LEFT JOIN inserted n ON n.id = i.id");
    sql.add(" LEFT JOIN updated u ON u.ordinal = i.ordinal");
    sql.add(" LEFT JOIN differing d ON d.ordinal = i.ordinal");
    sql.add(" LEFT JOIN " + mapping.table() + " t ON ");
    sameKey(sql);
    return sql.add(" ORDER BY i.ordinal");
  }

  /** The items as rows. */
  private Sql input() {
    Sql sql = new Sql("WITH input AS (SELECT i.ordinal, i.id");
    List<Column> folded = mapping.key().stream().filter(Column::isFolded).toList();
    inserted.forEach(
        it -> sql.add(", i." + it.name() + (isArray(it) ? "::text[] AS " + it.name() : "")));
    folded.forEach(it -> sql.add(", i." + it.lookup()));
    sql.add(" FROM unnest(").values(texts(Item::id), "uuid");
    for (Column column : inserted) {
      String type = isArray(column) ? "text" : column.codec().sqlType();
      sql.add(", ").values(texts(it -> text(column, it)), type);
    }
    for (Column column : folded) {
      sql.add(", ").values(texts(it -> keyText(column, it)), "text");
    }
    sql.add(") WITH ORDINALITY AS i (id");
    inserted.forEach(it -> sql.add(", " + it.name()));
    folded.forEach(it -> sql.add(", " + it.lookup()));
    return sql.add(", ordinal))");
  }

  private static boolean isArray(Column column) {
    return column.field().isRepeated();
  }

  private @Nullable String text(Column column, Item item) {
    return masked
        ? column.wholeText(item.entity(), item.path())
        : column.text(item.entity(), item.path());
  }

  private static @Nullable String keyText(Column column, Item item) {
    String text = column.text(item.entity(), item.path());
    return text == null ? null : column.folded(text);
  }

  private @Nullable String[] texts(Function<Item, @Nullable String> value) {
    @Nullable String[] texts = new @Nullable String[items.size()];
    for (int i = 0; i < texts.length; i++) {
      texts[i] = value.apply(items.get(i));
    }
    return texts;
  }

  /** What a column is changed to in a row that is there. */
  private String changed(Column column) {
    String sent = "i." + column.name();
    return masked ? column.orStandard(sent) : "COALESCE(" + sent + ", t." + column.name() + ")";
  }

  private void sameKey(Sql sql) {
    sql.add("t.tenant_id = ").value(tenant.toString(), "uuid");
    mapping.key().forEach(it -> sql.add(" AND t." + it.lookup() + " = i." + it.lookup()));
  }

  private String keys(Function<Column, String> name) {
    return mapping.key().stream().map(name).collect(joining(", "));
  }

  private String user() {
    return mapping.userColumn() == null || mapping.userColumn().equals(Mapping.ID)
        ? ""
        : ", t." + mapping.userColumn();
  }
}
