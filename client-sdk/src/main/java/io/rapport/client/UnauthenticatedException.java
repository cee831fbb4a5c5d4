package io.rapport.client;

import org.jspecify.annotations.Nullable;

/** The call carried no token, or one that the service does not take: get a new one. */
public final class UnauthenticatedException extends RapportException {
  private static final long serialVersionUID = 1L;

  UnauthenticatedException(ErrorDetails details, @Nullable Throwable cause) {
    super(details, cause);
  }
}
