package io.rapport.db;

/** Whether a throw-away cluster keeps what it committed when the machine fails. */
public enum Durability {
  /** As in production: for measurements and faults. */
  FSYNC,
  /** Fast: for tests and code generation. */
  NONE
}
