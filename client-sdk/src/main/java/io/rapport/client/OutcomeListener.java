package io.rapport.client;

import io.rapport.tracking.v1.EventOutcome;

/** Is told what became of events that an {@link EventWriter} wrote. */
@FunctionalInterface
public interface OutcomeListener {
  /**
   * Called once for an event, in the order of writing and never by two threads at once. The writer
   * waits for it, so it must be quick, and it must not call the writer. What it throws ends the
   * writer.
   *
   * @param position how many events were written before this one, as {@link EventWriter#write} told
   * @param outcome what became of it; its {@code index} is the place in the message, which says
   *     little
   */
  void decided(long position, EventOutcome outcome);
}
