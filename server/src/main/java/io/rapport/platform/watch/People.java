package io.rapport.platform.watch;

import java.util.Set;
import java.util.UUID;
import org.jooq.DSLContext;

/** Knows which users are one person. */
public interface People {
  /** The user and all that are aliases of the same one. */
  Set<UUID> person(DSLContext dsl, UUID tenant, UUID user);

  /** Whether a change of this kind may change who is one person. */
  boolean mayChange(String kind, String op);
}
