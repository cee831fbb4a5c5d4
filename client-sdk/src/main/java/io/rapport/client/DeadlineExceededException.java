package io.rapport.client;

import org.jspecify.annotations.Nullable;

/**
 * The call's time was over before its work was done. Nothing was written: a write whose fate is
 * open is an {@link UnknownOutcomeException}.
 */
public final class DeadlineExceededException extends RapportException {
  private static final long serialVersionUID = 1L;

  DeadlineExceededException(ErrorDetails details, @Nullable Throwable cause) {
    super(details, cause);
  }
}
