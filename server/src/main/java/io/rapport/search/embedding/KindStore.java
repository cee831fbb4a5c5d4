package io.rapport.search.embedding;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/** Which kinds of entities have texts, from PostgreSQL's catalog: what migrations have attached. */
final class KindStore {
  private static final String NOBODY = "00000000-0000-0000-0000-000000000000";

  /** What the text of a row, r, is made of. */
  private static final Pattern COLUMN = Pattern.compile("btrim\\(r\\.\"?(\\w+)\"?::text\\)");

  private static final String KINDS =
      """
      SELECT (regexp_match(pg_get_expr(c.relpartbound, c.oid), '''([^'']+)'''))[1], p.prosrc
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        LEFT JOIN pg_proc p ON p.pronamespace = 'search'::regnamespace
          AND p.proname = regexp_replace(c.relname, '_documents$', '_inserted')
       WHERE i.inhparent = 'search.documents'::regclass
      """;

  /**
   * A kind.
   *
   * @param textFields the columns that its text is made of; none if it is made otherwise
   * @param global no tenant owns its entities
   */
  record Kind(String name, List<String> textFields, boolean global) {}

  /** All kinds, by their names, in order. */
  Map<String, Kind> load(DSLContext dsl) {
    Map<String, Kind> kinds = new TreeMap<>();
    dsl.fetch(KINDS)
        .forEach(row -> {
          Kind kind = kind(row.get(0, String.class), row.get(1, String.class));
          kinds.put(kind.name(), kind);
        });
    return kinds;
  }

  private static Kind kind(String name, @Nullable String trigger) {
    String source = trigger == null ? "" : trigger;
    List<String> fields = new ArrayList<>();
    Matcher column = COLUMN.matcher(source);
    while (column.find()) {
      if (!fields.contains(column.group(1))) { // the text stands there twice
        fields.add(column.group(1));
      }
    }
    return new Kind(name, List.copyOf(fields), source.contains(NOBODY));
  }
}
