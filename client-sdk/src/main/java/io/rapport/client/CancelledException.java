package io.rapport.client;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/** The caller gave up: its thread was interrupted or its context was cancelled. */
public final class CancelledException extends RapportException {
  private static final long serialVersionUID = 1L;

  CancelledException(ErrorDetails details, @Nullable Throwable cause) {
    super(details, cause);
  }

  /** For a thread that stays interrupted. */
  static CancelledException interrupted(InterruptedException stop) {
    Thread.currentThread().interrupt();
    return new CancelledException(
        ErrorDetails.local(Status.Code.CANCELLED, "The thread was interrupted."), stop);
  }
}
