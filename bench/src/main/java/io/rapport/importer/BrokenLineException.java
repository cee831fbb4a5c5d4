package io.rapport.importer;

/** A line that is not an event; the message says why. */
final class BrokenLineException extends Exception {
  private static final long serialVersionUID = 1L;

  BrokenLineException(String message) {
    super(message);
  }
}
