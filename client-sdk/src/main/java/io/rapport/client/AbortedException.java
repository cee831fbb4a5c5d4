package io.rapport.client;

import org.jspecify.annotations.Nullable;

/** The call lost a conflict with another one and changed nothing: read again, then try again. */
public final class AbortedException extends RapportException {
  private static final long serialVersionUID = 1L;

  AbortedException(ErrorDetails details, @Nullable Throwable cause) {
    super(details, cause);
  }
}
