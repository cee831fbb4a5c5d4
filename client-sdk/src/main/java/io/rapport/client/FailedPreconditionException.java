package io.rapport.client;

import org.jspecify.annotations.Nullable;

/** The state of the service's data forbids the call; {@link #reason()} says which. */
public final class FailedPreconditionException extends RapportException {
  private static final long serialVersionUID = 1L;

  FailedPreconditionException(ErrorDetails details, @Nullable Throwable cause) {
    super(details, cause);
  }
}
