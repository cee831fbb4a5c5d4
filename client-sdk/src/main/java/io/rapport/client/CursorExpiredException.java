package io.rapport.client;

import org.jspecify.annotations.Nullable;

/**
 * What comes after a watch's cursor is no longer kept, so it can't go on without a gap. Begin anew
 * with the initial state, or accept the gap and begin after {@link #oldestCursor()}.
 */
public final class CursorExpiredException extends RapportException {
  private static final long serialVersionUID = 1L;

  CursorExpiredException(ErrorDetails details, @Nullable Throwable cause) {
    super(details, cause);
  }

  /** The oldest cursor that a watch can start after; empty if the service did not tell. */
  public String oldestCursor() {
    return metadata().getOrDefault("oldest_cursor", "");
  }
}
