package io.rapport.client;

import org.jspecify.annotations.Nullable;

/** The token lacks the right that the call needs. */
public final class PermissionDeniedException extends RapportException {
  private static final long serialVersionUID = 1L;

  PermissionDeniedException(ErrorDetails details, @Nullable Throwable cause) {
    super(details, cause);
  }
}
