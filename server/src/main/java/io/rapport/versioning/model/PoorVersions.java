package io.rapport.versioning.model;

import io.rapport.platform.Change;
import java.util.UUID;
import java.util.function.Consumer;
import org.jooq.DSLContext;

/** Is told of active versions that do too badly while there is none to return to. */
@FunctionalInterface
public interface PoorVersions {
  /**
   * A version.
   *
   * @param reason how badly it does
   */
  record Poor(String modelType, String version, String reason) {}

  /**
   * Somebody should know of it. The tenant's head is not locked yet.
   *
   * @param changes takes what is changed
   */
  void found(DSLContext tx, UUID tenant, Poor poor, Consumer<Change> changes);
}
