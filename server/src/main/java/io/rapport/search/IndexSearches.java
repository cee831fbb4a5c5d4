package io.rapport.search;

import java.util.UUID;

/** Is told of searches that went by an index, so that some of them can be audited. */
@FunctionalInterface
public interface IndexSearches {
  /** For searches that nobody wants to know of. */
  IndexSearches IGNORED = (tenant, kind, model, vector, neighbours) -> {};

  /**
   * Called after a search; never blocks.
   *
   * @param vector what was searched for; not changed afterwards
   * @param neighbours how many neighbours it was for
   */
  void searched(UUID tenant, String kind, String model, float[] vector, int neighbours);
}
