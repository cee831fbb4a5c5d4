package io.rapport.db;

/** A process that uses a throw-away cluster, so that it can be killed. */
final class TemporaryProcess {
  private TemporaryProcess() {}

  /** Ends at once, or with the argument {@code stay} not by itself. */
  public static void main(String[] arguments) throws InterruptedException {
    LocalPostgres postgres = LocalPostgres.temporary(Durability.NONE);
    if (arguments.length > 0) {
      Thread.currentThread().join();
    }
    postgres.close();
  }
}
