package io.rapport.client;

import org.jspecify.annotations.Nullable;

/** Nothing with this id is there, or it belongs to another tenant. */
public final class NotFoundException extends RapportException {
  private static final long serialVersionUID = 1L;

  NotFoundException(ErrorDetails details, @Nullable Throwable cause) {
    super(details, cause);
  }
}
