package io.rapport.search.query;

import com.google.protobuf.Duration;
import io.rapport.search.v1.SearchExplanation;
import java.sql.SQLException;

/** What a search did, for those who want it explained. */
final class Steps {
  private final SearchExplanation.Builder told;

  Steps(int exactUpTo, int effort) {
    told = SearchExplanation.newBuilder().setExactUpTo(exactUpTo).setEffort(effort);
  }

  /** Something that takes a while. */
  interface Work<T> {
    T run() throws SQLException;
  }

  <T> T timed(String kind, String step, String reason, Work<T> work) throws SQLException {
    long start = System.nanoTime();
    T result = work.run();
    long took = System.nanoTime() - start;
    told.addSteps(
        SearchExplanation.Step.newBuilder()
            .setKind(kind)
            .setStep(step)
            .setReason(reason)
            .setTook(
                Duration.newBuilder()
                    .setSeconds(took / 1_000_000_000)
                    .setNanos((int) (took % 1_000_000_000))));
    return result;
  }

  SearchExplanation told() {
    return told.build();
  }
}
