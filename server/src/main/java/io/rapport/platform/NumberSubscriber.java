package io.rapport.platform;

/**
 * What an area does about changes when the commit has its number, and so holds the lock of the
 * tenant's head: by volatile functions, which see all that was committed before. It must not take
 * long, and must not lock rows that others lock before the head.
 */
public interface NumberSubscriber {
  /** Whether changes of this kind concern it. */
  boolean concerns(String kind);

  /**
   * An expression of SQL that has the number's value. It may read {@code numbered (tenant_id)}, the
   * row for which it is evaluated, and {@code changes}, as {@link ChangeSubscriber} knows them.
   *
   * @param number the expression of the number
   */
  String call(String number);
}
