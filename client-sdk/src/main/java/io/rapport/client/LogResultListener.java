package io.rapport.client;

import io.rapport.monitoring.v1.LogResult;

/** Is told what became of predictions that a {@link PredictionWriter} logged. */
@FunctionalInterface
public interface LogResultListener {
  /**
   * Called once for a prediction that was not simply recorded: a duplicate, a conflict, a refused
   * one, or one whose outcome was not recorded; in the order of writing and never by two threads at
   * once. The writer waits for it, so it must be quick, and it must not call the writer. What it
   * throws ends the writer.
   *
   * @param position how many predictions were logged before this one, as {@link
   *     PredictionWriter#log} told
   * @param result what became of it; its {@code index} is the place in the message, which says
   *     little
   */
  void decided(long position, LogResult result);
}
