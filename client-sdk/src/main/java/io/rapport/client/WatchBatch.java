package io.rapport.client;

import java.util.List;

/**
 * What a {@link Watch} tells at once.
 *
 * @param items in the order of the commits; none in a checkpoint
 * @param cursor where the batch ends: a watch that starts after it goes on with the next item. To
 *     be stored when all items are dealt with.
 * @param initialStateDone the initial state is complete; what follows has changed since
 */
public record WatchBatch<T>(List<T> items, String cursor, boolean initialStateDone) {
  /** Copies the items. */
  public WatchBatch {
    items = List.copyOf(items);
  }
}
