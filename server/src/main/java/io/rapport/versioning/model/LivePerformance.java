package io.rapport.versioning.model;

import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;

/** How versions do, as far as somebody else measures it. */
@FunctionalInterface
public interface LivePerformance {
  /** A performance, comparable with the version's baseline, and how many samples it rests on. */
  record Figure(double value, long samples) {}

  /**
   * What is asked.
   *
   * @param metric what the baseline is of
   * @param from the first instant that counts, or another of the same hour
   */
  record Question(String modelType, String version, String metric, Instant from) {}

  /** How a version did since an instant; empty if nobody measured that. */
  Optional<Figure> since(DSLContext dsl, UUID tenant, Question question);
}
