package io.rapport.search.query;

import io.rapport.platform.resource.EntityTable;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A kind of entity that can be found.
 *
 * @param right what its readers hold
 * @param rows the table with its entities, as SQL; null if they have no revisions that can be read
 * @param table the same, if it can be filtered
 * @param entities null if they can't be shown
 * @param shared whether its entities are every tenant's
 */
record Kind(
    String name,
    String right,
    @Nullable String rows,
    @Nullable EntityTable table,
    @Nullable Entities entities,
    boolean shared)
    implements Comparable<Kind> {
  private static final UUID NOBODY = new UUID(0, 0);

  static Kind of(EntityTable table) {
    String area = table.kind().substring(0, table.kind().indexOf('.'));
    return new Kind(table.kind(), area + ".read", table.name(), table, table::read, false);
  }

  /** What its own service calls it, such as {@code issue}. */
  String noun() {
    return name.substring(name.indexOf('.') + 1);
  }

  /** The tenant under which a tenant finds its entities. */
  UUID owner(UUID tenant) {
    return shared ? NOBODY : tenant;
  }

  /** As SQL: one partition is planned only if its name is known by then. */
  String literal() {
    return "'" + name + "'";
  }

  @Override
  public int compareTo(Kind other) {
    return name.compareTo(other.name);
  }
}
