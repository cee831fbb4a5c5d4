package io.rapport.search.query;

import com.google.protobuf.Duration;
import io.rapport.search.v1.SearchExplanation;

/** What a search did, for those who want it explained. */
final class Steps {
  private final SearchExplanation.Builder told =
      SearchExplanation.newBuilder().setExactUpTo(MeaningSearch.FEW);

  /** That the graph keeps so many candidates at a time. */
  void effort(int effort) {
    told.setEffort(Math.max(told.getEffort(), effort));
  }

  /** Something that takes a while. */
  interface Work<T, X extends Exception> {
    T run() throws X;
  }

  <T, X extends Exception> T timed(String kind, String step, String reason, Work<T, X> work)
      throws X {
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
