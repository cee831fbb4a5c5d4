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

  /** How a version did since an instant; empty if nobody measured it. */
  Optional<Figure> since(
      DSLContext dsl, UUID tenant, String modelType, String version, Instant from);
}
