package io.rapport.client;

import org.jspecify.annotations.Nullable;

/**
 * The write was sent, and whether it was done is not known: the connection or the time was lost
 * before the answer came, or the service itself could not tell. Ask again with the same id; {@link
 * #code()} is that of the failure that hid the outcome.
 */
public final class UnknownOutcomeException extends RapportException {
  private static final long serialVersionUID = 1L;

  UnknownOutcomeException(ErrorDetails details, @Nullable Throwable cause) {
    super(details, cause);
  }
}
