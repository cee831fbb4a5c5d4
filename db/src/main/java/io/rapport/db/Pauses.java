package io.rapport.db;

/** The pause between two tries. */
final class Pauses {
  private static final long MILLIS = 100;

  private Pauses() {}

  static void pause() {
    try {
      Thread.sleep(MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new MigrationException("interrupted", e);
    }
  }
}
