package io.rapport.platform.resource;

import com.google.protobuf.Message;
import io.rapport.platform.ServiceException;

/** What must hold for an entity beside what contract and table say. */
@FunctionalInterface
public interface Rule<T extends Message> {
  /**
   * Looks at an entity as it was just written, in the transaction that wrote it.
   *
   * @param path where the entity stands in the request
   * @throws ServiceException if the rule doesn't hold; then nothing was written
   */
  void check(T entity, String path);
}
