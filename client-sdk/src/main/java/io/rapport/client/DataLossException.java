package io.rapport.client;

import org.jspecify.annotations.Nullable;

/** The service found its stored data damaged. */
public final class DataLossException extends RapportException {
  private static final long serialVersionUID = 1L;

  DataLossException(ErrorDetails details, @Nullable Throwable cause) {
    super(details, cause);
  }
}
