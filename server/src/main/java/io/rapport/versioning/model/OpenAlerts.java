package io.rapport.versioning.model;

import java.util.List;
import java.util.UUID;
import org.jooq.DSLContext;

/** What promotions need to know of alerts. */
@FunctionalInterface
public interface OpenAlerts {
  /** The ids of the critical alerts of a model type that are open; few suffice. */
  List<UUID> critical(DSLContext dsl, UUID tenant, String modelType);
}
