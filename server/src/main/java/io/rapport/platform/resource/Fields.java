package io.rapport.platform.resource;

import com.google.protobuf.FieldMask;
import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Fields that a caller names by a mask.
 *
 * @param names null: all
 */
record Fields(@Nullable Set<String> names) implements Predicate<String> {
  static final Fields ALL = new Fields(null);

  private static final String EVERY = "*";

  /** The fields that a read mask names; all if it is empty. */
  static Fields read(FieldMask mask, Mapping mapping) {
    return mask.getPathsCount() == 0 ? ALL : named(mask, mapping, "read_mask");
  }

  /** The fields that an update mask names. */
  static Fields update(FieldMask mask, Mapping mapping) {
    return named(mask, mapping, "update_mask");
  }

  private static Fields named(FieldMask mask, Mapping mapping, String path) {
    List<String> paths = mask.getPathsList();
    if (paths.equals(List.of(EVERY))) {
      return ALL;
    }
    for (int i = 0; i < paths.size(); i++) {
      if (!mapping.hasField(paths.get(i))) {
        throw ServiceException.invalid(
            path + ".paths[" + i + "]",
            ErrorReason.INVALID_FIELD,
            "names no field of " + mapping.noun());
      }
    }
    return new Fields(new HashSet<>(paths));
  }

  @Override
  public boolean test(String field) {
    return names == null || names.contains(field);
  }

  /** Those of the columns that are named. */
  List<Column> of(List<Column> columns) {
    List<Column> named = new ArrayList<>(columns);
    named.removeIf(column -> !test(column.name()));
    return named;
  }
}
