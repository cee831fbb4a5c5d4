package io.rapport.platform.watch;

/** What comes after a place is no longer kept. */
final class NoLongerKeptException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final long trimmed;

  NoLongerKeptException(long trimmed) {
    super("no longer kept up to " + trimmed, null, false, false);
    this.trimmed = trimmed;
  }

  /** The last commit that is no longer kept. */
  long trimmed() {
    return trimmed;
  }
}
