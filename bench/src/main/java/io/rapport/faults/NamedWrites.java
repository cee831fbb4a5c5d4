package io.rapport.faults;

import java.sql.SQLException;
import java.util.Collection;
import java.util.Map;

/**
 * Writes that their callers name by a request id: of the service, or of a stand-in with a fault.
 */
interface NamedWrites extends AutoCloseable {
  /** Makes what writes of these keys need to be there. */
  void prepare(Collection<String> keys) throws Exception;

  /**
   * Does the write of a key.
   *
   * @return all that the caller was told
   */
  Told call(String requestId, String key) throws InterruptedException;

  /** How often the write of each key was done. */
  Map<String, Integer> effects() throws SQLException;

  @Override
  void close();

  /** What a caller was told, and whether that was an answer. */
  record Told(boolean ok, String text) {}
}
