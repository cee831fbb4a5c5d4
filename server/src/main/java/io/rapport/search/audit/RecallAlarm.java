package io.rapport.search.audit;

import io.rapport.platform.Change;
import java.util.List;
import java.util.UUID;
import org.jooq.DSLContext;

/** Where it is told that searches find too little. */
public interface RecallAlarm {
  /**
   * What is wrong.
   *
   * @param recall found of the neighbours that there are, 0 to 1
   * @param searches how many searches that is from
   */
  record Low(String kind, String model, double recall, double lowest, int searches) {}

  /** Tells it in the transaction; telling it again is no second alarm. Returns what changed. */
  List<Change> raise(DSLContext tx, UUID tenant, Low low);

  /** Says that it is over, if it was told. Returns what changed. */
  List<Change> clear(DSLContext tx, UUID tenant, String kind, String model);
}
