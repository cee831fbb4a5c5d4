package io.rapport.platform.resource;

import com.google.protobuf.Message;
import io.rapport.platform.Transaction;
import java.util.List;
import java.util.UUID;

/** What must follow when entities of a kind are written, in the transaction that writes them. */
@FunctionalInterface
public interface Consequence<T extends Message> {
  /**
   * An entity that was made, changed or removed.
   *
   * @param entity as it was or is; of an upsert as it was sent, with its natural key at least
   */
  record Written<T extends Message>(UUID id, T entity) {}

  /**
   * Does what follows.
   *
   * @param written all that a request wrote, together: what was changed one by one comes twice, as
   *     it was and as it is
   */
  void follow(Transaction tx, List<Written<T>> written);
}
