package io.rapport.versioning.dataset;

import io.rapport.platform.Change;
import java.util.UUID;
import java.util.function.Consumer;
import org.jooq.DSLContext;

/** Is asked for a training when a dataset becomes ready for one. */
@FunctionalInterface
public interface TrainingRequests {
  /**
   * A dataset that became ready.
   *
   * @param type what it is for, such as the type of a model
   * @param dataCount how many events have come that no training has had
   * @param quality what the assessment found overall, 0 to 1
   */
  record Ready(UUID tenant, UUID id, String type, long dataCount, double quality) {}

  /**
   * Is called once each time, in the transaction that makes it ready and holds the tenant's head:
   * it must not lock rows that others lock before the head.
   *
   * @param changes takes what is changed, which is logged with the rest of the commit
   */
  void ready(DSLContext tx, Ready dataset, Consumer<Change> changes);
}
