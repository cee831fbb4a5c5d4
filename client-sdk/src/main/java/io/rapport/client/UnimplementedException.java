package io.rapport.client;

import org.jspecify.annotations.Nullable;

/** The service has no such call; it is older or newer than this SDK. */
public final class UnimplementedException extends RapportException {
  private static final long serialVersionUID = 1L;

  UnimplementedException(ErrorDetails details, @Nullable Throwable cause) {
    super(details, cause);
  }
}
