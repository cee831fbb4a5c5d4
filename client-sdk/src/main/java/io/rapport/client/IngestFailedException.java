package io.rapport.client;

import java.util.List;

/**
 * An {@link EventWriter} gave up. The cause is the failure that made it: a {@link
 * RapportException}, or what a listener or the token's supplier threw. Code, reason and details are
 * the cause's.
 */
public final class IngestFailedException extends RapportException {
  private static final long serialVersionUID = 1L;

  private final transient List<String> undecided;

  IngestFailedException(ErrorDetails details, Throwable cause, List<String> undecided) {
    super(details, cause);
    this.undecided = List.copyOf(undecided);
  }

  /**
   * The ids of the events whose fate is not known, in the order in which they were written. They
   * may be sent again with the same ids.
   */
  public List<String> undecided() {
    return undecided;
  }
}
