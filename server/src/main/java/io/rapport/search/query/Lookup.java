package io.rapport.search.query;

import io.rapport.platform.resource.Sql;
import java.util.Collection;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What to look for among the entities of one kind.
 *
 * @param count how many to look for
 * @param wanted how many the caller wants of it
 * @param maxDistance how far away they may be
 * @param excluded those that are no hits
 * @param after where the page before ended
 * @param grouping which column groups, and how many of each value are wanted
 */
record Lookup(
    Source source,
    int count,
    int wanted,
    double maxDistance,
    Collection<UUID> excluded,
    @Nullable Place after,
    @Nullable Grouping grouping,
    boolean withText) {

  /** At most so many entities for each value of a column. */
  record Grouping(String column, int size) {}

  Kind kind() {
    return source.kind();
  }

  @Nullable String groupColumn() {
    return grouping == null ? null : grouping.column();
  }

  /** Without those that are no hits or were on pages before. */
  void appendRest(Sql sql, String distanceSql) {
    if (!excluded.isEmpty()) {
      sql.add(" AND e.id <> ALL (")
          .values(excluded.stream().map(UUID::toString).toArray(String[]::new), "uuid")
          .add(")");
    }
    if (after != null) {
      after.append(sql, kind(), distanceSql);
    }
  }

  Lookup wanting(int more) {
    return new Lookup(source, more, wanted, maxDistance, excluded, after, grouping, withText);
  }
}
