package io.rapport.db;

/** Says that a database's schema is not the one that this build was made for. */
public final class SchemaMismatchException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  SchemaMismatchException(String message) {
    super(message);
  }
}
