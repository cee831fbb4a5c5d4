package io.rapport.caching;

import java.util.UUID;
import org.jooq.DSLContext;

/** Knows whom entries may be about. */
@FunctionalInterface
interface People {
  /** Refuses a user who isn't there. */
  void require(DSLContext dsl, UUID tenant, UUID user);
}
