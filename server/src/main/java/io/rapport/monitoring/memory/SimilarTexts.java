package io.rapport.monitoring.memory;

import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** Tells which entities' texts mean something like another text. */
@FunctionalInterface
public interface SimilarTexts {
  /**
   * The entities of a kind with their cosines, the most alike first; empty if this can't be told.
   */
  Optional<Map<UUID, Double>> nearest(UUID tenant, String kind, String text, int count);
}
