package io.rapport.platform.watch;

import java.util.Comparator;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A place in the order of a tenant's changes: after an entry of the log, or inside one that stands
 * for several events.
 *
 * @param event the last event that lies before the place; null: all of the entry does
 */
public record Place(long position, int ordinal, @Nullable UUID event) implements Comparable<Place> {
  private static final Comparator<UUID> UNSIGNED =
      Comparator.comparing(UUID::getMostSignificantBits, Long::compareUnsigned)
          .thenComparing(UUID::getLeastSignificantBits, Long::compareUnsigned);

  private static final Comparator<Place> ORDER =
      Comparator.comparingLong(Place::position)
          .thenComparingInt(Place::ordinal)
          .thenComparing(Place::event, Comparator.nullsLast(UNSIGNED));

  /** After all that a commit changed. */
  public static Place after(long position) {
    return new Place(position, Integer.MAX_VALUE, null);
  }

  /** Whether no change of its commit lies after it. */
  boolean endsCommit() {
    return ordinal == Integer.MAX_VALUE;
  }

  @Override
  public int compareTo(Place other) {
    return ORDER.compare(this, other);
  }
}
