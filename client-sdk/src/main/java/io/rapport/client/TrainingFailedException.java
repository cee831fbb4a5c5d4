package io.rapport.client;

/** Thrown by a {@link Trainer} that can't train a model. */
public final class TrainingFailedException extends Exception {
  private static final long serialVersionUID = 1L;

  private final boolean retryable;

  /**
   * @param reason at most 2,000 characters are kept
   * @param retryable whether another attempt may succeed
   */
  public TrainingFailedException(String reason, boolean retryable) {
    super(reason);
    this.retryable = retryable;
  }

  /** Whether another attempt may succeed. */
  public boolean isRetryable() {
    return retryable;
  }
}
