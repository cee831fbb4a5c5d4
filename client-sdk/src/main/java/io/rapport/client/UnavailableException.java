package io.rapport.client;

import org.jspecify.annotations.Nullable;

/**
 * The service could not be reached or does all it can, and nothing was done: try again later, after
 * {@link #retryDelay()} if it is there.
 */
public final class UnavailableException extends RapportException {
  private static final long serialVersionUID = 1L;

  UnavailableException(ErrorDetails details, @Nullable Throwable cause) {
    super(details, cause);
  }
}
