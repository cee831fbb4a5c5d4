package io.rapport.platform;

import java.util.UUID;

/**
 * Is told by the writes of this process that they are committed. Others' commits it must find by
 * itself, so it may miss some.
 */
public interface CommitListener {
  /** Must return at once and not throw. */
  void committed(UUID tenant);
}
