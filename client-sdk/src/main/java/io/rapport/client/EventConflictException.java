package io.rapport.client;

import org.jspecify.annotations.Nullable;

/** Another event is recorded under the id of the one that was sent. Nothing changed. */
public final class EventConflictException extends AlreadyExistsException {
  private static final long serialVersionUID = 1L;

  EventConflictException(ErrorDetails details, @Nullable Throwable cause) {
    super(details, cause);
  }

  /** The digest of the event that is recorded, in hex; empty if the service did not tell. */
  public String recordedDigest() {
    return metadata().getOrDefault("recorded_digest", "");
  }

  /** The digest of the event that was sent, in hex; empty if the service did not tell. */
  public String sentDigest() {
    return metadata().getOrDefault("sent_digest", "");
  }
}
