package io.rapport.client;

import org.jspecify.annotations.Nullable;

/**
 * A limit is reached: the message is too large, or the service has no room. Nothing was written.
 */
public final class ResourceExhaustedException extends RapportException {
  private static final long serialVersionUID = 1L;

  ResourceExhaustedException(ErrorDetails details, @Nullable Throwable cause) {
    super(details, cause);
  }
}
