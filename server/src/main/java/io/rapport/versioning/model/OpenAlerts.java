package io.rapport.versioning.model;

import java.util.UUID;
import org.jooq.DSLContext;

/** What promotions need to know of alerts. */
@FunctionalInterface
public interface OpenAlerts {
  /** How many critical alerts of a model type are open. */
  int critical(DSLContext dsl, UUID tenant, String modelType);
}
