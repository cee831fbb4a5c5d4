package io.rapport.db;

/** How far a rollback goes. */
public sealed interface RollbackTarget {
  /** Takes back the newest {@code count} versions. */
  record Count(int count) implements RollbackTarget {}

  /** Takes back all that is newer than {@code version}. */
  record To(int version) implements RollbackTarget {}
}
