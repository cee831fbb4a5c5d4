package io.rapport.client;

import org.jspecify.annotations.Nullable;

/**
 * A fault of the service or of the transport. {@code metadata().get("incident")}, if it is there,
 * finds it in the service's log.
 */
public final class InternalException extends RapportException {
  private static final long serialVersionUID = 1L;

  InternalException(ErrorDetails details, @Nullable Throwable cause) {
    super(details, cause);
  }
}
