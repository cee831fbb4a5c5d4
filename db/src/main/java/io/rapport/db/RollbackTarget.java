package io.rapport.db;

/** How far a rollback goes. */
public sealed interface RollbackTarget {
  /** Takes back the newest {@code count} versions. */
  record Count(int count) implements RollbackTarget {
    public Count {
      requireNotNegative(count);
    }
  }

  /** Takes back all that is newer than {@code version}. */
  record To(int version) implements RollbackTarget {
    public To {
      requireNotNegative(version);
    }
  }

  private static void requireNotNegative(int number) {
    if (number < 0) {
      throw new IllegalArgumentException("how far back must not be negative: " + number);
    }
  }
}
