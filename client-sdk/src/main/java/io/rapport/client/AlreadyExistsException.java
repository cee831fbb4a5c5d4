package io.rapport.client;

import org.jspecify.annotations.Nullable;

/** Something with this id or name is there already, and it is not the same. */
public sealed class AlreadyExistsException extends RapportException permits EventConflictException {
  private static final long serialVersionUID = 1L;

  AlreadyExistsException(ErrorDetails details, @Nullable Throwable cause) {
    super(details, cause);
  }
}
