package io.rapport.platform.resource;

import static java.util.stream.Collectors.joining;

import com.google.protobuf.Message;
import io.rapport.platform.v1.UpsertOutcome.Result;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Entities that are to be there as they were sent, and the one statement that does it.
 *
 * <p>Rows that are there just so are found first, and neither written nor locked. The others are
 * added or changed in the order of their keys, so that batches of the same rows can't deadlock. A
 * row that another transaction changed meanwhile to what it shall be isn't decided: the statement
 * has to be run again for it.
 *
 * <p>A column that has a default is set in all of the items or in none: in a row that is added an
 * unset one would have its default, and couldn't be told from one that was sent.
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
  private UpsertBatch(Mapping mapping, UUID tenant, List<Item> items, @Nullable Fields mask) {
    this.mapping = mapping;
    this.tenant = tenant;
    this.items = items;
    this.masked = mask != null;
    this.inserted = new ArrayList<>(mapping.writable());
    inserted.removeIf(column -> !isSetInAny(column) && !(mask != null && mask.test(column.name())));
    this.updated = new ArrayList<>(mask == null ? inserted : mask.of(mapping.writable()));
    updated.removeIf(column -> column.isImmutable() || mapping.key().contains(column));
  }

  /** The batch in parts that a statement can do each: mostly one. */
  static List<UpsertBatch> parts(
      Mapping mapping, UUID tenant, List<Item> items, @Nullable Fields mask) {
    Map<BitSet, List<Item>> parts = new LinkedHashMap<>();
    List<Column> defaulted = new ArrayList<>(mapping.writable());
    defaulted.removeIf(column -> mask != null || column.standard() == null);
    for (Item item : items) {
      BitSet set = new BitSet(defaulted.size());
      for (int i = 0; i < defaulted.size(); i++) {
        set.set(i, defaulted.get(i).isSet(item.entity()));
      }
      parts.computeIfAbsent(set, key -> new ArrayList<>()).add(item);
    }
    return parts.values().stream()
        .map(part -> new UpsertBatch(mapping, tenant, part, mask))
        .toList();
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
    addFound(sql);
    addWritten(sql);
    String user = mapping.userColumn();
    sql.add(
        """
         SELECT CASE WHEN w.made THEN 1 WHEN w.id IS NOT NULL THEN 2
          WHEN NOT f.differs THEN 3 ELSE 0 END,
          COALESCE(w.id, f.old_id), COALESCE(w.revision, f.old_revision)\
        """);
    sql.add(user == null ? ", NULL" : ", COALESCE(w.about, f.old_about)");
    sql.add(" FROM found f LEFT JOIN written w ON ");
    sql.add(all(" AND ", it -> it.same("w." + it.lookup(), "f." + it.lookup())));
    return sql.add(" ORDER BY f.ordinal");
  }

  /** The items, with the rows that are there. */
  private void addFound(Sql sql) {
    sql.add(", found AS (SELECT i.*, t.id AS old_id, t.revision AS old_revision" + about("old_"));
    sql.add(", t.id IS NULL OR " + differ(this::wanted) + " AS differs");
    sql.add(" FROM input i LEFT JOIN " + mapping.table() + " t ON t.tenant_id = ");
    sql.value(tenant.toString(), "uuid");
    mapping.key().forEach(it -> sql.add(" AND " + it.same("t." + it.lookup(), "i." + it.lookup())));
    sql.add(")");
  }

  private void addWritten(Sql sql) {
    sql.add(", written AS (INSERT INTO " + mapping.table() + " AS t (tenant_id, id");
    inserted.forEach(it -> sql.add(", " + it.name()));
    sql.add(") SELECT ").value(tenant.toString(), "uuid").add(", f.id");
    inserted.forEach(it -> sql.add(", " + it.orStandard("f." + it.name())));
    sql.add(" FROM found f WHERE f.differs ORDER BY " + all(", ", it -> "f." + it.lookup()));
    sql.add(" ON CONFLICT (tenant_id, " + all(", ", Column::lookup) + ") DO ");
    if (updated.isEmpty()) {
      sql.add("NOTHING");
    } else {
      sql.add("UPDATE SET revision = t.revision + 1, last_updated_at = now()");
      updated.forEach(it -> sql.add(", " + it.name() + " = " + kept(it)));
      sql.add(" WHERE " + differ(this::kept));
    }
    sql.add(" RETURNING t.id, t.revision, t.xmax = 0 AS made" + about(""));
    sql.add(", " + all(", ", it -> "t." + it.lookup()) + ")");
  }

  private String differ(Function<Column, String> value) {
    return updated.isEmpty()
        ? "false"
        : RowStore.row(updated, it -> "t." + it.name())
            + " IS DISTINCT FROM "
            + RowStore.row(updated, value);
  }

  /** What a column shall be in a row that is there, by the item. */
  private String wanted(Column column) {
    return masked
        ? column.orStandard("i." + column.name())
        : "COALESCE(i.%1$s, t.%1$s)".formatted(column.name());
  }

  /** The same by the row that was to be added. */
  private String kept(Column column) {
    return masked
        ? "excluded." + column.name()
        : "COALESCE(excluded.%1$s, t.%1$s)".formatted(column.name());
  }

  private String all(String separator, Function<Column, String> text) {
    return mapping.key().stream().map(text).collect(joining(separator));
  }

  private String about(String prefix) {
    String user = mapping.userColumn();
    return user == null ? "" : ", t." + user + " AS " + prefix + "about";
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
}
