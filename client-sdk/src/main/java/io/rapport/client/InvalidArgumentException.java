package io.rapport.client;

import org.jspecify.annotations.Nullable;

/**
 * The request alone is wrong: change it before it is sent again. {@link #fieldViolations()} names
 * each field and rule.
 */
public final class InvalidArgumentException extends RapportException {
  private static final long serialVersionUID = 1L;

  InvalidArgumentException(ErrorDetails details, @Nullable Throwable cause) {
    super(details, cause);
  }
}
