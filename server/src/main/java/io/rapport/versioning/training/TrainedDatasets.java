package io.rapport.versioning.training;

import io.rapport.platform.Change;
import java.time.Instant;
import java.util.UUID;
import java.util.function.Consumer;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/** Is told how trainings end, in the transactions that end them. */
public interface TrainedDatasets {
  /**
   * The dataset begins to count anew. The tenant's head is locked.
   *
   * @param manifest what the training had; null: its worker's choice
   * @param changes takes what is changed
   */
  void trained(
      DSLContext tx,
      UUID tenant,
      UUID dataset,
      @Nullable UUID manifest,
      Instant at,
      Consumer<Change> changes);

  /**
   * The training failed or was called off: if the dataset was ready, another is asked for when it
   * has more and is found to be good again. The tenant's head is locked.
   *
   * @param changes takes what is changed
   */
  void notTrained(DSLContext tx, UUID tenant, UUID dataset, Consumer<Change> changes);
}
