package io.rapport.platform;

import com.google.protobuf.MessageLite;
import java.util.List;

/** How much of what was found a page has room for, so that its answer doesn't get too large. */
public final class PageRoom {
  /** The most bytes of a page, unless its first entry has more. */
  public static final int MAX_BYTES = 1024 * 1024;

  private PageRoom() {}

  /**
   * How many of the first entries go on the page; one at least, if there is one.
   *
   * @param found of which messages are measured
   * @param size how many were asked for
   */
  public static int count(List<?> found, int size) {
    int bytes = 0;
    for (int i = 0; i < found.size(); i++) {
      bytes += found.get(i) instanceof MessageLite message ? message.getSerializedSize() : 0;
      if (i == size || (bytes > MAX_BYTES && i > 0)) {
        return i;
      }
    }
    return found.size();
  }
}
