package io.rapport.platform.resource;

import com.google.protobuf.FieldMask;
import io.rapport.platform.Masks;
import java.util.ArrayList;
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

  /** The fields that a read mask names; all if it is empty. */
  static Fields read(FieldMask mask, Mapping mapping) {
    return read(mask, mapping, "read_mask");
  }

  /**
   * The same.
   *
   * @param path where the mask stands in the request
   */
  static Fields read(FieldMask mask, Mapping mapping, String path) {
    return mask.getPathsCount() == 0 ? ALL : named(mask, mapping, path);
  }

  /** The fields that an update mask names. */
  static Fields update(FieldMask mask, Mapping mapping) {
    return named(mask, mapping, "update_mask");
  }

  private static Fields named(FieldMask mask, Mapping mapping, String path) {
    return Masks.isEvery(mask)
        ? ALL
        : new Fields(Masks.names(mask, mapping.prototype().getDescriptorForType(), path));
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
