package io.rapport.versioning.model;

import java.util.UUID;
import org.jooq.DSLContext;

/** Is told of versions that are no longer active, in the transaction that replaces them. */
@FunctionalInterface
public interface SupersededModels {
  /**
   * What was computed by the version is out of date. The tenant's head is locked.
   *
   * @param position the commit's number
   * @param by who replaced it
   */
  void superseded(
      DSLContext tx, UUID tenant, String modelType, String version, long position, String by);
}
